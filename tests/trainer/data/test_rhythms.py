"""Rhythms made: what is cut, what moves, what stays."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainer.data.rhythms import (
    ABNORMAL_BEAT,
    AFTER_T_S,
    BEFORE_P_S,
    COUPLING,
    FADE,
    FASTER,
    LONGEST_S,
    NORMAL_BEAT,
    SHORTER_S,
    VARIATION,
    Stretch,
    faster,
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


def quicken(before, seed):
    return faster(before, RATE, STEPS, HISTORY, np.random.default_rng(seed))


@given(st.integers(24, 110), st.integers(0, 500))
def test_a_faster_rhythm_keeps_its_beats_and_shortens_all_pauses_alike(interval, seed):
    before = stretch(range(10, 17 * STEPS, interval), seconds=17)
    after = quicken(before, seed)
    gone = len(before.beats) - len(after.beats)
    assert 0 <= gone <= SHORTER_S * STEPS
    at = np.flatnonzero(after.beats)
    assert after.beats[at].tolist() == [NORMAL_BEAT] * np.count_nonzero(before.beats)
    rr = np.diff(at) / interval
    assert (rr >= FASTER[0] - 5 * VARIATION - 1 / interval).all()
    assert (rr <= 1).all()
    assert np.ptp(rr) <= 10 * VARIATION + 1 / interval


def test_rhythms_are_made_up_to_a_quarter_faster():
    before = stretch(range(10, 17 * STEPS, 60), seconds=17)
    shares = [
        np.diff(np.flatnonzero(quicken(before, seed).beats)).mean() / 60 for seed in range(99)
    ]
    assert min(shares) < 0.75
    assert max(shares) > 0.97


@given(st.integers(0, 500))
def test_a_faster_rhythm_keeps_every_beat_with_its_p_wave_and_t_wave(seed):
    """Sample value is sample index: around each beat the signal is the one it had."""
    before = stretch(range(10, 17 * STEPS, 60), seconds=17)
    after = quicken(before, seed)
    per_step = RATE // STEPS
    p_wave = int(BEFORE_P_S[0] * RATE) - FADE - per_step
    t_wave = int(AFTER_T_S * RATE) - per_step
    pairs = zip(np.flatnonzero(before.beats), np.flatnonzero(after.beats), strict=True)
    for old, new in list(pairs)[:-1]:
        mine = slice(HISTORY + per_step * new - p_wave, HISTORY + per_step * new + t_wave)
        shift = (old - new) * per_step
        np.testing.assert_array_equal(
            after.signal[mine], before.signal[mine.start + shift : mine.stop + shift]
        )


def test_pauses_of_abnormal_and_of_unknown_beats_stay():
    at = list(range(10, 17 * STEPS, 60))
    abnormal = at[5]
    unknown = at[10]
    before = stretch(at, 17, abnormal=[abnormal], hidden=range(unknown - 20, unknown + 20))
    for seed in range(30):
        after = quicken(before, seed)
        beats = np.flatnonzero(after.beats)
        assert np.diff(beats)[4:6].tolist() == [60, 60]
        assert len(beats) == len(at)
        known = np.flatnonzero(~after.known)
        assert len(known) == 40
        assert known[0] - beats[9] == 40
        assert beats[11] - known[-1] == 41
