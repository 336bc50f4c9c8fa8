"""The daemon and its clients as processes of their own, and what signals do to them."""

import json
import signal
import sqlite3
import time
from contextlib import ExitStack, closing

import pytest

from tests.support.subprocesses import ECGMON, ecgmon, environment, shell, start

ANYWHERE = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")
FAST = ("--speed", "max", "--no-view")
PROMPT_S = 2
"""The daemon ends within this time after a service manager's signal."""


@pytest.fixture(scope="module", autouse=True)
def forsaken(tmp_path_factory):
    """Two replays whose monitor is missing or leaves, until their ``--patience`` is over."""
    folder = tmp_path_factory.mktemp("forsaken")
    env = environment(folder)
    command = (ECGMON, "replay", "--simulate", "normal", "--no-view", "--patience", 3, "--connect")
    with ExitStack() as stack:

        def background(name, *command):
            return stack.enter_context(start(*command, folder=folder / name, env=env))

        began = time.time()
        alone = background("alone", *command, "tcp://127.0.0.1:9")
        daemon = background("daemon", ECGMON, "serve", *ANYWHERE, "--journal", folder / "db")
        endpoint = daemon.wait_for(r"event=ready ingest=(\S+) publish=\S+")[1]
        left = background("left", *command, endpoint)
        left.wait_for("event=opened")
        daemon.end(signal.SIGTERM)
        yield (alone, began), (left, time.time())


@pytest.fixture
def serving(tmp_path, env):
    """Start daemons that write no journal but their own; gives each with its endpoint."""
    with ExitStack() as stack:

        def serving(*options, name="serve"):
            folder = tmp_path / name
            options = options or ("--journal", tmp_path / f"{name}.db")
            command = (ECGMON, "serve", *ANYWHERE, *options)
            daemon = stack.enter_context(start(*command, folder=folder, env=env))
            return daemon, daemon.wait_for(r"event=ready ingest=(\S+) publish=\S+")[1]

        yield serving


def ends(process, number):
    """End a process by a signal; returns how it ended, which has to be soon."""
    before = time.monotonic()
    outcome = process.end(number)
    assert time.monotonic() - before < PROMPT_S
    return outcome


def journal(path):
    with closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT wearer, type, message FROM journal ORDER BY id").fetchall()
    return [(wearer, kind, json.loads(message)) for wearer, kind, message in rows]


