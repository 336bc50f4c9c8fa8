"""Every scenario of a simulated wearer, through the command line and a real monitor."""

import json

import pytest

from replay.simulator.scenarios import SCENARIOS
from tests.support.subprocesses import ecgmon, ecgmon_each, environment

pytestmark = pytest.mark.thorough

FAST = ("--speed", "max", "--no-view")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play all scenarios; gives the outcome and the figures of each."""
    folder = tmp_path_factory.mktemp("played")
    cases = {
        (scenario, seed): folder / f"{scenario}-{seed}"
        for scenario, seed in [*((name, 1) for name in SCENARIOS), ("premature", 2)]
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


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_monitor_raises_exactly_the_alarms_of_the_truth(played, scenario):
    outcome, result = played[scenario, 1]
    assert (outcome.code, outcome.err) == (0, "")
    assert result["mismatches"] == []
    assert outcome.out.endswith("    truth  all alarms as expected\n")
    raised = {alarm["kind"] for alarm in result["alarms"] if alarm["state"] == "raised"}
    sure, perhaps = {
        "normal": (set(), set()),
        "premature": ({"abnormal"}, set()),
        "runs": (
            {"abnormal", "ventricular-tachycardia"},
            {"high-rate", "extreme-high-rate", "ventricular-fibrillation"},
        ),
        "pauses": (set(), set()),
        "bradycardia": ({"low-rate"}, set()),
        "tachycardia": ({"high-rate"}, {"abnormal"}),
        "extreme": (
            {"extreme-low-rate", "extreme-high-rate"},
            {"low-rate", "high-rate", "abnormal"},
        ),
        "asystole": ({"asystole"}, set()),
        "noise": ({"noisy"}, set()),
        "lead-off": ({"no-signal"}, set()),
        "gaps": ({"no-signal"}, set()),
    }[scenario]
    assert sure <= raised <= sure | perhaps


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
        # The model of rhythms doubts some of them, and there is no beat near others.
        doubted = {"runs": 10, "pauses": 5, "asystole": 12}.get(scenario, 0)
        settled = result["windows"] - 3  # whose history is no signal
        assert settled - doubted <= result["classified"] <= settled


def test_a_scenario_plays_through_the_console_script_with_seed_1_if_none_is_given(env, played):
    options = ("replay", "--simulate", "premature", *FAST, "--json", "-")
    outcome = ecgmon(*options, env=env)
    assert outcome.code == 0, outcome.err
    timing = dict.fromkeys(("latency_ms_p50", "latency_ms_p99"))
    result = json.loads(outcome.out) | timing
    assert result == played["premature", 1][1] | timing
    assert result != played["premature", 2][1] | timing
