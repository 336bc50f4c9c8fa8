"""Context of beats: the numbers are those of a plain recomputation over all beats so far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import rr_context, shape_context
from ecgmon.signal.beat_segments import BEAT_RATE, LENGTH
from ecgmon.signal.rr_context import RRContext
from ecgmon.signal.shape_context import MEMORY, P_WAVE, QRS, ShapeContext

intervals = st.lists(st.integers(20, 1500), min_size=1, max_size=150)


def contexts(beats):
    context = RRContext()
    return [context.add(int(beat)) for beat in beats], context


def shape(context, number, signal, rhythm):
    """Return what the one row of a context says of its next beat."""
    row, beats = np.zeros(1, dtype=np.intp), np.array([number])
    last, usual = np.array([rhythm.last]), np.array([rhythm.usual])
    return context.add(row, beats, signal[None], last, usual)[0]


def plain(logs):
    """What all intervals so far say of the latest beat; the first one is an ordinary one."""
    last = logs[-1]
    usual, minutes = np.median(logs[-32:]), logs[-128:]
    shares = np.quantile(minutes, [0.1, 0.25, 0.75, 0.9])
    changes = np.diff(logs)
    recent = changes[-32:] if len(changes) else np.zeros(1)
    far = changes[-64:] if len(changes) else np.zeros(1)
    turns = np.sum(recent[:-1] * recent[1:] < 0)
    before = [value - usual for value in logs[-2:-8:-1]]
    return [
        *(last - np.median(logs[-window:]) for window in (8, 32, 128, 1024)),
        usual - np.log(0.8),
        *(shares - usual),
        last - shares[0],
        last - shares[3],
        5 * np.median(np.abs([0.0, *changes][-32:])),
        None,  # what is early depends on what was usual then: see below
        None,
        min(len(logs) - 1, 128) / 128,
        *before,
        *[0.0] * (6 - len(before)),
        np.mean(np.abs(recent) < 0.04),
        np.mean(np.abs(far) > 0.12),
        turns / len(recent),
    ]


@given(intervals)
@settings(max_examples=30)
def test_the_rhythm_of_each_beat_is_that_of_all_intervals_so_far(between):
    beats = 1000 + np.cumsum([0, *between])
    found, _ = contexts(beats)
    seconds = np.clip([0.8, *np.diff(beats) / RATE], 0.15, 3)
    logs = np.log(seconds).tolist()
    for number, described in enumerate(found, start=1):
        assert len(described) == rr_context.VALUES
        for value, expected in zip(described, plain(logs[:number]), strict=True):
            if expected is not None:
                assert value == pytest.approx(expected, abs=1e-9)


def test_early_beats_and_changes_are_counted():
    """Bigeminy: each second beat is early against the usual one and the ninth decile."""
    found, _ = contexts(np.cumsum([0, *[180, 396] * 60]))
    late, early = found[-1], found[-2]
    names = slice(11, 14)
    change, share_early, share_short = early[names]
    assert change == pytest.approx(5 * np.log(396 / 180), abs=1e-6)
    assert share_early == pytest.approx(0.5, abs=0.02)
    assert share_short == pytest.approx(0.5, abs=0.02)
    assert early[0] < -0.3 < 0.3 < late[0]


def test_a_fast_rhythm_is_early_against_minutes_for_as_long_as_they_know():
    """A supraventricular tachycardia of a minute: only the longest window still knows what was."""
    found, context = contexts(np.cumsum([0, *[300] * 700, *[150] * 140]))
    latest = found[-1]
    assert latest[:3] == pytest.approx([0, 0, 0], abs=1e-9)
    assert latest[3] == pytest.approx(-np.log(2), abs=1e-9)
    assert context.usual == pytest.approx(np.log(150 / RATE))


@given(st.integers(0, 2**32 - 1), st.integers(1, MEMORY + 40))
@settings(max_examples=20)
def test_a_shape_is_compared_with_those_of_the_beats_before(seed, n):
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(3, LENGTH))
    signals = kinds[rng.integers(0, 3, n)] + rng.normal(0, 0.05, (n, LENGTH))
    signals = signals.astype(np.float32)
    logs = np.log(np.clip([0.8, *rng.uniform(0.3, 1.5, n - 1)], 0.15, 3))
    beats = np.rint(np.cumsum(np.exp(logs)) * RATE).astype(int)
    rhythm, context = RRContext(), ShapeContext(1)
    early, usuals, lasts = [], [], []
    for number, (beat, signal) in enumerate(zip(beats.tolist(), signals, strict=True)):
        rhythm.add(beat)
        described = shape(context, number, signal, rhythm)
        assert len(described) == shape_context.VALUES
        early.append(rhythm.last - rhythm.usual)
        usuals.append(rhythm.usual)
        lasts.append(rhythm.last)
    past = signals[max(n - 1 - MEMORY, 0) : n - 1]

    def level(of, part):
        return of[..., part] - of[..., part].mean(axis=-1, keepdims=True)

    size = np.linalg.norm(level(signals[-1], QRS))
    assert described[1] == pytest.approx(size / 5, rel=1e-4)
    if not len(past):
        assert described[2:5].tolist() == [0, 0, 0]
        return
    sizes = np.linalg.norm(level(past, QRS), axis=1)
    far = 2 * np.linalg.norm(level(past, QRS) - level(signals[-1], QRS), axis=1) / (sizes + size)
    alike = np.exp(-((far / 0.3) ** 2))
    start = n - 1 - len(past)
    followed = np.array(lasts[start + 1 : n]) - np.array(usuals[start : n - 1])
    assert described[2] == pytest.approx(alike.mean(), abs=2e-3)
    total = alike.sum() + 0.5
    assert described[3] == pytest.approx(alike @ early[start : n - 1] / total, abs=5e-3)
    assert described[4] == pytest.approx(alike @ followed / total, abs=5e-3)
    assert described[5] == pytest.approx(far.min(), abs=2e-3)
    p_far = np.linalg.norm(level(past, P_WAVE) - level(signals[-1], P_WAVE), axis=1)
    assert described[9] == pytest.approx(p_far.min(), abs=2e-3)
    assert described[11] == pytest.approx(far[-1], abs=2e-3)


def test_p_waves_are_alike_where_there_are_some():
    """Sinus rhythm has the same P wave before each beat, fibrillation something else each time."""
    rng = np.random.default_rng(3)
    time = (np.arange(LENGTH) - BEAT_RATE) / BEAT_RATE
    p = np.exp(-(((time + 0.16) / 0.03) ** 2)).astype(np.float32)
    found = []
    for with_p in (True, False):
        rhythm, context = RRContext(), ShapeContext(1)
        for number in range(60):
            rhythm.add(300 * number)
            other = 0.3 * np.sin(2 * np.pi * (6 * time + rng.random())).astype(np.float32)
            described = shape(context, number, p if with_p else other, rhythm)
        found.append(described[16])
    sinus, fibrillation = found
    assert sinus > 0.9
    assert fibrillation < 0.4
