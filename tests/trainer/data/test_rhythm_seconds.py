"""Seconds with the rhythm that experts annotated, as a monitor's rhythm model sees them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import UNLABELLED
from ecgmon.records import Record
from ecgmon.records.converted import read_converted
from ecgmon.records.fetch import obtain
from ecgmon.signal import SignalChain
from ecgmon.signal.geometry import RHYTHM
from trainer.data import rhythm_seconds
from trainer.data.people import Person
from trainer.data.rhythm_seconds import (
    FIBRILLATION,
    NO_FIBRILLATION,
    OTHER,
    TACHYCARDIA,
    lead_seconds,
    seconds_of,
    share_of_seconds,
)

SECONDS = 12


def record(*marks, name="vfdb/1"):
    samples, symbols, notes = zip(*marks, strict=True)
    annotations = Annotations(np.array(samples, dtype=np.int64), symbols, notes)
    counts = np.zeros(SECONDS * RATE, dtype=np.int16)
    return Record(name, "1", float(RATE), 200.0, "II", counts, annotations)


def labels(*marks, name="vfdb/1"):
    return rhythm_seconds._labels(record(*marks, name=name), SECONDS).tolist()


def test_a_second_has_the_rhythm_that_fills_it():
    found = labels((0, "+", "(N"), (4 * RATE + 100, "+", "(VFL"), (8 * RATE, "+", "(VT"))
    assert found == [OTHER] * 4 + [UNLABELLED] + [FIBRILLATION] * 3 + [TACHYCARDIA] * 4


def test_noise_has_no_label_whatever_rhythm_goes_on_under_it():
    found = labels((0, "+", "(VT"), (2 * RATE + 9, "+", "(NOISE"), (5 * RATE, "+", "(VT"))
    assert found == [TACHYCARDIA] * 2 + [UNLABELLED] * 3 + [TACHYCARDIA] * 7


def test_outside_of_marked_fibrillation_cudb_may_have_a_tachycardia():
    found = labels((3 * RATE, "[", ""), (6 * RATE, "]", ""), name="cudb/cu01")
    assert found == [NO_FIBRILLATION] * 3 + [FIBRILLATION] * 3 + [NO_FIBRILLATION] * 6


def test_three_ventricular_beats_in_three_seconds_may_be_a_tachycardia():
    beats = [(at * 120, "V", "") for at in range(9, 12)] + [(9 * RATE, "V", "")]
    found = labels(*beats, name="svdb/800")
    assert found == [OTHER] * 3 + [UNLABELLED] * 3 + [OTHER] * 6


@given(st.lists(st.integers(0, 5 * WINDOW), unique=True, min_size=2, max_size=8).map(sorted))
def test_shares_of_seconds_add_up(edges):
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    inside = np.zeros(6 * WINDOW, dtype=bool)
    for start, stop in spans:
        inside[start:stop] = True
    wanted = inside[: 4 * WINDOW].reshape(4, WINDOW).mean(axis=1)
    np.testing.assert_allclose(share_of_seconds(spans, 4), wanted, atol=1e-12)


@pytest.mark.thorough
def test_of_a_real_record_they_are_what_a_monitor_cuts_and_are_kept(mitdb, tmp_path, monkeypatch):
    found = obtain("mitdb/207", data=mitdb.parent)
    first, second = lead_seconds(found)
    whole = read_converted("mitdb/207", data=mitdb.parent)
    chain, row = SignalChain(RHYTHM, 1), np.zeros(1, dtype=np.intp)
    rhythms = chain.push(row, whole.millivolts()[None]).rhythms
    np.testing.assert_array_equal(first.inputs, rhythms.inputs.astype(np.float16))
    np.testing.assert_array_equal(first.settled, rhythms.settled)
    assert (first.labels == FIBRILLATION).sum() > 120
    np.testing.assert_array_equal(first.labels, second.labels)
    person = Person("mitdb", ("mitdb/207",), chooses=False, fold=0)
    made = seconds_of(person, tmp_path, mitdb.parent)
    monkeypatch.setattr(rhythm_seconds, "lead_seconds", None)  # asked again, nothing is prepared
    kept = seconds_of(person, tmp_path, mitdb.parent)
    assert len(kept) == 2
    for one, other in zip(made, kept, strict=True):
        for name in ("inputs", "settled", "labels"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert replace(whole, annotations=None).annotations is None
