"""A new model must do no harm."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from ecgmon.core.labels import ABNORMAL
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.models.card import ScoredSpan
from replay.simulator.simulation import simulate
from tests.support.bundles import write_bundle
from trainer.data.dataset import record_set
from trainer.data.splits import ENROLMENT_S
from trainer.enrolment.gate import PANEL_LOSS, PANEL_WINDOWS, Verdict, compare
from trainer.networks.window_networks import BeatNet

GOOD = Confusion(tp=5, fp=1, tn=49, fn=0)
PANEL = Confusion(tp=90, fn=10)


@pytest.mark.parametrize(
    ("verdict", "objections"),
    [
        (Verdict(GOOD, GOOD, PANEL, PANEL), []),
        (Verdict(GOOD, None, PANEL, PANEL), []),
        (Verdict(Confusion(tn=55, fn=5), None, PANEL, PANEL), []),
        (Verdict(Confusion(tp=5, fp=2, tn=48), GOOD, PANEL, PANEL), ["98.0% of the enrolment's"]),
        (Verdict(Confusion(tn=50), Confusion(tn=49, fp=1), PANEL, PANEL), []),
        (Verdict(Confusion(), Confusion(), PANEL, PANEL), []),
        (Verdict(GOOD, GOOD, Confusion(tp=85, fn=15), PANEL), []),
        (Verdict(GOOD, GOOD, Confusion(tp=84, fn=16), PANEL), ["finds 84.0% of the panel's"]),
        (Verdict(GOOD, GOOD, PANEL, PANEL, contradicted=0.2), []),
        (
            Verdict(GOOD, GOOD, PANEL, PANEL, contradicted=0.5),
            ["no second of the enrolment is labelled normal, and the one in service calls 50%"],
        ),
        (
            Verdict(GOOD, GOOD, Confusion(tp=84, fn=16), PANEL, not_compared="ann-beatnet"),
            ["finds 84.0% of the panel's abnormal windows, the one it was made from 90.0%"],
        ),
        (Verdict(GOOD, GOOD, PANEL, PANEL, knows_less=True), ["knows no abnormal beat"]),
        (
            Verdict(Confusion(fp=9, fn=9), GOOD, Confusion(fn=100), PANEL),
            ["0.0% of the enrolment's", "finds 0.0%"],
        ),
    ],
)
def test_what_speaks_against_a_model(verdict, objections):
    assert PANEL_LOSS == 0.05
    for found, expected in zip(verdict.objections, objections, strict=True):
        assert expected in found


def test_models_are_compared_on_the_last_minute_and_on_the_panel(tmp_path):
    record = simulate("premature", duration_s=ENROLMENT_S + 30).record
    wearer = record_set(record, BeatNet.geometry, BeatNet.steps_per_second)
    sees = {"history_s": 3.0, "look_ahead_s": 0.5, "rate": 120}
    new, old = (
        Model.load(write_bundle(tmp_path / f"{level}", level=level, **sees)) for level in (0.2, 0.4)
    )
    other = replace(wearer, record="other")
    verdict = compare(new, old, wearer, [other, wearer, other])
    assert verdict.minute_new == new.card.validation.confusion
    minute = slice(ENROLMENT_S - 60, ENROLMENT_S)
    called = old.probability(wearer.inputs[minute]) >= old.card.threshold
    known = wearer.labels[minute] >= 0
    truth = wearer.labels[minute][known] == ABNORMAL
    assert verdict.minute_old == Confusion.of(truth, called[known])
    abnormal = np.flatnonzero(wearer.labels == ABNORMAL)
    assert verdict.panel_new.total == 2 * min(PANEL_WINDOWS, len(abnormal))
    assert verdict.panel_new.fp == verdict.panel_old.tn == 0
    assert verdict.panel_new.tp >= verdict.panel_old.tp

    seen = ScoredSpan(wearer.record, 0, ENROLMENT_S)
    old.card = msgspec.structs.replace(old.card, trained_on=(seen,))
    assert compare(new, old, wearer, [wearer]).minute_old is None
    assert compare(new, old, other, [wearer]).minute_old is not None


def test_a_model_fitted_to_an_overlapping_stretch_of_the_stream_is_not_judged_on_it(tmp_path):
    record = simulate("premature", duration_s=ENROLMENT_S + 30).record
    wearer = record_set(record, BeatNet.geometry, BeatNet.steps_per_second)
    sees = {"history_s": 3.0, "look_ahead_s": 0.5, "rate": 120}
    model = Model.load(write_bundle(tmp_path / "x", **sees))
    model.card = msgspec.structs.replace(
        model.card, trained_on=(ScoredSpan(wearer.record, 0, ENROLMENT_S),)
    )
    for first, judged in ((0, False), (30, False), (ENROLMENT_S - 1, True)):
        verdict = compare(model, model, wearer, [wearer], first=first)
        assert (verdict.minute_old is not None) == judged


def test_a_review_without_a_normal_second_is_compared_with_what_the_model_in_service_says(tmp_path):
    record = simulate("premature", duration_s=ENROLMENT_S + 30).record
    wearer = record_set(record, BeatNet.geometry, BeatNet.steps_per_second)
    sees = {"history_s": 3.0, "look_ahead_s": 0.5, "rate": 120}
    model = Model.load(write_bundle(tmp_path / "x", **sees))
    all_abnormal = replace(wearer, labels=np.full_like(wearer.labels, ABNORMAL))
    called = model.probability(wearer.inputs[:ENROLMENT_S]) < model.card.threshold
    assert compare(model, model, all_abnormal, [wearer]).contradicted is None
    model.card = msgspec.structs.replace(model.card, labels="review")
    assert compare(model, model, wearer, [wearer]).contradicted is None
    verdict = compare(model, model, all_abnormal, [wearer])
    assert verdict.contradicted == pytest.approx(called.mean())
