"""A stream's output to the pipeline: segments at 360 Hz, gaps, values and a clock."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.wire import Frame
from monitor.wearers.reorder_buffer import MAX_WAIT_S
from monitor.wearers.stream import MAX_ARRIVALS
from tests.monitor.wearers.test_stream import RATE, new_stream, ramp, unfold


def test_a_stream_that_goes_on_after_a_restart_begins_without_a_gap():
    stream = new_stream(250_000, begin=1_000_001)
    assert stream.end == 1_440_002  # the first at or after 1,000,001 / 250 Hz
    assert stream.next_window == 1_440_000
    stream.accept(ramp(999_900, 200, 250_000), 1.0)
    stream.release()
    (segment,) = stream.pending
    assert (segment.first, segment.missing) == (1_440_002, 0)
    assert (stream.missing, stream.repeated) == (0, 101)


def test_a_gap_between_two_samples_at_360_hz_is_counted_and_goes_unseen():
    stream = new_stream(1_000_000)
    stream.accept(ramp(0, 101), 1.0)
    stream.accept(ramp(102, 98), 1.0)
    stream.release()
    indices, _, gaps = unfold(stream.pending)
    assert (indices, gaps, stream.missing) == (list(range(72)), [], 1)


def test_values_that_were_not_measured_are_no_numbers():
    stream = new_stream()
    samples = np.array([100, -32768, -32767, 32767], dtype=np.int16)
    stream.accept(Frame(7, 0, 0, 360_000, 200.0, "", samples), arrival=0.0)
    stream.release()  # what may be the beginning of a spike waits for what follows
    (segment,) = stream.pending
    values = np.concatenate(segment.parts)
    assert values[0] == 0.5
    assert np.isnan(values).tolist() == [False, True, False, False]


def test_the_clock_learns_from_what_is_new():
    stream, noon = new_stream(), 1_790_000_000 * 10**9
    stream.accept(Frame(7, 0, noon, 360_000, 1.0, "", ramp(0, RATE).samples), 101.0)
    again = Frame(7, 0, noon + 9 * 10**9, 360_000, 1.0, "", ramp(0, RATE).samples)
    stream.accept(again, 104.0)
    assert stream.clock.lag(104.0) == 3.0
    assert stream.clock.jumped_s == 0
    stream.accept(Frame(7, RATE, noon + 10**9, 360_000, 1.0, "", ramp(0, RATE).samples), 104.5)
    assert stream.clock.lag(104.5) == 2.5
    assert stream.clock.jumped_s == 0


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1.03, 0.97]))
def test_the_clocks_show_the_same_however_seldom_somebody_looks(seed, speed):
    rng = np.random.default_rng(seed)
    often, seldom, now, end = new_stream(), new_stream(), 1000.0, 0
    for _ in range(300):
        count = int(rng.choice([36, 36, 90, 400]))
        now += speed * count / RATE
        skipped = int(rng.choice([0, 0, 0, -20, 50]))
        jump = int(rng.choice([0, 0, 5])) * 10**9
        arrival = now + float(rng.choice([0, 0.1, 0.4, 3.0]))
        frame = Frame(7, end + skipped, 10**9 + jump, 360_000, 1.0, "", ramp(0, count).samples)
        for stream in (often, seldom):
            if frame.first >= 0:
                stream.accept(frame, arrival)
                stream.expire(arrival)
        assert often.clock.lag(arrival) >= 0
        end += skipped + count
    assert seldom.clock.state() == often.clock.state()
    assert seldom.delivered.state() == often.delivered.state()


def test_arrivals_that_nobody_looks_at_are_few():
    stream = new_stream()
    for number in range(3 * MAX_ARRIVALS):
        stream.accept(ramp(20 * number + 10 * (number % 2), 10), float(number))
        assert len(stream._arrivals) < MAX_ARRIVALS


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 50)), max_size=60))
def test_what_is_missing_of_a_second_is_counted_until_it_is_reported(frames):
    stream, lost, end = new_stream(), set(), 0
    for skipped, count in frames:
        stream.accept(ramp(end + skipped, count), arrival=0.0)
        stream.expire(now=MAX_WAIT_S)
        end += skipped + count
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
    stream.release()
    while stream.pending:
        segment = stream.pending.popleft()
        stream.skip_to(segment)
        stream.next_window = segment.first // RATE * RATE
        assert len(stream.gaps) <= RATE // 2 + 1
        second = stream.next_window
        assert stream.missing_of(second, second + RATE) == (segment.first - second + 1) // 2
