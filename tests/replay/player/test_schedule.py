import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.records import Record
from replay.player.schedule import Pace, schedule

speeds = st.sampled_from([0.5, 1.0, 7.0, 10_000.0, math.inf])
bursts = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 10.0])


def record(n, missing=(), rate=360.0):
    """Return a ramp: the value of every sample is its index."""
    samples = np.arange(n, dtype=np.int16)
    return Record("a/b", "b", rate, 200.0, "II", samples, missing=tuple(missing))


@st.composite
def records(draw):
    n = draw(st.integers(1, 3000))
    cuts = sorted(draw(st.sets(st.integers(0, n), max_size=8)))
    spans = [(a, b) for a, b in pairwise(cuts)][:: draw(st.integers(1, 2))]
    first = draw(st.integers(0, n - 1))
    stop = draw(st.integers(first + 1, n))
    rate = draw(st.sampled_from([128.0, 250.0, 360.0, 500.0, 1000.0]))
    return record(n, spans, rate), first, stop


@settings(max_examples=200)
@given(records(), speeds, bursts)
@example((record(360, [(0, 360)]), 0, 360), 1.0, 0.0)
@example((record(360, [(0, 100), (100, 120), (350, 360)]), 50, 355), 1.0, 0.5)
def test_frames_hold_every_sample_that_is_not_missing_once_and_in_order(chosen, speed, burst_s):
    rec, first, stop = chosen
    frames = list(schedule(rec, first, stop, Pace(speed, burst_s)))
    lost = {i for a, b in rec.missing for i in range(a, b)}
    indices = [i for f in frames for i in range(f.first, f.end)]
    assert indices == [i - first for i in range(first, stop) if i not in lost]
    values = [int(v) for f in frames for v in f.samples]
    assert values == [i + first for i in indices]
    assert all(1 <= len(f.samples) <= math.ceil(0.1 * rec.rate) for f in frames)


@settings(max_examples=200)
@given(records(), speeds, bursts)
def test_a_frame_is_due_at_the_end_of_its_burst_and_frames_are_due_in_order(chosen, speed, burst_s):
    rec, first, stop = chosen
    frames = list(schedule(rec, first, stop, Pace(speed, burst_s)))
    due = [f.due_s for f in frames]
    assert due == sorted(due)
    end_s = (stop - first) / rec.rate
    for f in frames:
        measured_s = f.end / rec.rate
        # The first end of a burst that is not before the frame's; the signal may end before.
        over_s = measured_s
        if burst_s:
            over_s = next(k * burst_s for k in range(10**6) if k * burst_s >= measured_s - 1e-9)
        assert f.due_s == pytest.approx(min(over_s, end_s) / speed, abs=1e-6)


def test_at_full_speed_everything_is_due_at_once():
    assert {f.due_s for f in schedule(record(3600), 0, 3600, Pace(math.inf))} == {0.0}


def test_a_radio_delivers_half_a_second_at_a_time():
    frames = list(schedule(record(900), 0, 900, Pace(1.0, burst_s=0.5)))
    assert [f.due_s for f in frames] == [0.5] * 5 + [1.0] * 5 + [1.5] * 5 + [2.0] * 5 + [2.5] * 5


def test_a_frame_that_ends_with_a_burst_belongs_to_it():
    """Although 2.1 / 0.7 is a little more than 3 in floating point."""
    frames = list(schedule(record(7200), 0, 7200, Pace(1.0, burst_s=0.7)))
    assert [f.due_s for f in frames[14:28]] == pytest.approx([2.1] * 7 + [2.8] * 7)


def test_a_tenth_of_a_second_makes_a_frame():
    frames = list(schedule(record(100), 0, 100, Pace()))
    assert [(f.first, len(f.samples)) for f in frames] == [(0, 36), (36, 36), (72, 28)]
    assert [f.due_s for f in frames] == pytest.approx([0.1, 0.2, 100 / 360])


def test_beyond_its_end_a_record_starts_over():
    rec = record(100, missing=[(40, 60)])
    frames = list(schedule(rec, 30, 330, Pace()))
    sent = {i: s for f in frames for i, s in zip(range(f.first, f.end), f.samples, strict=True)}
    expected = {i - 30: rec.samples[i % 100] for i in range(30, 330) if not 40 <= i % 100 < 60}
    assert sent == expected
    assert all(f.due_s == pytest.approx((f.end) / rec.rate) for f in frames)
