"""``ecgmon enroll`` end to end, on simulated wearers and with few steps of training."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from ecgmon.bundle import Model
from ecgmon.cli.app import app
from ecgmon.cli.enroll import KEPT
from ecgmon.cli.models import resolve, stored
from replay.simulated import simulate
from trainer import build, splits
from trainer.dataset import record_set
from trainer.enrolment import gate
from trainer.networks import BeatNet

WEARER = "ann"
ENROLL = ["enroll", "--patient", WEARER, "--record", "home/ann"]


@pytest.fixture(scope="module")
def prepared():
    played = simulate("premature", duration_s=splits.ENROLMENT_S + 10).record
    return record_set(played, BeatNet.geometry, BeatNet.steps_per_second)


@pytest.fixture
def enroll(monkeypatch, tmp_path, prepared):
    """Return a call of the command; every record is the same few minutes of a simulated wearer."""

    def load(names, _network, _data, progress=lambda _: None):
        for name in names:
            progress(name)
        return [replace(prepared, record=name, wearer=name.rpartition("/")[2]) for name in names]

    recipe = build.RECIPES["beatnet"]
    short = replace(recipe, share=4, rehearsal=1, patient=replace(recipe.patient, steps=3))
    monkeypatch.setattr(build, "RECIPES", {"beatnet": short})
    monkeypatch.setattr("trainer.dataset.load", load)
    monkeypatch.setattr("trainer.noise.load", lambda *_: [])
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))
    return lambda *more: CliRunner().invoke(app, [*ENROLL, *more], catch_exceptions=False)


def objecting(monkeypatch, *objections):
    monkeypatch.setattr(gate.Verdict, "objections", property(lambda _: list(objections)))


def test_a_wearer_gets_a_model_and_a_second_is_judged_on_what_is_left(enroll, monkeypatch):
    objecting(monkeypatch)
    outcome = enroll()
    assert outcome.exit_code == 0, outcome.output
    assert "Version 1 is in service for ann." in outcome.stdout
    assert "generic-beatnet: wrong" in outcome.stdout
    own = resolve(None, WEARER)
    assert own == stored().path(WEARER, 1)
    card = Model.load(own).card
    assert (card.wearer, card.enrolment.record) == (WEARER, "home/ann")

    again = enroll()
    assert "ann-beatnet was fitted to the last minute and is not judged on it." in again.stdout
    assert stored().versions(WEARER) == [1, 2]


def test_a_model_that_does_worse_is_kept_unless_it_is_forced(enroll, monkeypatch):
    objecting(monkeypatch, "it is worse")
    outcome = enroll()
    assert outcome.exit_code == KEPT
    assert "Against the new model: it is worse." in outcome.stdout
    assert "ecgmon models activate ann 1" in " ".join(outcome.stdout.split())
    assert stored().versions(WEARER) == [1]
    assert resolve(None, WEARER) == resolve("generic", None)
    assert enroll("--force").exit_code == 0
    (activation,) = stored().service(WEARER).activations
    assert (activation.version, activation.forced) == (2, True)


def test_the_figures_for_scripts_are_those_of_the_verdict(enroll):
    outcome = enroll("--json", "-")
    figures = json.loads(outcome.stdout)
    assert (figures["patient"], figures["version"]) == (WEARER, 1)
    assert figures["in_service"] == (not figures["objections"])
    assert outcome.exit_code == (0 if figures["in_service"] else KEPT)
    minute = figures["minute_new"]
    assert sum(minute.values()) == sum(figures["minute_old"].values()) > 50
    assert figures["panel_new"]["fp"] == figures["panel_new"]["tn"] == 0
    card = Model.load(stored().path(WEARER, 1)).card
    assert minute == {n: getattr(card.validation, n) for n in ("tp", "fp", "tn", "fn")}
