"""Many wearers at once against a daemon in another process, which may be restarted meanwhile."""

import itertools
import json
import signal

import pytest

from replay.simulator.scenarios import SCENARIOS
from tests.support.subprocesses import ECGMON, ecgmon_each, start

FAST = ("--speed", "max")


@pytest.fixture
def serving(tmp_path, env):
    """Start a daemon, or another one at the same place; gives the process and its endpoint."""
    started = []

    def serving(endpoint="tcp://127.0.0.1:*", publish="tcp://127.0.0.1:*"):
        options = ("--ingest", endpoint, "--publish", publish, "--journal", tmp_path / "db")
        folder = tmp_path / f"serve{len(started)}"
        context = start(ECGMON, "serve", *options, folder=folder, env=env)
        daemon = context.__enter__()
        started.append(context)
        return daemon, *daemon.wait_for(r"event=ready ingest=(\S+) publish=(\S+)").groups()

    yield serving
    for context in started:
        context.__exit__(None, None, None)


@pytest.mark.thorough
def test_many_play_at_once_records_and_simulated_wearers(serving, records, env, tmp_path):
    _, endpoint, _ = serving()
    plays = {
        "mixed": ("--simulate", "mixed", "--wearers", 9, "--duration", 20),
        "records": (records / "beats", records / "plain", "--rate", 250),
        "loop": ("--simulate", "normal", "--loop", "--wearers", 2, "--duration", 700),
    }
    outcomes = ecgmon_each(
        [
            ["replay", *args, "--connect", endpoint, *FAST, "--json", tmp_path / name]
            for name, args in plays.items()
        ],
        tmp_path,
        env,
    )
    assert [(outcome.code, outcome.err) for outcome in outcomes] == [(0, "")] * 3
    mixed, played, loop = (json.loads((tmp_path / name).read_text()) for name in plays)
    scenarios = itertools.islice(itertools.cycle(SCENARIOS), 9)
    names = [f"simulated-{name}-{i:02}" for i, name in enumerate(scenarios, start=1)]
    assert [w["patient"] for w in mixed["wearers"]] == names
    assert mixed["failed"] == mixed["reconnects"] == mixed["samples_dropped"] == 0
    for outcome, result in zip(outcomes, (mixed, played, loop), strict=True):
        assert f"{result['samples_sent']:,} samples sent" in outcome.out
        assert result["samples_sent"] == result["samples_acknowledged"] > 0
        assert result["samples_sent"] == sum(w["samples_sent"] for w in result["wearers"])
    assert [w["windows"] for w in played["wearers"]] == [29, 29]
    assert [w["scored"] > 0 for w in played["wearers"]] == [True, False]
    assert [w["samples_sent"] for w in played["wearers"]] == [30 * 250] * 2
    assert [w["windows"] for w in loop["wearers"]] == [699, 699]


@pytest.mark.slow  # tests/survival kills monitors in the fast suite, too
def test_a_daemon_that_is_killed_and_started_again_costs_a_replay_nothing(serving, env, tmp_path):
    daemon, endpoint, publish = serving()
    command = (ECGMON, "replay", "--simulate", "normal", "--wearers", 3, "--loop")
    options = ("--connect", endpoint, "--json", tmp_path / "json")
    with start(*command, *options, folder=tmp_path / "replay", env=env) as replay:
        replay.wait_for(r"\n? +\d+ s  [1-9][\d,]* samples sent, [1-9]")
        daemon.end(signal.SIGKILL)
        daemon, *_ = serving(endpoint, publish)
        for i in (1, 2, 3):
            replay.wait_for(f"wearer=simulated-normal-0{i} connected to the monitor again")
        replay.wait_for(r"\d dropped; 3 reconnects")
        outcome = replay.end(signal.SIGINT)
    assert outcome.code == 130
    assert outcome.err.count("connection to the monitor lost (it broke)") == 3
    result = json.loads((tmp_path / "json").read_text())
    assert result["interrupted"] is True
    assert (result["failed"], result["reconnects"], result["samples_dropped"]) == (0, 3, 0)
    assert 0 < result["samples_acknowledged"] <= result["samples_sent"]
