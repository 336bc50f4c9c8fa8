"""Beats of people of any database, as the monitor finds them, and as experts call them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.core.labels import AAMI_CLASSES, UNLABELLED
from ecgmon.records.find import find
from ecgmon.records.formats.wfdb.annotations import load, symbol
from ecgmon.records.read import read
from ecgmon.signal.beat_segments import BEAT_RATE, BEFORE, LENGTH, VALUES
from trainer.data.beats.causal_beats import channels, live_beats
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import MATCH, between, lead_beats, match
from trainer.data.people import people, record_names
from trainer.data.placement import Placement

samples = st.lists(st.integers(0, 3000), max_size=30, unique=True).map(
    lambda drawn: np.array(sorted(drawn), dtype=np.int64)
)


@pytest.fixture
def database(mitdb):
    """Return a function that finds a record of any database, or skips the test without it."""

    def found(name):
        record = find(name, mitdb.parent)
        return pytest.skip(f"needs {name}") if isinstance(record, str) else record

    return found


@given(samples, samples)
def test_a_mark_is_of_one_beat_at_most_and_close_by(found, marked):
    which = match(found, marked)
    own = which[which >= 0]
    assert len(set(own.tolist())) == len(own)
    assert (np.abs(marked[own] - found[which >= 0]) <= MATCH).all()
    assert (np.diff(own) > 0).all()


@given(samples, samples)
def test_a_beat_without_a_mark_has_none_near_that_is_free(found, marked):
    """Each mark within reach of it has a beat that is nearer, or as near and earlier."""
    which = match(found, marked)
    for beat in found[which < 0]:
        for mark in marked[np.abs(marked - beat) <= MATCH]:
            closest = np.abs(found - mark).min()
            nearer_mark = np.abs(marked - beat).min()
            assert (
                closest < abs(mark - beat)
                or nearer_mark < abs(mark - beat)
                or (
                    (np.abs(found - mark) == closest).sum() > 1
                    or (np.abs(marked - beat) == nearer_mark).sum() > 1
                )
            )


@given(st.lists(st.integers(2 * MATCH + 1, 900), min_size=1, max_size=20), st.data())
def test_beats_a_little_beside_their_marks_find_them(intervals, data):
    marked = np.cumsum(intervals)
    shifts = st.lists(st.integers(-MATCH, MATCH), min_size=len(marked), max_size=len(marked))
    found = marked + np.array(data.draw(shifts))
    np.testing.assert_array_equal(match(found, marked), np.arange(len(marked)))


def test_every_symbol_of_a_beat_has_a_class():
    assert set(AAMI_CLASSES.values()) == set(CLASSES)


def test_each_lead_of_a_record_is_seen_as_the_monitor_would(record):
    marks = read(record).annotations
    labelled = {
        sample // 128: CLASSES.index(AAMI_CLASSES[symbol])
        for sample, symbol in zip(marks.samples.tolist(), marks.symbols, strict=True)
        if symbol in AAMI_CLASSES
    }
    first, second = lead_beats(record)
    assert [(lead.record, lead.lead) for lead in (first, second)] == [
        ("svdb/t1", 1),
        ("svdb/t1", 2),
    ]
    for lead in (first, second):
        assert len(lead) >= 25
        assert (np.abs(lead.samples % RATE - RATE // 2) < 10).all()
        classes = [labelled.get(second, UNLABELLED) for second in (lead.samples // RATE).tolist()]
        assert lead.labels.tolist() == classes
        assert lead.inputs.shape == (len(lead), VALUES)
        assert lead.inputs.dtype == np.float32
        assert np.isfinite(lead.inputs).all()
    at = BEFORE * BEAT_RATE // RATE
    upright, turned = (lead.inputs[:, at - 10 : at + 10] for lead in (first, second))
    assert (upright.max(axis=1) > -upright.min(axis=1)).all()
    assert (turned.max(axis=1) < -turned.min(axis=1)).all()


def test_annotated_positions_are_those_of_the_recipes(record):
    """The same inputs, bit for bit, as `trainer.data.beats.causal_beats` gives of the same lead."""
    first, _ = lead_beats(record, positions="annotated")
    expected = live_beats(read(record))
    assert len(first) == 28
    np.testing.assert_array_equal(channels(first.inputs), expected.inputs)
    np.testing.assert_array_equal(first.labels, expected.labels)
    np.testing.assert_array_equal(first.samples, expected.samples)


@pytest.mark.slow
def test_a_record_of_svdb_has_the_classes_that_experts_gave(database):
    """Nearly all beats are found in both leads: of 803's 2,068 beats none and one are missed."""
    for lead in lead_beats(database("svdb/803")):
        counts = np.bincount(lead.labels[lead.labels >= 0], minlength=5)
        assert counts[[0, 2, 3]] == pytest.approx([1924, 143, 1], abs=1)


def test_records_without_classes_of_beats_have_none(database):
    """cudb calls every beat N, whatever it is; cinc2017 has no beat annotations at all."""
    for name in ("cudb/cu02", "cinc2017/A00001"):
        for lead in lead_beats(database(name)):
            assert len(lead) > 10
            assert (lead.labels == UNLABELLED).all()


def test_an_inverted_lead_has_inverted_beats(database):
    found = database("cinc2017/A00001")
    (upright,) = lead_beats(found)
    (turned,) = lead_beats(found, Placement(inverted=True))
    both = np.intersect1d(upright.samples, turned.samples)
    assert len(both) > 0.9 * len(upright)
    signal = [lead.inputs[np.isin(lead.samples, both), :LENGTH] for lead in (upright, turned)]
    np.testing.assert_array_equal(signal[1], -signal[0])


def test_every_symbol_that_occurs_is_known(mitdb):
    """Beats have a class; rhythm, noise, flutter waves, ST and T wave changes are no beats."""
    occurring = {
        symbol(mark)
        for name in record_names(people())
        if (path := mitdb.parent / f"{name}.atr").is_file()
        for mark in load(path).marks
    }
    assert {"N", "A", "S", "a", "J", "V"} <= occurring
    assert occurring - set(AAMI_CLASSES) <= set('+~|x![]"sT')


def test_a_lead_between_two_sees_what_both_see():
    rng = np.random.default_rng(5)
    heart = rng.normal(size=(2, 4000))
    heart[0, 100] = np.nan
    first, second = heart[0], 3 * heart[1]
    for angle, expected in ((0, first - np.nanmedian(first)), (90, heart[1] - np.median(heart[1]))):
        found = between(first, second, angle)[101:]
        scale = found.std() / expected[101:].std()
        np.testing.assert_allclose(found, scale * expected[101:], atol=1e-9)
    half = between(first, second, 45)
    assert np.isnan(half[100])
    assert np.corrcoef(half[101:], heart[0, 101:])[0, 1] == pytest.approx(0.707, abs=0.05)


def test_leads_between_count_on_from_those_of_the_record(record):
    leads = lead_beats(record, mixed=(45, 135))
    assert [lead.lead for lead in leads] == [1, 2, 3, 4]
    # The second lead is the first one upside down: their difference has it twice.
    np.testing.assert_array_equal(leads[3].labels, leads[0].labels)
