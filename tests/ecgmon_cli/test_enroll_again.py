"""``ecgmon enroll`` where the model in service sees the signal in another way; ``--again``."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from ecgmon.core.errors import EcgmonError
from ecgmon.core.labels import ABNORMAL, NORMAL
from ecgmon.models.bundle import Model
from ecgmon.models.card import Card, ScoredSpan
from ecgmon.models.resolve import resolve, stored
from ecgmon_cli.app import app
from ecgmon_cli.enroll import KEPT
from replay.simulator.simulation import simulate
from tests.support.beat_bundles import of_wearer
from tests.support.short_enrolments import shorten, write
from trainer.data.dataset import record_set
from trainer.enrolment import gate, sources
from trainer.enrolment.labelled import labelled
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.vocabulary import VOCABULARIES, Judgement
from trainer.enrolment.signal import take
from trainer.networks.window_networks import BeatNet

WEARER = "ann"
SECONDS = 200
PLAYED = simulate("premature", duration_s=SECONDS + 1).record
STREAM = "captured/ann/00000000000000aa"
CAPTURED = replace(PLAYED, name=f"{STREAM}-{360 * 40 + 7:019}", annotations=None)
OF_STREAM = ScoredSpan(STREAM, 40, 40 + SECONDS)
OTHERWISE = "ann-before, in service, sees the signal in another way: the new model is compared with"


@pytest.fixture(scope="module")
def prepared():
    return record_set(PLAYED, BeatNet.geometry, BeatNet.steps_per_second)


@pytest.fixture
def annotated(tmp_path):
    return write(tmp_path, "annotated", PLAYED.samples, annotations=PLAYED.annotations)


@pytest.fixture
def enroll(monkeypatch, tmp_path, prepared):
    """Return a call of the command; all other wearers are a simulated one."""
    shorten(monkeypatch, prepared)
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))

    def call(*options):
        return CliRunner().invoke(app, ["enroll", "--patient", WEARER, *options])

    return call


def serves(folder, enrolment, labels, **changes):
    """Put a model into service that sees the signal as those of 0.1.0 do."""
    before = {"name": "ann-before", "unit": "window", "enrolment": enrolment, "labels": labels}
    bundle = of_wearer(
        resolve("generic", None), folder / "old.onnx", WEARER, Card, **before | changes
    )
    stored().activate(WEARER, stored().add(WEARER, bundle))


def objecting(monkeypatch, *objections):
    monkeypatch.setattr(gate.Verdict, "objections", property(lambda _: list(objections)))


def in_service():
    return Model.load(resolve(None, WEARER)).card


@pytest.mark.thorough
def test_annotations_are_read_again_and_the_generic_model_is_compared(
    enroll, monkeypatch, tmp_path, annotated
):
    objecting(monkeypatch)
    serves(tmp_path, ScoredSpan(annotated, 0, SECONDS), "annotations")
    outcome = enroll("--again")
    assert outcome.exit_code == 0, outcome.output
    shown = " ".join(outcome.stdout.split())
    assert f"{OTHERWISE} generic-beatnet, which it was made from." in shown
    assert "generic-beatnet: wrong" in shown
    assert "Version 2 is in service for ann." in shown
    card = in_service()
    assert card.geometry == BeatNet.geometry
    assert (card.labels, card.enrolment) == ("annotations", ScoredSpan(annotated, 0, SECONDS))
    (report,) = (tmp_path / "state" / "enrolments" / WEARER).glob("*.html")
    assert OTHERWISE in report.read_text()

    once_more = enroll("--again", "--json", "-")  # now both see the same
    figures = json.loads(once_more.stdout)
    assert (figures["not_compared"], figures["minute_old"]) == (None, None)


@pytest.mark.thorough
def test_the_old_model_stays_in_service_where_the_new_one_is_worse(
    enroll, monkeypatch, tmp_path, annotated
):
    objecting(monkeypatch, "it is worse")
    serves(tmp_path, ScoredSpan(annotated, 0, SECONDS), "annotations")
    outcome = enroll("--again")
    assert outcome.exit_code == KEPT
    assert "Version 2 is kept; ann-before stays in service" in " ".join(outcome.stdout.split())
    assert in_service().name == "ann-before"


@pytest.mark.thorough
def test_a_review_is_used_again_without_asking_even_if_beats_are_found_elsewhere_now(
    enroll, monkeypatch, tmp_path
):
    objecting(monkeypatch)
    serves(tmp_path, OF_STREAM, "review")
    signal = take(CAPTURED, BeatNet, SECONDS)
    labels = np.where(np.arange(len(signal.beats)) % 10, NORMAL, ABNORMAL).astype(np.int8)
    path = sources.keep(CAPTURED, WEARER)
    kept = Judgements(path, signal.beats + 5, VOCABULARIES["window"])
    kept.give(0, Judgement.ABNORMAL)
    kept.give(1, Judgement.NORMAL)
    kept.accept(labels)
    before = kept.path.read_bytes()
    outcome = enroll("--again", "--json", "-")
    assert outcome.exit_code == 0, outcome.output
    assert kept.path.read_bytes() == before
    card = in_service()
    assert (card.labels, card.enrolment, card.unit) == ("review", OF_STREAM, "second")
    expected = labelled(signal, labels).labels
    assert card.abnormal_windows == np.sum(expected == ABNORMAL) > 10
    assert card.windows == np.sum(expected >= 0)
    assert path.with_suffix(".html").exists()


@pytest.mark.thorough
@pytest.mark.parametrize("name", [CAPTURED.name, "mitdb/no such"])
def test_what_was_assumed_normal_is_so_again(enroll, monkeypatch, tmp_path, name):
    objecting(monkeypatch)
    record = replace(CAPTURED, name=name)
    sources.keep(record, WEARER)
    stream, first = sources.origin(name)
    span = ScoredSpan(stream, first, first + SECONDS)
    serves(tmp_path, span, "assumed normal")
    outcome = enroll("--again")
    assert outcome.exit_code == 0, outcome.output
    assert (in_service().labels, in_service().enrolment) == ("assumed normal", span)


@pytest.mark.thorough
def test_any_enrolment_replaces_a_model_that_sees_otherwise_but_not_one_that_knows_more(
    enroll, monkeypatch, tmp_path, annotated
):
    serves(tmp_path, OF_STREAM, "review")
    outcome = enroll("--record", annotated, "--assume-normal", "--json", "-")
    figures = json.loads(outcome.stdout)
    assert outcome.exit_code == KEPT
    assert figures["not_compared"] == "ann-before"
    assert sum(figures["minute_old"].values()) > 30
    assert figures["objections"][-1].startswith("it knows no abnormal beat of this wearer")
    objecting(monkeypatch)
    assert enroll("--record", annotated).exit_code == 0
    assert in_service().labels == "annotations"


@pytest.mark.thorough
def test_what_is_not_there_any_more_is_reported_with_what_to_do(enroll, tmp_path, annotated):
    def refused(reason, *options):
        outcome = enroll("--again", *options)
        assert isinstance(outcome.exception, EcgmonError), outcome.output
        assert outcome.exception.exit_code == 2
        with pytest.raises(EcgmonError, match=f"{reason}.* --record, --captured or --live"):
            raise outcome.exception

    refused("No model of ann's own is in service to be made again: enrol with")
    serves(tmp_path, None, "annotations")
    refused("The card of ann-before does not say what it was made from: enrol with")
    serves(tmp_path, ScoredSpan("./gone", 0, SECONDS), "annotations")
    refused("./gone cannot be read again: enrol anew with")
    bare = write(tmp_path, "bare", PLAYED.samples)
    serves(tmp_path, ScoredSpan(bare, 0, SECONDS), "annotations")
    refused("bare has no annotations any more: enrol anew with")
    serves(tmp_path, OF_STREAM, "review")
    refused("The signal of captured/ann/00000000000000aa is not kept in .*/enrolments/ann")
    path = sources.keep(CAPTURED, WEARER)
    refused(r"\.review holds no labels that were accepted: judge")
    kept = Judgements(path, take(CAPTURED, BeatNet, SECONDS).beats, VOCABULARIES["window"])
    kept.give(3, Judgement.NORMAL)
    refused(r"\.review holds no labels that were accepted: judge")
    serves(tmp_path, ScoredSpan(STREAM, 41, 241), "assumed normal")
    refused("The signal of captured/ann/00000000000000aa is not kept in .*/enrolments/ann")
    assert "ann-before (assumed normal) are no annotations: leave" in str(
        enroll("--again", "--annotator", "ecg").exception
    )


@pytest.mark.thorough
def test_nothing_is_made_from_a_generic_bundle_of_another_unit(enroll, tmp_path, annotated):
    serves(tmp_path, ScoredSpan(annotated, 0, SECONDS), "annotations")
    old = of_wearer(resolve("generic", None), tmp_path / "generic.onnx", None, Card, unit="window")
    with pytest.raises(EcgmonError, match="was trained for a signal in other units"):
        raise enroll("--again", "--generic", str(old)).exception
    assert stored().versions(WEARER) == [1]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--record", "203"], "--live or --again, one only"),
        (["--captured"], "--live or --again, one only"),
        (["--live", "5"], "--live or --again, one only"),
        (["--review"], "takes the labels that were kept: leave --review"),
        (["--assume-normal"], "takes the labels that were kept: leave"),
        (["--afresh"], "takes the labels that were kept: leave"),
        (["--beats"], "What a model of beats was made from is not kept with it"),
    ],
)
def test_options_that_contradict_it_are_refused(enroll, options, reason):
    with pytest.raises(EcgmonError, match=reason):
        raise enroll("--again", *options).exception
