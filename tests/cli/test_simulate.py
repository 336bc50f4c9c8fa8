"""Every scenario of a simulated wearer, through the command line and a real monitor."""

import json

import pytest

from replay.scenarios import SCENARIOS
from tests.cli.subprocesses import ecgmon, ecgmon_each, environment

SEEDS = (1, 2)
FAST = ("--speed", "max", "--no-view")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play all scenarios; gives the outcome and the figures of each."""
    folder = tmp_path_factory.mktemp("played")
    cases = {
        (scenario, seed): folder / f"{scenario}-{seed}" for scenario in SCENARIOS for seed in SEEDS
    }
    commands = [
        ["replay", "--simulate", scenario, *FAST, "--seed", seed, "--json", path]
        for (scenario, seed), path in cases.items()
    ]
    outcomes = ecgmon_each(commands, tmp_path_factory.mktemp("output"), environment(folder))
    return {
        case: (outcome, json.loads(path.read_text()))
        for (case, path), outcome in zip(cases.items(), outcomes, strict=True)
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_monitor_raises_exactly_the_alerts_of_the_truth(played, scenario, seed):
    outcome, result = played[scenario, seed]
    assert (outcome.code, outcome.err) == (0, "")
    assert result["mismatches"] == []
    assert outcome.out.endswith("    truth  every alert as the truth says\n")
    raised = [alert["kind"] for alert in result["alerts"] if alert["state"] == "raised"]
    assert raised == {
        "normal": [],
        "premature": ["abnormal"],
        "runs": ["abnormal"],
        "pauses": [],
        "asystole": ["asystole"],
        "noise": ["noisy"],
        "lead-off": ["no-signal"],
        "gaps": ["no-signal"],
    }.get(scenario)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_sample_arrives_and_every_second_is_spoken_of(played, scenario):
    _, result = played[scenario, 1]
    seconds = SCENARIOS[scenario].duration_s
    assert result["samples_sent"] == result["samples_received"]
    assert result["gaps"] == (5 if scenario == "gaps" else 0)
    assert result["windows"] == int(seconds - 0.5)
    assert result["record"] == f"simulated/{scenario}"
    assert (result["speed"], result["interrupted"]) == ("max", False)
    assert result["trained_on_share"] == 0
    if scenario in ("normal", "premature", "runs", "pauses", "asystole"):
        assert result["samples_sent"] == round(seconds * 360)
        assert (result["noisy"], result["absent"]) == (0, 0)
        assert result["classified"] == result["windows"]


def test_a_scenario_plays_through_the_console_script_with_seed_1_if_none_is_given(env, played):
    options = ("replay", "--simulate", "premature", *FAST, "--json", "-")
    outcome = ecgmon(*options, env=env)
    assert outcome.code == 0, outcome.err
    timing = dict.fromkeys(("latency_ms_p50", "latency_ms_p99"))
    result = json.loads(outcome.out) | timing
    assert result == played["premature", 1][1] | timing
    assert result != played["premature", 2][1] | timing
