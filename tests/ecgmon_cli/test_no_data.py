"""A machine without records and without a network: its errors, and what still works."""

import pytest

from tests.support.subprocesses import ecgmon

SENTENCE = (
    "The record mitdb/203 is not on this machine and cannot be fetched from PhysioNet: connect to "
    "the network, or point --data or $ECGMON_DATA at a folder that holds it, or watch the built-in "
    "wearer: ecgmon replay --simulate normal."
)
FAST = ("--speed", "max", "--no-view")


@pytest.mark.thorough
def test_a_record_that_cannot_be_had_leaves_three_ways_out(env, tmp_path):
    outcome = ecgmon("replay", "203", *FAST, env=env)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"Error: {SENTENCE}\n"
    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert left == []  # nothing half fetched


@pytest.mark.thorough
def test_the_demonstration_goes_on_with_a_simulated_wearer_and_says_so(env):
    outcome = ecgmon("replay", "203", "--or-simulate", *FAST, env=env)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{SENTENCE}\nSIMULATED WEARER, not record 203\n")
    assert "simulated/premature, speed max" in outcome.out
    assert "all alarms as expected" in outcome.out


@pytest.mark.thorough
def test_a_folder_that_does_not_hold_the_record_is_no_help(env, tmp_path):
    outcome = ecgmon("replay", "203", "--data", tmp_path, *FAST, env=env)
    assert (outcome.code, outcome.err) == (2, f"Error: {SENTENCE}\n")


@pytest.mark.thorough
def test_what_goes_on_is_not_written_among_the_figures(env):
    outcome = ecgmon("replay", "203", "--or-simulate", *FAST, "--json", "-", env=env)
    assert outcome.code == 0
    assert outcome.out.startswith("{\n")
    assert outcome.err.startswith(SENTENCE)
