"""Bundles that did not come with the program."""

import json

import pytest

from tests.support.bundles import write_bundle
from tests.support.subprocesses import ecgmon

FAST = ("--speed", "max", "--no-view")


@pytest.mark.thorough
def test_a_bundle_of_another_geometry_is_served_if_it_is_consistent(env, records, tmp_path):
    path = write_bundle(tmp_path / "own.onnx", history_s=1.0, look_ahead_s=0.25, rate=120)
    options = (*FAST, "--model", path, "--json", "-")
    outcome = ecgmon("replay", records / "beats", *options, env=env)
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert (result["model"], result["look_ahead_s"]) == ("by-hand", 0.25)
    assert (result["windows"], result["classified"], result["threshold"]) == (29, 28, 0.1)


@pytest.mark.thorough
def test_a_bundle_that_claims_another_geometry_than_its_graph_has_is_refused(env, tmp_path):
    path = write_bundle(
        tmp_path / "own.onnx",
        history_s=1.0,
        look_ahead_s=0.25,
        rate=120,
        claimed={"history_s": 2.0},
    )
    outcome = ecgmon("replay", "--simulate", "normal", *FAST, "--model", path, env=env)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error: {path} takes other input than its card says: expected 390 samples.\n"
    )
