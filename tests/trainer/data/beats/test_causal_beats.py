"""Beats as a live monitor has them: nothing of them is known later than half a second after."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.records.find import find
from ecgmon.records.read import read
from ecgmon.signal.beat_segments import AFTER, BEFORE, LENGTH, VALUES, beat_inputs
from trainer.data.beats.causal_beats import CHANNELS, channels, flat, inputs_at, live_beats

SCALE = np.ones(20, dtype=np.float32)


def test_the_beat_lies_a_second_from_the_start():
    signal = np.zeros(7200, dtype=np.float32)
    signal[3000] = 1
    (beat,) = beat_inputs(signal, SCALE, np.array([3000]))
    assert beat.shape == (VALUES,)
    assert abs(int(beat[:LENGTH].argmax()) - 125) <= 1
    assert channels(beat[None]).shape == (1, CHANNELS, LENGTH)
    np.testing.assert_array_equal(channels(flat(channels(beat[None]))), channels(beat[None]))


@given(st.lists(st.integers(30, 900), min_size=2, max_size=12), st.data())
def test_what_comes_later_changes_nothing(intervals, data):
    beats = np.cumsum(intervals)
    rng = np.random.default_rng(len(intervals))
    signal = rng.normal(size=9000 + AFTER).astype(np.float32)
    scale = rng.uniform(0.5, 2, 30).astype(np.float32)
    which = data.draw(st.integers(0, len(beats) - 1))
    end = beats[which] + AFTER
    later = signal.copy()
    later[end:] += 5
    scale_later = scale.copy()
    scale_later[max(end // 360, 1) :] *= 2
    from_all = beat_inputs(signal, scale, beats)[which]
    cut = beat_inputs(later, scale_later, beats[: which + 1])[which]
    np.testing.assert_allclose(from_all, cut, atol=1e-6)


def test_intervals_are_given_in_units_of_the_usual_one():
    beats = np.cumsum([360, *[288] * 12, 144, 432, 288])
    inputs = channels(beat_inputs(np.zeros(9000, np.float32), SCALE.repeat(2), beats))
    constant = inputs[:, 2:, 0]
    assert (inputs[:, 2:] == constant[:, :, None]).all()
    regular, early, late = constant[12], constant[13], constant[14]
    assert regular == pytest.approx([0, 0, 0], abs=1e-6)
    assert constant[0] == pytest.approx([0, 0, 0])
    assert constant[1] == pytest.approx([0, 0, 0], abs=1e-6)
    usual = (7 * 0.8 + 0.4) / 8
    assert early == pytest.approx([0.4 / usual - 1, 0.8 / usual - 1, usual - 0.8], abs=1e-6)
    usual = (6 * 0.8 + 0.4 + 1.2) / 8
    assert late == pytest.approx([1.2 / usual - 1, 0.4 / usual - 1, usual - 0.8], abs=1e-6)


def test_a_beat_unlike_those_before_it_differs_from_the_usual_one():
    beats = 500 + 300 * np.arange(50)
    signal = np.zeros(17000, dtype=np.float32)
    signal[beats] = 1
    signal[beats[40]] = -1
    inputs = channels(beat_inputs(signal, SCALE.repeat(3), beats))
    unlike = np.abs(inputs[:, 1]).max(1)
    assert unlike[40] > 0.3
    # A beat has the one before in sight, so the next one differs too.
    assert np.delete(unlike[5:], [35, 36]).max() < 0.02


def test_no_beats_have_no_inputs():
    none = np.zeros(0, dtype=np.int64)
    assert beat_inputs(np.ones(1000, np.float32), SCALE, none).shape == (0, VALUES)


def test_a_beat_at_either_end_of_a_record_is_filled_with_zeros():
    inputs = channels(beat_inputs(np.ones(1000, np.float32), SCALE, np.array([0, 999])))
    assert np.isfinite(inputs).all()
    assert np.abs(inputs[0, 0, :100]).max() < 1e-3
    assert np.abs(inputs[1, 0, 150:]).max() < 1e-3
    assert BEFORE == 360


@pytest.mark.thorough
def test_a_real_records_beats_are_all_there_and_annotated(mitdb):
    record = read(find("208", mitdb.parent))
    beats = live_beats(record)
    assert beats.counts.tolist() == [1586, 2, 992, 373, 2]
    assert np.isfinite(beats.inputs).all()
    some = beats.samples[100:140]
    # Intervals and the usual beat come from the beats given; the signal is the same.
    again = channels(inputs_at(record, some))
    np.testing.assert_array_equal(again[:, 0], beats.inputs[100:140, 0])