def test_devices_in_other_processes_are_monitored_and_sigterm_ends_it_cleanly(
    serving, env, tmp_path
):
    daemon, endpoint = serving()
    with ExitStack() as stack:
        replays = {
            scenario: stack.enter_context(
                start(
                    *(ECGMON, "replay", "--simulate", scenario, *FAST),
                    *("--connect", endpoint, "--json", "-"),
                    folder=tmp_path / scenario,
                    env=env,
                )
            )
            for scenario in ("asystole", "noise")
        }
        outcomes = {scenario: process.end() for scenario, process in replays.items()}
    for scenario, outcome in outcomes.items():
        assert outcome.code == 0, outcome.err
        result = json.loads(outcome.out)
        assert result["mismatches"] == []
        assert result["samples_sent"] == result["samples_received"]
        assert result["trained_on_share"] is None
        assert result["model"].startswith("generic")
        assert "what the model was trained on is not known here" in outcome.err
        assert f"wearer=simulated-{scenario}" in daemon.written
    outcome = ends(daemon, signal.SIGTERM)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.rstrip().endswith("stopped")
    counted = journal(tmp_path / "serve.db")
    alarms = [(wearer, m["kind"], m["state"]) for wearer, kind, m in counted if kind == "alarm"]
    assert sorted(alarms) == [
        ("simulated-asystole", "asystole", "latched"),
        ("simulated-asystole", "asystole", "raised"),
        ("simulated-noise", "noisy", "cleared"),
        ("simulated-noise", "noisy", "raised"),
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_soon_though_a_device_is_connected(serving, env, tmp_path, number):
    daemon, endpoint = serving()
    command = (ECGMON, "replay", "--simulate", "normal", "--no-view", "--connect", endpoint)
    with start(*command, folder=tmp_path / "replay", env=env) as replay:
        replay.wait_for("event=opened")
        assert ends(daemon, number).code == 0
    kinds = [kind for _, kind, _ in journal(tmp_path / "serve.db")]
    assert kinds[0] == "opened"
    assert "closed" not in kinds  # the stream goes on with the next daemon


@pytest.mark.thorough
def test_ctrl_c_ends_a_replay_with_its_summary_and_the_stream_with_goodbye(serving, env, tmp_path):
    daemon, endpoint = serving()
    result = tmp_path / "result.json"
    for connect in ((), ("--connect", endpoint)):
        command = (ECGMON, "replay", "--simulate", "normal", "--no-view", "--json", result)
        with start(*command, *connect, folder=tmp_path / "replay", env=env) as replay:
            replay.wait_for("event=opened")
            time.sleep(0.5)
            outcome = replay.end(signal.SIGINT)
        assert outcome.code == 130
        assert outcome.err == ""
        assert "simulated/normal, speed 1.0" in outcome.out
        figures = json.loads(result.read_text())
        assert figures["interrupted"] is True
        assert figures["mismatches"] == []
        assert 0 < figures["samples_received"] == figures["samples_sent"] < 60 * 360
    ends(daemon, signal.SIGTERM)
    closed = [message for _, kind, message in journal(tmp_path / "serve.db") if kind == "closed"]
    assert [message["end"] for message in closed] == [figures["samples_sent"]]


@pytest.mark.thorough
def test_an_endpoint_in_use_is_refused_and_the_first_daemon_goes_on(serving, env, tmp_path):
    daemon, endpoint = serving()
    options = ("--ingest", endpoint, *ANYWHERE[2:], "--journal", tmp_path / "second.db")
    outcome = ecgmon("serve", *options, env=env)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error: The endpoint {endpoint} cannot be bound (Address already in use): "
        "choose another one or stop what uses it.\n"
    )
    options = (*FAST, "--duration", 5, "--connect", endpoint)
    outcome = ecgmon("replay", "--simulate", "normal", *options, env=env)
    assert outcome.code == 0, outcome.err
    assert ends(daemon, signal.SIGTERM).code == 0


@pytest.mark.thorough
def test_the_journal_has_a_home_of_its_own(serving, env, tmp_path):
    daemon, _ = serving("--model", "generic")
    assert ends(daemon, signal.SIGTERM).code == 0
    assert journal(tmp_path / "home" / ".local" / "state" / "ecgmon" / "journal.db") == []


def test_a_home_that_cannot_be_written_asks_for_a_journal(env, tmp_path):
    (tmp_path / "file").touch()
    outcome = ecgmon("serve", *ANYWHERE, env=env | {"HOME": str(tmp_path / "file" / "home")})
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.endswith("name a file with --journal.\n")
    assert outcome.err.count("\n") == 1


@pytest.mark.thorough
def test_a_reader_that_goes_away_is_no_error(env):
    command = f"'{ECGMON}' replay --simulate premature --speed max --no-view"
    outcome = shell(f"{command} | head -1; exit ${{PIPESTATUS[0]}}", env=env)
    assert "event=opened" in outcome.out
    assert (outcome.code, outcome.err) == (1, "")


def test_a_monitor_that_is_not_there_or_goes_away_is_reported_in_time(forsaken):
    counted = (
        "Error: The monitor does not answer: check the endpoint and its log.\n",
        "wearer=simulated-normal connection to the monitor lost (it broke), trying again for 3 s\n"
        "Error: The monitor has not answered for 3 s: check whether it still runs.\n",
    )
    for (process, began), expected in zip(forsaken, counted, strict=True):
        outcome = process.end()
        assert (outcome.code, outcome.err) == (1, expected)
        assert process.last_wrote_s - began < 30  # ten seconds, and a start on a busy machine
