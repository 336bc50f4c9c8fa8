"""The usual beat: what most beats look like, whatever their size and wherever their peak lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE, BEATS, SEGMENT
from ecgmon.signal.offline import process_records, windows_and_beats
from ecgmon.signal.usual_beat import FEWEST, SAMPLES, likeness, middle, usual_beat
from replay.simulator.simulation import simulate

SEES = Geometry(history_s=3, look_ahead_s=0.5, rate=120)
AT = np.arange(SEGMENT) - 30.0
NARROW = np.exp(-((AT / 3) ** 2)) - 0.3 * np.exp(-(((AT - 5) / 2) ** 2))
WIDE = np.exp(-(((AT - 2) / 6) ** 2)) - 0.8 * np.exp(-(((AT + 6) / 4) ** 2))


def last(beats, noise=0.02, seed=1):
    """Return the last beats of a row, of some shapes, as a chain hands them out."""
    made = np.zeros(ATRIAL_SHAPE, dtype=np.float32)
    if beats:
        x = np.stack(beats)
        x = x + np.random.default_rng(seed).normal(0, noise, x.shape)
        made[-len(beats) :, :SEGMENT] = x
        made[-len(beats) :, SEGMENT + 2 :] = 1
    return made


def test_it_is_of_mean_zero_and_length_one():
    found = usual_beat(last([NARROW] * BEATS))
    assert found.shape == (SAMPLES,)
    assert found.mean() == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("every", [3, 4, 8])
def test_ectopic_beats_hardly_change_it(every):
    mixed = [WIDE if i % every == 1 else NARROW for i in range(BEATS)]
    alone, with_others = usual_beat(last([NARROW] * BEATS)), usual_beat(last(mixed))
    assert likeness(with_others, alone) > 0.99


def test_where_no_shape_is_that_of_most_beats_none_is_usual():
    assert usual_beat(last([WIDE, -NARROW] * (BEATS // 2))) is None
    assert usual_beat(last([0 * NARROW] * BEATS, noise=1.0)) is None
    assert usual_beat(last([])) is None


@pytest.mark.parametrize("beats", [FEWEST - 1, FEWEST])
def test_some_beats_in_seconds_of_signal_are_needed(beats):
    found = last([NARROW] * BEATS)
    found[beats:, SEGMENT + 2] = 0  # these are in noise
    assert (usual_beat(found) is None) == (beats < FEWEST)


@given(st.floats(0.05, 20), st.integers(-2, 2), st.floats(-1, 1))
def test_neither_size_nor_level_nor_a_peak_found_elsewhere_makes_another_beat(size, shift, level):
    now = usual_beat(last([size * np.roll(NARROW, shift) + level] * BEATS, noise=0))
    assert likeness(now, usual_beat(last([NARROW] * BEATS, noise=0))) > 0.99


def test_another_shape_is_another_beat():
    narrow, wide = (usual_beat(last([shape] * BEATS)) for shape in (NARROW, WIDE))
    assert likeness(narrow, wide) < 0.8
    assert likeness(-narrow, narrow) < 0.5


def test_a_record_has_one_for_each_whole_minute():
    together = np.stack(
        [simulate("premature", seed=s, duration_s=185).record.millivolts() for s in (1, 2)]
    )
    together[1, 60 * RATE : 120 * RATE] = np.nan
    alone = process_records(together, SEES)
    for row, (windows, usual) in enumerate(windows_and_beats(together, SEES)):
        np.testing.assert_array_equal(windows.inputs, alone[row].inputs)
        assert usual.shape == (3, SAMPLES)
        assert np.isfinite(usual).all(axis=1).tolist() == [True, row == 0, True]
        assert likeness(usual[2], usual[0]) > 0.99
        assert likeness(np.array(middle(usual), dtype=np.float32), usual[0]) > 0.99


def test_the_middle_of_none_is_none():
    assert middle(np.full((2, SAMPLES), np.nan, dtype=np.float32)) == ()
    assert middle(np.zeros((0, SAMPLES), dtype=np.float32)) == ()
