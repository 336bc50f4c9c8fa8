"""Beats made premature: what is cut, what moves, what stays."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainer.premature import (
    ABNORMAL_BEAT,
    COUPLING,
    FADE,
    LONGEST_S,
    NORMAL_BEAT,
    Stretch,
    premature,
)

RATE, STEPS, HISTORY, SPARE = 120, 60, 360, 60


def stretch(at, seconds=11, abnormal=(), hidden=()):
    """A signal whose sample value is its index, with beats at some steps."""
    beats = np.zeros(seconds * STEPS, np.int8)
    beats[list(at)] = NORMAL_BEAT
    beats[list(abnormal)] = ABNORMAL_BEAT
    known = np.ones(seconds * STEPS, bool)
    known[list(hidden)] = False
    signal = np.arange(HISTORY + seconds * RATE + SPARE, dtype=np.float32)
    return Stretch(signal, beats, known)


def cut(before, seed=0, run_on=0.0):
    return premature(before, RATE, STEPS, HISTORY, np.random.default_rng(seed), run_on)


@given(st.integers(24, 110), st.integers(0, 500))
def test_one_beat_comes_early_and_all_after_it_moves_with_it(interval, seed):
    at = np.arange(10, 11 * STEPS, interval)
    before = stretch(at)
    after = cut(before, seed)
    gone = len(before.beats) - len(after.beats)
    if gone == 0:
        assert after is before
        return
    assert 0 < gone <= LONGEST_S * STEPS
    early = np.flatnonzero(after.beats == ABNORMAL_BEAT)
    assert len(early) == 1
    all_beats = np.flatnonzero(after.beats)
    k = int(np.searchsorted(all_beats, early[0]))
    np.testing.assert_array_equal(all_beats[:k], at[:k])
    np.testing.assert_array_equal(all_beats[k:], at[k:] - gone)
    rr = np.diff(all_beats)
    assert COUPLING[0] * interval - 1 <= rr[k - 1] <= COUPLING[1] * interval + 1


@given(st.integers(24, 60), st.integers(0, 500))
def test_a_run_comes_early_beat_by_beat(interval, seed):
    before = stretch(range(10, 11 * STEPS, interval))
    after = cut(before, seed, run_on=0.7)
    gone = len(before.beats) - len(after.beats)
    assert 0 <= gone <= LONGEST_S * STEPS
    beats = np.flatnonzero(after.beats)
    early = np.flatnonzero(after.beats[beats] == ABNORMAL_BEAT)
    assert len(beats) == np.count_nonzero(before.beats)
    assert (gone > 0) == (len(early) > 0)
    assert (np.diff(early) == 1).all()  # one run
    rr = np.diff(beats)
    assert (rr[early - 1] <= COUPLING[1] * interval + 1).all()
    others = np.delete(rr, early - 1)
    np.testing.assert_array_equal(others, interval)


def test_runs_of_several_lengths_are_made():
    before = stretch(range(10, 11 * STEPS, 40))
    lengths = {np.sum(cut(before, seed, run_on=0.5).beats == ABNORMAL_BEAT) for seed in range(60)}
    assert {1, 2, 3} <= lengths


@given(st.integers(0, 500))
def test_signal_and_beats_move_together(seed):
    """Sample value is sample index: outside of the blend every step keeps its own samples."""
    before = stretch(range(10, 11 * STEPS, 50))
    after = cut(before, seed)
    gone = len(before.beats) - len(after.beats)
    assume(gone)
    assert len(before.signal) - len(after.signal) == gone * RATE // STEPS
    jump = np.flatnonzero(np.diff(after.signal) != 1)
    assert len(jump) <= FADE + 1
    first, last = jump[0], jump[-1] + 1
    np.testing.assert_array_equal(after.signal[: first + 1], before.signal[: first + 1])
    np.testing.assert_array_equal(after.signal[last:], before.signal[last + gone * RATE // STEPS :])
    # No beat lies in what is blended.
    blended = (np.array([first, last]) - HISTORY) * STEPS // RATE
    assert not after.beats[blended[0] : blended[1]].any()


@pytest.mark.parametrize(
    "before",
    [
        stretch([]),
        stretch([10, 60]),
        stretch([10, 60, 140, 170, 290, 330, 440, 470, 600]),
        stretch(range(10, 660, 50), abnormal=range(60, 660, 100)),
        stretch(range(10, 660, 50), hidden=range(0, 660, 2)),
    ],
    ids=["no beat", "two beats", "irregular", "bigeminy", "unknown beats"],
)
def test_where_no_regular_normal_rhythm_is_nothing_changes(before):
    for seed in range(20):
        assert cut(before, seed) is before


def test_beats_that_are_not_known_are_not_used():
    """Which beat is chosen must not depend on annotations that are hidden."""
    hidden = range(300, 420)
    visible = [step for step in range(10, 660, 50) if step not in hidden]
    for seed in range(50):
        with_them = cut(stretch(range(10, 660, 50), hidden=hidden), seed)
        without = cut(stretch(visible, hidden=hidden), seed)
        np.testing.assert_array_equal(with_them.signal, without.signal)
