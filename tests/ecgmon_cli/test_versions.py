"""Wearers' own models from the command line: into service, back, out to a file and in again."""

import json

import pytest

from tests.support.bundles import write_bundle
from tests.support.subprocesses import ECGMON, ecgmon, ecgmon_each, shell

GEOMETRY = {"history_s": 0.0, "look_ahead_s": 0.0, "rate": 120}


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "ann.onnx", name="ann's", wearer="ann", **GEOMETRY)


@pytest.mark.thorough
def test_a_model_goes_into_service_back_and_to_another_machine(env, bundle, tmp_path):
    copy = tmp_path / "copy.onnx"
    calls = {
        ("import", "ann", bundle): "Version 1 is in service for ann.\n",
        ("import", "ann", bundle, "--keep"): "Version 2 is kept for ann.\n",
        ("activate", "ann", "2"): "Version 2 is in service for ann.\n",
        ("rollback", "ann"): "Version 1 is in service for ann again.\n",
        ("export", "ann", copy): "",
        ("list", "--json", "-"): None,
    }
    commands = [("models", *call) for call in calls]
    outcomes = ecgmon_each(commands, tmp_path, env)
    for outcome, expected in zip(outcomes, calls.values(), strict=True):
        assert (outcome.code, outcome.err) == (0, "")
        assert expected is None or outcome.out == expected
    assert copy.read_bytes() == bundle.read_bytes()
    listed = json.loads(outcomes[-1].out)
    serving = {name: model["in_service"] for name, model in listed.items()}
    assert serving == {
        "203": False,
        "atrial": True,
        "beats": False,
        "generic": True,
        "rhythms": True,
        "simulated": False,
        "ann/1": True,
        "ann/2": False,
    }
    assert listed["ann/2"]["card"]["wearer"] == "ann"


@pytest.mark.thorough
def test_a_model_passes_through_a_pipe(env, bundle):
    assert ecgmon("models", "import", "ann", bundle, env=env).code == 0
    line = f"{ECGMON} models export ann - | {ECGMON} models import ann -"
    outcome = shell(line, env)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "Version 2 is in service for ann.\n"


@pytest.mark.thorough
def test_a_monitor_judges_with_the_model_in_service(env, tmp_path):
    own = write_bundle(tmp_path / "own.onnx", name="own", wearer="simulated", **GEOMETRY)
    play = ("replay", "--simulate", "normal", "--speed", "max", "--no-view", "--json", "-")
    outcomes = ecgmon_each(
        [play, ("models", "import", "simulated", own), play, (*play, "--model", "generic")],
        tmp_path,
        env,
    )
    assert [outcome.code for outcome in outcomes] == [0] * 4
    models = [json.loads(outcomes[i].out)["model"] for i in (0, 2, 3)]
    assert models == ["simulated-beatnet", "own", "generic-beatnet"]


@pytest.mark.thorough
def test_what_cannot_be_done_is_one_sentence(env, bundle, tmp_path):
    state = tmp_path / "home/.local/state/ecgmon/models"
    calls = {
        ("rollback", "ann"): f"There are no models of ann in {state}.",
        ("activate", "ann", "1"): "There is no version 1 of ann's models: ann has none yet.",
        ("activate", "../ann", "1"): "'../ann' cannot be a wearer's id: take up to 64 letters, "
        "digits, '.', '_' or '-', a letter or digit first.",
        ("import", "bob", bundle): f"{bundle} is a model of ann, not of bob.",
        ("import", "ann", tmp_path): f"The model file {tmp_path} cannot be read: Is a directory.",
        ("export", "ann", "-"): "No model of ann's own is in service.",
        ("show", "ann"): "There is no model ann: give a bundle's path or one of 203, atrial, "
        "beats, generic, rhythms, simulated.",
        ("show", "ann/1"): "There is no model ann/1: give a bundle's path or one of 203, atrial, "
        "beats, generic, rhythms, simulated.",
    }
    outcomes = ecgmon_each([("models", *call) for call in calls], tmp_path, env)
    for outcome, expected in zip(outcomes, calls.values(), strict=True):
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"Error: {expected}\n")
    assert not state.exists()
