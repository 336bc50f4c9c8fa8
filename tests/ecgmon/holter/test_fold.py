"""Folded totals against a plain recomputation, on random labels and on annotated people."""

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.labels import AAMI_CLASSES
from ecgmon.holter import totals as totals_module
from ecgmon.holter.fold import BeatFold
from ecgmon.records.find import find
from ecgmon.records.read import read
from tests.support import totals_oracle as oracle

HOUR = 3600 * 360
LABELS = st.lists(
    st.sampled_from(
        ["NVNVNV", "NNVNNVNNV", "NV", "NNV", "VVV", "SSS", "VV", "F", "S", "Q", "N", 9 * "N", "|"]
    ),
    max_size=25,
).map("".join)


def folded(events):
    fold = BeatFold()
    for at, label, rr in events:
        if label is None:
            fold.interrupt()
        else:
            fold.beat(at, label, rr, at // HOUR)
    fold.interrupt()
    return fold.totals


def as_the_oracle(totals):
    return {
        "classes": totals.classes,
        "ventricular": astuple(totals.ventricular),
        "supraventricular": astuple(totals.supraventricular),
        "bigeminy": astuple(totals.bigeminy),
        "trigeminy": astuple(totals.trigeminy),
        "r_on_t": totals.r_on_t,
        "pauses": totals.pauses,
        "longest_rr": totals.longest_rr,
        "rate": astuple(totals.rate),
    }


@st.composite
def recordings(draw):
    """Beats and interruptions (``|``); of a few beats nobody knows what was before."""
    events, at = [], 0
    letters = draw(LABELS)
    usual = 20 * draw(st.integers(8, 25))
    intervals = [usual, usual, usual, usual, usual * 9 // 20, 140, 720, 1440, 1600]
    for label in letters:
        interval = draw(st.sampled_from(intervals))
        named = draw(st.integers(0, 9))
        at += interval
        if label == "|":
            events.append((at, None, None))
        else:
            rr = None if named == 0 or interval > 1440 or not events else interval
            events.append((at, label, rr))
    return events


@given(recordings())
def test_the_fold_counts_what_a_plain_recomputation_counts(events):
    assert as_the_oracle(folded(events)) == oracle.totals(events)


@given(recordings())
def test_the_hours_add_up(events):
    stretched = [(at * 60, label, rr and rr * 60) for at, label, rr in events]
    totals = folded(stretched)
    hours = totals.hours.values()
    assert sum((hour.classes for hour in hours), start=type(totals.classes)()) == totals.classes
    assert sum(hour.rate.samples for hour in hours) == totals.rate.samples
    assert set(totals.hours) == {at // HOUR for at, label, _ in stretched if label is not None}


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(totals_module, "MOST_HOURS", 3)
    totals = folded([(hour * HOUR, "N", None) for hour in range(10)])
    assert list(totals.hours) == [7, 8, 9]
    assert totals.classes["N"] == 10


# From the annotations: counts of V, F and S; couplets, runs, beats in runs, the longest
# and the fastest; episodes of bigeminy and trigeminy; pauses, R on T.
GOLDEN = {
    "200": ((826, 2, 30), (42, 7, 23, 4, 141.2), (1, 0, 0, 0, None), (84, 0), (0, 0)),
    "207": ((210, 0, 107), (5, 3, 111, 105, 153.2), (1, 1, 104, 104, 121.1), (5, 0), (2, 1)),
    "208": ((992, 373, 2), (461, 7, 21, 3, 130.9), (0, 0, 0, 0, None), (3, 51), (1, 0)),
    "232": ((0, 0, 1382), (0, 0, 0, 0, None), (82, 176, 1200, 36, 99.0), (0, 0), (116, 0)),
    "233": ((831, 11, 7), (60, 6, 18, 3, 145.9), (0, 0, 0, 0, None), (30, 3), (0, 0)),
}


def annotated(mitdb, record):
    """Annotated beats of a record; flutter is annotated in waves and interrupts."""
    annotations = read(find(str(mitdb / record))).annotations
    events, before = [], None
    for at, symbol in zip(annotations.samples.tolist(), annotations.symbols, strict=True):
        if symbol in "[!]":
            events.append((at, None, None))
            before = None
        elif symbol in AAMI_CLASSES:
            events.append((at, AAMI_CLASSES[symbol], None if before is None else at - before))
            before = at
    return events


@pytest.mark.parametrize("record", GOLDEN)
def test_annotated_records_have_known_totals(mitdb, record):
    events = annotated(mitdb, record)
    totals = folded(events)
    assert as_the_oracle(totals) == oracle.totals(events)
    classes, ventricular, supraventricular, cycles, others = GOLDEN[record]
    assert tuple(totals.classes[label] for label in "VFS") == classes
    assert astuple(totals.ventricular) == (*ventricular[:4], pytest.approx(ventricular[4], abs=0.1))
    fastest = totals.supraventricular.fastest
    assert astuple(totals.supraventricular)[:4] == supraventricular[:4]
    assert fastest == (supraventricular[4] and pytest.approx(supraventricular[4], abs=0.1))
    assert (totals.bigeminy.episodes, totals.trigeminy.episodes) == cycles
    assert (totals.pauses, totals.r_on_t) == others
