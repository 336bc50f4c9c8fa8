"""Order in a stream, shown by a ramp: the value of every sample is its index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.wire import Frame
from monitor.streams import Stream

RATE = 360
PERIOD = 30_000
"""Sample values stay inside 16 bits: value = index modulo this."""

spans = st.lists(st.tuples(st.integers(-60, 90), st.integers(1, 50)), max_size=60)
"""Frames: where each begins, from the end of all before it (negative: repeats), and its length."""


def new_stream():
    return Stream(wearer="203", number=7, row=0, rate_mhz=RATE * 1000)


def ramp(first, count):
    values = (np.arange(first % PERIOD, first % PERIOD + count) % PERIOD).astype(np.int16)
    return Frame(
        stream=7, first=first, device_time=0, rate_mhz=360_000, gain=1.0, lead="", samples=values
    )


def laid_out(relative):
    frames, end = [], 0
    for offset, count in relative:
        first = max(end + offset, 0)
        frames.append((first, count))
        end = max(end, first + count)
    return frames


def shuffled_a_little(frames, draw):
    """Let frames overtake a few others."""
    for i in range(len(frames) - 1):
        j = min(i + draw.draw(st.integers(0, 3)), len(frames) - 1)
        frames[i], frames[j] = frames[j], frames[i]
    return frames


def reference(frames):
    """Take sample by sample: in order, once, and what is jumped over is lost."""
    taken, repeated, gaps, following = [], 0, [], 0
    for first, count in frames:
        for index in range(first, first + count):
            if index < following:
                repeated += 1
                continue
            if index > following:
                gaps.append((following, index))
            taken.append(index)
            following = index + 1
    return taken, repeated, gaps, following


def unfold(segments):
    """Return the indices that segments claim, the values they hold, and the gaps before them."""
    indices, values, gaps = [], [], []
    for segment in segments:
        samples = np.concatenate(segment.parts)
        indices += range(segment.first, segment.first + len(samples))
        values += samples.tolist()
        if segment.missing:
            gaps.append((segment.first - segment.missing, segment.first))
    return indices, values, gaps


@settings(max_examples=300)
@given(spans, st.data())
def test_every_sample_is_taken_exactly_once_or_lies_in_a_gap(relative, data):
    frames = shuffled_a_little(laid_out(relative), data)
    stream, processed = new_stream(), []
    for first, count in frames:
        stream.accept(ramp(first, count), arrival=0.0)
        if data.draw(st.booleans()):  # processing may come between any two frames
            while stream.pending:
                processed.append(stream.pending.popleft())
    indices, values, gaps = unfold([*processed, *stream.pending])

    taken, repeated, expected_gaps, following = reference(frames)
    assert indices == taken
    assert values == [index % PERIOD for index in taken]
    assert gaps == expected_gaps
    lost = [index for start, stop in gaps for index in range(start, stop)]
    assert sorted(indices + lost) == list(range(following))
    assert stream.next == following
    assert (stream.received, stream.missing, stream.repeated) == (len(taken), len(lost), repeated)
    assert stream.received + stream.repeated == sum(count for _, count in frames)


@given(spans)
def test_what_is_missing_of_a_second_is_counted_until_it_is_reported(relative):
    stream = new_stream()
    lost = set()
    for first, count in laid_out(relative):
        stream.accept(ramp(first, count), arrival=0.0)
    for segment in stream.pending:
        if segment.missing:
            stream.skip_to(segment)
            lost |= set(range(segment.first - segment.missing, segment.first))
        for start in range(stream.next_window, segment.first + 60, 60):
            assert stream.missing_of(start, start + 60) == len(
                lost.intersection(range(start, start + 60))
            )
        stream.next_window = segment.first // 60 * 60
        assert len(stream.gaps) <= 61


def test_gaps_are_forgotten_once_their_seconds_are_reported():
    stream = new_stream()
    for number in range(10_000):  # every other sample is lost
        stream.accept(ramp(2 * number + 1, 1), arrival=0.0)
    while stream.pending:
        segment = stream.pending.popleft()
        stream.skip_to(segment)
        stream.next_window = segment.first // RATE * RATE
        assert len(stream.gaps) <= RATE // 2 + 1
        second = stream.next_window
        assert stream.missing_of(second, second + RATE) == (segment.first - second + 1) // 2


def test_huge_jumps_cost_no_memory_and_no_time():
    stream = new_stream()
    jump = 2**52
    for number in range(1000):
        stream.accept(ramp(number * jump, 10), arrival=0.0)
    assert len(stream.pending) == 1000
    assert sum(len(part) for segment in stream.pending for part in segment.parts) == 10_000
    assert stream.next == 999 * jump + 10
    assert stream.received == 10_000
    assert stream.missing == stream.next - 10_000


def test_values_that_were_not_measured_are_no_numbers():
    stream = new_stream()
    samples = np.array([100, -32768, -32767, 32767], dtype=np.int16)
    stream.accept(Frame(7, 0, 0, 360_000, 200.0, "", samples), arrival=0.0)
    (segment,) = stream.pending
    assert segment.parts[0][0] == 0.5
    assert np.isnan(segment.parts[0]).tolist() == [False, True, False, False]


def test_lag_is_measured_against_the_fastest_delivery():
    stream = new_stream()
    assert stream.lag(now=5.0) == 0.0
    stream.accept(ramp(0, RATE), arrival=101.2)
    assert stream.lag(now=101.2) == 0.0
    stream.accept(ramp(RATE, RATE), arrival=102.0)
    assert stream.lag(now=102.0) == 0.0
    stream.accept(ramp(2 * RATE, RATE), arrival=104.5)
    assert stream.lag(now=104.5) == pytest.approx(1.5)
    assert stream.lag(now=106.0) == pytest.approx(3.0)
    stream.accept(ramp(2 * RATE, RATE), arrival=107.0)  # a repeat is no news
    assert stream.lag(now=107.0) == pytest.approx(4.0)
