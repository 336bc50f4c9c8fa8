import numpy as np
import pytest

from ecgmon.signal.atrial_segments import BEATS, SEGMENT, AtrialBeats
from ecgmon.signal.beat_kin import BEFORE, SHIFT, START, STOP, kin

AT = np.arange(SEGMENT, dtype=np.float32)


def wave(at=25.0, width=2.0, size=1.0):
    """Return a neighbourhood with an R wave."""
    return size * np.exp(-(((AT - at) / width) ** 2)) - size / 4 * np.exp(
        -(((AT - at - 5) / 3) ** 2)
    )


def counted(before, beat):
    known = np.arange(BEFORE) < len(before)
    segments = np.zeros((1, BEFORE, SEGMENT), dtype=np.float32)
    for n, one in enumerate(before):
        segments[0, n] = one
    return int(kin(segments, beat[None].astype(np.float32), known[None])[0])


@pytest.mark.parametrize(
    ("beat", "count"),
    [
        (wave(), BEFORE),
        (wave(at=25 + SHIFT), BEFORE),
        (wave(size=1.9), BEFORE),
        (wave(size=2.2), 0),
        (wave(size=0.45), 0),
        (-wave(), 0),
        (wave(width=9.0), 0),
    ],
)
def test_beats_of_one_shape_and_about_one_size_are_kin(beat, count):
    assert counted([wave()] * BEFORE, beat) == count


def test_in_bigeminy_each_beat_has_half_of_those_before():
    ectopic = -wave(width=6.0, size=1.5)
    assert counted([wave(), ectopic] * (BEFORE // 2), wave()) == BEFORE // 2
    assert counted([wave(), ectopic] * (BEFORE // 2), ectopic) == BEFORE // 2


def test_what_is_not_known_speaks_against_nothing():
    assert counted([], wave()) == BEFORE
    assert counted([-wave()] * 3, wave()) == BEFORE - 3


def test_noise_has_few_kin():
    rng = np.random.default_rng(1)
    smooth = np.array(
        [np.convolve(rng.normal(size=SEGMENT + 4), np.ones(5) / 5, "valid") for _ in range(900)]
    )
    few = [counted(smooth[n : n + BEFORE], smooth[n + BEFORE]) for n in range(0, 891, 9)]
    assert max(few) <= 2
    assert np.mean(few) < 0.2


def test_each_row_is_compared_with_itself_however_often_its_ring_went_round():
    beats = AtrialBeats(2)

    class Filtered:
        def last(self, rows, end, n):
            turned = (rows == 1) & ((end - n) // 360 % 2 == 0)
            return np.where(turned[:, None], -1, 1) * np.repeat(wave(), n // SEGMENT)

    at, every = 90, np.array([0, 0, 1, 1])
    for many in [1, 1, 2] * BEATS:
        rows = np.repeat([0, 1], many)
        order = np.tile(np.arange(many), 2)
        beats.add(rows, order, at + 360 * order, Filtered(), np.ones(len(rows)), rows >= 0)
        at += 360 * many
    assert beats.kin(every, np.array([0, 5, 0, 1])).tolist() == [BEFORE] * 2 + [BEFORE // 2] * 2
    assert START - SHIFT >= 0
    assert STOP + SHIFT <= SEGMENT
