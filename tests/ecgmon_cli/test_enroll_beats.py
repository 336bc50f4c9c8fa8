"""``ecgmon enroll --beats`` end to end, on a simulated wearer and with few steps of training."""

import json
from dataclasses import replace

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from ecgmon.core.constants import RATE
from ecgmon.core.errors import EcgmonError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.resolve import beats_of, resolve, stored
from ecgmon_cli.app import app
from ecgmon_cli.enroll import KEPT, UNFINISHED
from replay.simulator.simulation import simulate
from trainer.data import splits
from trainer.data.beats.kachuee import CLASSES
from trainer.data.learned_beats import BeatGroup
from trainer.enrolment import base
from trainer.enrolment.own_beats import gate, others, signal
from trainer.enrolment.review import clinician, judgements
from trainer.enrolment.review.vocabulary import VOCABULARIES, Judgement
from trainer.training import own_beats

pytestmark = pytest.mark.thorough
WEARER = "ann"
PLAYED = simulate("premature", duration_s=splits.ENROLMENT_S + 10).record


@pytest.fixture(scope="module")
def others_of():
    beats = signal.take(PLAYED).beats
    group = BeatGroup(beats.inputs.astype(np.float16), np.maximum(beats.labels, 0), 1.0)
    return others.OtherPeople([group], [replace(beats, record="other")])


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Write the wearer's record with and without annotations, and return their paths."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("annotated", "bare"):
        wfdb.wrsamp(
            name, RATE, ["mV"], ["II"], d_signal=PLAYED.samples[:, None], fmt=["16"],
            adc_gain=[PLAYED.gain], baseline=[0], write_dir=str(folder),
        )  # fmt: skip
    marks = PLAYED.annotations
    wfdb.wrann("annotated", "atr", marks.samples, list(marks.symbols), write_dir=str(folder))
    return folder


@pytest.fixture
def enroll(monkeypatch, tmp_path, others_of, records):
    """Return a call of the command; all other people are a simulated one."""
    monkeypatch.setattr(own_beats, "SETTINGS", replace(own_beats.SETTINGS, steps=3))
    monkeypatch.setattr(others, "load", lambda *_: others_of)
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))

    def call(record="annotated", *more):
        command = ["enroll", "--beats", "--patient", WEARER, "--record", str(records / record)]
        return CliRunner().invoke(app, [*command, *more])

    return call


def objecting(monkeypatch, *objections):
    monkeypatch.setattr(gate.BeatVerdict, "objections", property(lambda _: list(objections)))


