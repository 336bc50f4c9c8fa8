"""A new model of beats must do no harm."""

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.labels import UNLABELLED
from ecgmon.models.card import ScoredSpan
from ecgmon.signal.beat_segments import VALUES
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.enrolment.own_beats.gate import PANEL_BEATS, BeatVerdict, compare, last_minute, right
from trainer.enrolment.own_beats.signal import BeatSignal

N, S, V, F = (CLASSES.index(name) for name in "NSVF")


def counts(**of):
    """Counts such as ``counts(NN=50, VN=1)``: 50 normal beats called so, one V called N."""
    table = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    for name, number in of.items():
        table[CLASSES.index(name[0]), CLASSES.index(name[1])] = number
    return tuple(map(tuple, table.tolist()))


GOOD = counts(NN=60, NV=1, VV=5)
PANEL = counts(VV=90, VN=10, SS=80, SN=20)


@pytest.mark.parametrize(
    ("verdict", "objections"),
    [
        (BeatVerdict(GOOD, GOOD, PANEL, PANEL), []),
        (BeatVerdict(counts(NV=61), None, PANEL, PANEL), []),
        (BeatVerdict(counts(NN=61, VV=4, VN=1), GOOD, PANEL, PANEL), ["90.0% of the enrolment's"]),
        (BeatVerdict(counts(), counts(), PANEL, PANEL), []),
        (BeatVerdict(GOOD, GOOD, counts(VV=80, VN=20, SS=80, SN=20), PANEL), []),
        (
            BeatVerdict(GOOD, GOOD, counts(VV=78, VN=22, SS=80, SN=20), PANEL),
            ["finds 79.0% of the panel's ectopic beats (mean over V and S), the one in service 85"],
        ),
        (BeatVerdict(GOOD, GOOD, counts(VV=90, VS=10, SV=100), PANEL), ["finds 45.0%"]),
        (
            BeatVerdict(GOOD, GOOD, PANEL, PANEL, contradicted=0.5),
            ["no beat of the enrolment is labelled normal, and the one in service calls 50%"],
        ),
        (BeatVerdict(GOOD, GOOD, PANEL, PANEL, contradicted=0.2), []),
    ],
)
def test_what_speaks_against_a_model_of_beats(verdict, objections):
    for found, expected in zip(verdict.objections, objections, strict=True):
        assert expected in found


def test_what_is_right_is_a_mean_over_the_classes_there_are():
    assert right(counts()) == 1
    assert right(counts(NN=99, NV=1, VN=1)) == pytest.approx(0.495)


class Calls:
    """A model that calls every beat the class that its first number says."""

    def __init__(self, trained_on=()):
        self.card = self
        self._trained_on = trained_on

    def has_seen(self, record, second):
        return any(s.record == record and s.start <= second < s.stop for s in self._trained_on)

    def probability(self, inputs):
        return np.eye(len(CLASSES), dtype=np.float32)[inputs[:, 0].astype(int)]


def beats_of(labels, called, record="ann", every=RATE):
    labels = np.array(labels, dtype=np.int8)
    inputs = np.zeros((len(labels), VALUES), dtype=np.float32)
    inputs[:, 0] = called
    at = np.arange(len(labels)) * every
    return LeadBeats(record, 1, at, labels, np.ones(len(labels), dtype=bool), inputs)


def signal_of(labels, called, first=0):
    beats = beats_of(labels, called)
    return BeatSignal(beats, np.zeros(len(labels), np.int8), np.zeros(1, np.float32), first)


def test_models_are_compared_on_the_last_minute_and_on_the_panel():
    labels = [N] * 240 + [N] * 40 + [V] * 10 + [F] * 5 + [UNLABELLED] * 5
    signal = signal_of(labels, [N] * 285 + [V] * 15)
    assert last_minute(signal).sum() == 55
    panel = [beats_of([N] * 9 + [V] * 200 + [S] * 3, [V] * 212, record) for record in ("a", "b")]
    verdict = compare(Calls(), GOOD, Calls(), signal, "annotations", panel)
    assert verdict.minute_new == GOOD
    assert verdict.minute_old == counts(NN=40, VN=5, VV=10)  # a fusion beat is one of class V
    assert verdict.panel_new == verdict.panel_old == counts(VV=2 * PANEL_BEATS, SV=6)
    assert verdict.contradicted is None


@pytest.mark.parametrize(("first", "judged"), [(0, False), (59, False), (60, True)])
def test_a_model_in_service_is_not_judged_on_what_it_was_fitted_to(first, judged):
    signal = signal_of([N] * 300, [N] * 300, first=first)
    old = Calls([ScoredSpan("ann", 0, 300)])
    verdict = compare(Calls(), GOOD, old, signal, "annotations", [])
    assert (verdict.minute_old is not None) == judged


def test_a_review_without_a_normal_beat_is_held_against_the_model_in_service():
    signal = signal_of([V] * 200 + [UNLABELLED] * 100, [N] * 150 + [V] * 150)
    for labels, share in (("review", 0.75), ("annotations", None)):
        assert compare(Calls(), GOOD, Calls(), signal, labels, []).contradicted == share
