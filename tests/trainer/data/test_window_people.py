"""People of all databases as sets of windows: who teaches and chooses on a split, and what."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.labels import UNLABELLED
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from trainer.data import people
from trainer.data.dataset import RecordSet, record_set
from trainer.data.rhythms import ABNORMAL_RHYTHM, NORMAL_RHYTHM
from trainer.data.window_leads import kept_leads
from trainer.data.window_people import (
    AROUND_S,
    BLOCKED,
    KINDS,
    SHORTEST_S,
    UNSURE,
    around,
    beside,
    calm,
    choosers,
    judged,
    names,
)
from trainer.networks.window_networks import BeatNet

GEOMETRY = BeatNet.geometry


def record_of(name, seconds, rhythm=(), calm=()):
    """Return a record whose stream counts samples, with a rhythm in some seconds."""
    beats = np.zeros((seconds, 60), np.int8)
    beats[list(calm)] = NORMAL_RHYTHM
    beats[list(rhythm)] = ABNORMAL_RHYTHM
    samples = GEOMETRY.rate * (seconds - 1) + GEOMETRY.inputs
    return RecordSet(
        name,
        name.rpartition("/")[2],
        GEOMETRY,
        stream=np.arange(samples, dtype=np.float32),
        scale=np.ones(seconds, np.float32),
        labels=np.full(seconds, UNLABELLED, np.int8),
        beats=beats,
        unsettled=np.arange(3),
    )


@given(st.integers(1, 200), st.lists(st.integers(0, 199), max_size=60))
def test_pieces_hold_every_second_of_a_rhythm_once_with_what_lies_around(seconds, rhythm):
    rhythm = sorted({second for second in rhythm if second < seconds})
    record = record_of("vfdb/418", seconds, rhythm)
    pieces = around(record)
    held = [piece.first + i for piece in pieces for i in range(len(piece))]
    assert set(rhythm) <= set(held) or seconds < SHORTEST_S
    for piece in pieces:
        assert len(piece) >= SHORTEST_S
        part = slice(piece.first, piece.first + len(piece))
        np.testing.assert_array_equal(piece.inputs, record.inputs[part])
        assert piece.taught.any()
        first = next(second for second in rhythm if second >= piece.first)
        assert first - piece.first <= AROUND_S + SHORTEST_S


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=6))
def test_calm_pieces_are_the_runs_of_normal_seconds_that_are_long_enough(runs):
    seconds = np.concatenate([[False], *(np.full(n, is_calm) for is_calm, n in runs), [False]])
    record = record_of("vfdb/418", len(seconds), calm=np.flatnonzero(seconds))
    pieces = calm(record)
    for piece in pieces:
        part = slice(piece.first, piece.first + len(piece))
        assert seconds[part].all()
        assert not seconds[part.start - 1]
        assert not seconds[part.stop]
        assert len(piece) >= SHORTEST_S
    edges = np.flatnonzero(np.diff(seconds.astype(int))).reshape(-1, 2)
    assert len(pieces) == sum(stop - start >= SHORTEST_S for start, stop in edges)
    assert calm(replace(record, record=sorted(UNSURE)[0])) == []


def everybody():
    every = names(KINDS)
    return {name: [record_of(name, 80, range(20, 40), range(45, 75))] for name in every}


@pytest.mark.parametrize("number", range(5))
def test_nobody_who_is_judged_or_chooses_teaches(number):
    sides, sets = people.fold(number), everybody()
    teaching = {s.record for each in beside(sides, sets, KINDS).values() for s in each}
    choosing = {s.record for s in choosers(sides, sets, KINDS)}
    databases = [name for each in KINDS.values() for name in each]
    those = {s.record for s in judged(sides, sets, databases)}
    assert all((teaching, choosing, those))
    assert not teaching & (choosing | those)
    assert not choosing & those
    assert not teaching & BLOCKED
    assert BLOCKED & (choosing | those)
    assert choosing <= {name for p in people.people() if p.chooses for name in p.records}


def test_over_all_folds_everybody_is_judged_once():
    sets = everybody()
    each = [s.record for n in range(5) for s in judged(people.fold(n), sets, ["svdb", "cudb"])]
    expected = [r for p in people.people() if p.database in ("svdb", "cudb") for r in p.records]
    assert sorted(each) == sorted(expected)


def test_a_network_without_other_people_has_none():
    assert beside(people.shipped(), {}, ()) == {}
    assert choosers(people.shipped(), {}, ()) == []


@pytest.mark.thorough
def test_the_lead_that_a_monitor_judges_comes_first_and_iskept_leads(mitdb, tmp_path):
    found = obtain("114")  # its second signal is lead II
    sets = kept_leads(found, BeatNet, tmp_path)
    judged_lead = read(found)
    expected = record_set(judged_lead, GEOMETRY, BeatNet.steps_per_second)
    assert judged_lead.lead == "MLII"
    assert len(sets) == 2
    for name in ("stream", "labels", "beats", "unsettled", "inputs"):
        np.testing.assert_array_equal(getattr(sets[0], name), getattr(expected, name))
    assert not np.array_equal(sets[0].stream, sets[1].stream)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    again = kept_leads(found, BeatNet, tmp_path)
    assert file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(again[1].inputs, sets[1].inputs)
    other = replace(GEOMETRY, unit="window")

    class Other(BeatNet):
        geometry = other

    assert kept_leads(found, Other, tmp_path)[0].own_units is not None