def models(*args):
    done = CliRunner().invoke(app, ["models", *args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_wearer_gets_a_model_of_beats_beside_that_of_windows(enroll, monkeypatch):
    objecting(monkeypatch)
    outcome = enroll()
    assert outcome.exit_code == 0, outcome.output
    assert "Version 1 is in service for ann." in outcome.stdout
    assert beats_of(WEARER) == stored().path(WEARER, 1)
    assert resolve(None, WEARER) == resolve("generic", None)
    model = BeatModel.load(beats_of(WEARER))
    model.require_live(beats_of(WEARER))
    card = model.card
    assert card.wearer == WEARER
    assert card.trained_on[-1].stop == splits.ENROLMENT_S
    assert card.validation.protocol.startswith("last minute of the enrolment (annotations)")
    assert card.evaluation.protocol.startswith("before adaptation")
    assert "before adaptation" not in card.validation.protocol
    again = enroll()
    assert "ann-beats was fitted to the last minute and is not judged on it." in again.stdout
    assert "Version 1 is in service for ann again." in models("rollback", WEARER, "--beats")
    assert "last minute of the enrolment" in models("show", "ann/1").replace("\n", " ")
    (report,) = (stored().folder.parent / "enrolments" / WEARER).glob("*.beats.html")
    page = report.read_text()
    assert page.startswith("<!doctype html>")
    assert "ventricular: " in page
    assert "Second by second" not in page


def test_a_worse_model_of_beats_is_stored_but_does_not_serve(enroll, monkeypatch):
    objecting(monkeypatch, "it is worse")
    outcome = enroll("annotated", "--json", "-")
    assert outcome.exit_code == KEPT
    figures = json.loads(outcome.stdout)
    assert (figures["version"], figures["in_service"]) == (1, False)
    assert figures["objections"] == ["it is worse"]
    counts = BeatModel.load(stored().path(WEARER, 1)).card.validation.counts
    assert figures["minute_new"] == [list(row) for row in counts]
    assert np.sum(figures["minute_new"]) == np.sum(figures["minute_old"]) > 50
    assert figures["V"] > 10
    assert figures["beats"] >= sum(figures[name] for name in CLASSES)
    assert beats_of(WEARER) is None
    assert enroll("annotated", "--force").exit_code == 0
    (activation,) = stored().service(WEARER, "beat").activations
    assert (activation.version, activation.forced) == (2, True)


def test_the_same_seed_gives_the_same_network(enroll, records):
    for seed in ("5", "5", "6"):
        enroll("annotated", "--force", "--seed", seed)
    beats = signal.take(PLAYED).beats.inputs[:50]
    one, same, other = (
        BeatModel.load(stored().path(WEARER, n)).probability(beats) for n in (1, 2, 3)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


class Clinician:
    """Answers as the annotations say, in place of the terminal; leaves after some answers."""

    def __init__(self, leaves_after=None):
        self.left = leaves_after
        self.asked = 0

    def __call__(self, _filtered, questions, kept, _title, most):
        truth = dict(zip(*self._truth(), strict=True))
        while len(kept.answers) < most:
            if self.left is not None and self.asked == self.left:
                return False
            beat = questions.next(kept.answers)
            kept.give(beat, truth.get(int(questions.beats[beat]), Judgement.UNUSABLE))
            self.asked += 1
        kept.accept(questions.spread(kept.answers))
        return True

    @staticmethod
    def _truth():
        beats = signal.take(PLAYED).beats
        words = {"N": Judgement.NORMAL, "S": Judgement.SUPRAVENTRICULAR, "V": Judgement.VENTRICULAR}
        said = [words.get(CLASSES[label], Judgement.UNSURE) for label in beats.labels]
        return beats.samples.tolist(), said


def test_twenty_judgements_are_asked_by_class_kept_and_gone_on_with(enroll, monkeypatch, tmp_path):
    monkeypatch.setattr(base, "usable", lambda: True)
    monkeypatch.setattr(clinician, "run", Clinician(leaves_after=7))
    assert enroll("bare").exit_code == UNFINISHED
    (kept,) = (tmp_path / "state" / "enrolments" / WEARER).glob("*.classes")
    assert len(wfdb.rdann(str(kept.with_suffix("")), "classes").sample) == 7
    monkeypatch.setattr(clinician, "run", second := Clinician())
    outcome = enroll("bare", "--force", "--json", "-")
    assert outcome.exit_code == 0, outcome.output
    assert second.asked == 13
    figures = json.loads(outcome.stdout)
    assert figures["labels"] == "review"
    annotated = signal.take(PLAYED).beats.labels
    early = annotated == CLASSES.index("V")
    assert abs(figures["V"] - early.sum()) <= 2
    assert "(review)" in BeatModel.load(beats_of(WEARER)).card.validation.protocol


def test_a_review_of_the_other_kind_is_left_alone(enroll, monkeypatch, tmp_path):
    monkeypatch.setattr(base, "usable", lambda: True)
    monkeypatch.setattr(clinician, "run", Clinician(leaves_after=3))
    assert enroll("bare").exit_code == UNFINISHED
    (kept,) = (tmp_path / "state" / "enrolments" / WEARER).glob("*.classes")
    before = kept.read_bytes()
    of_windows = judgements.Judgements(
        kept.with_suffix(""), signal.take(PLAYED).beats.samples, VOCABULARIES["window"]
    )
    assert not of_windows.answers
    of_windows.give(0, Judgement.ABNORMAL)
    assert kept.read_bytes() == before
    assert kept.with_suffix(".review").exists()


@pytest.mark.parametrize(
    ("record", "options", "reason"),
    [
        ("bare", ["--assume-normal"], "learns classes, .* leave --assume-normal out"),
        ("bare", [], "This is no terminal, .* to judge twenty beats\\.$"),
        ("annotated", ["--generic", __file__], "has no model card"),
        ("annotated", ["--generic", str(resolve("generic", None))], "judges windows, not beats"),
    ],
)
def test_an_impossible_enrolment_of_beats_is_reported(enroll, record, options, reason):
    outcome = enroll(record, *options)
    assert isinstance(outcome.exception, EcgmonError), outcome.output
    assert outcome.exception.exit_code == 2
    with pytest.raises(EcgmonError, match=reason):
        raise outcome.exception
    assert stored().versions(WEARER) == []
