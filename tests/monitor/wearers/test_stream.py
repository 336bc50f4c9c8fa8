"""Order in a stream, shown by a ramp: the value of every sample is its index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ecgmon.signal.rate_converter import RateConverter, first_output
from ecgmon.wire import MAX_SAMPLES, Frame
from monitor.wearers.reorder_buffer import MAX_WAIT_S, MAX_WAITING
from monitor.wearers.stream import Stream

RATE = 360
PERIOD = 30_000
"""Sample values stay inside 16 bits: value = index modulo this."""
RATES = (100_000, 250_000, 333_333, 360_000, 1_000_000)


def new_stream(rate_mhz=360_000, begin=0):
    return Stream("203", 7, 0, rate_mhz, begin)


def ramp(first, count, rate_mhz=360_000):
    values = ((np.arange(count) + first % PERIOD) % PERIOD).astype(np.int16)
    return Frame(7, first, 0, rate_mhz, 1.0, "II", values)


def unfold(segments):
    """The indices that segments claim, the values they hold, and the gaps before them."""
    indices, values, gaps = [], [], []
    for segment in segments:
        samples = np.concatenate(segment.parts)
        indices += range(segment.first, segment.first + len(samples))
        values += samples.tolist()
        if segment.missing:
            gaps.append((segment.first - segment.missing, segment.first))
    return indices, values, gaps


def converted(first, stop, rate_mhz):
    """The ramp at 360 Hz, by index."""
    converter = RateConverter(rate_mhz, first)
    values = ramp(first, stop - first).samples.astype(float)
    outputs = np.concatenate([converter.push(values), converter.flush()])
    return dict(enumerate(outputs.tolist(), first_output(first, rate_mhz)))


class Link(RuleBasedStateMachine):
    """A device whose frames are lost, sent twice, cut anew, delayed and swapped, over any time."""

    @initialize(rate=st.sampled_from(RATES), begin=st.sampled_from([0, 1, 361, 2**61]))
    def open(self, rate, begin):
        self.stream, self.begin, self.rate = new_stream(rate, begin), begin, rate
        self.now = 50.0
        self.waiting = {}  # arrival times of samples not yet released, by index
        self.runs = []  # [first, end] of samples released without a gap or a bye between
        self.received = self.repeated = self.frames = 0
        self.processed = []

    def take(self, pieces):
        """Each sample was waiting, is what was sent, and leaves none behind that it overtook."""
        for piece in pieces:
            assert (piece.stream, piece.rate_mhz, piece.gain, piece.lead) == (7, self.rate, 1, "II")
            sent = ramp(piece.first, len(piece.samples)).samples
            assert piece.samples.tolist() == sent.tolist()
            for index in range(piece.first, piece.end):
                del self.waiting[index]
            assert not self.runs or self.runs[-1][1] <= piece.first
            if self.runs and self.runs[-1][1] == piece.first:
                self.runs[-1][1] = piece.end
            else:
                self.runs.append([piece.first, piece.end])
            self.received += len(piece.samples)
        assert all(index > self.stream.next for index in self.waiting)

    @rule(offset=st.integers(-150, 350), count=st.integers(1, 200))
    def a_frame_arrives(self, offset, count):
        before, first = self.stream.next, max(self.stream.next + offset, self.begin)
        every = range(first, first + count)
        fresh = [index for index in every if index >= before and index not in self.waiting]
        self.waiting |= dict.fromkeys(fresh, self.now)
        self.repeated += count - len(fresh)
        self.frames += 1
        contiguous = before
        while contiguous in self.waiting:
            contiguous += 1
        much = len([i for i in self.waiting if i > contiguous]) * 1000 > 2 * self.rate
        self.take(self.stream.accept(ramp(first, count, self.rate), self.now))
        if much:
            assert self.stream.next > contiguous
        elif self.frames < MAX_WAITING // 2:
            assert self.stream.next == contiguous

    @rule(count=st.integers(1, 200))
    def the_next_frame_arrives(self, count):
        self.a_frame_arrives(0, count)

    @rule(seconds=st.sampled_from([0.05, 0.3, 0.9, 1.0]))
    def time_passes(self, seconds):
        self.now += seconds
        due = any(arrival <= self.now - MAX_WAIT_S for arrival in self.waiting.values())
        pieces = self.stream.expire(self.now)
        self.take(pieces)
        assert bool(pieces) == due
        assert all(arrival > self.now - MAX_WAIT_S for arrival in self.waiting.values())

    @precondition(lambda self: self.stream.pending)
    @rule()
    def a_segment_is_processed(self):
        self.processed.append(self.stream.pending.popleft())

    @rule()
    def the_device_says_goodbye_and_goes_on(self):
        self.take(self.stream.release())
        assert not self.waiting
        if self.runs:
            self.runs.append([self.stream.next] * 2)

    @invariant()
    def every_sample_was_taken_is_missing_or_waits(self):
        stream = self.stream
        assert (stream.received, stream.repeated) == (self.received, self.repeated)
        assert stream.received + stream.missing == stream.next - self.begin
        assert len(self.waiting) * 1000 <= 2 * self.rate
        assert len(stream._reordering) <= MAX_WAITING

    def teardown(self):
        if not hasattr(self, "stream"):
            return
        self.take(self.stream.release())
        indices, values, gaps = unfold([*self.processed, *self.stream.pending])
        missing = [index for gap in gaps for index in range(*gap)]
        begin = first_output(self.begin, self.rate)
        assert sorted(indices + missing) == list(range(begin, self.stream.end))
        got = dict(zip(indices, values, strict=True))
        uncut = converted(self.begin, self.stream.next, self.rate) if self.runs else {}
        edge = RateConverter(self.rate).reach * RATE * 1000 // self.rate + 1
        expected = []
        for first, stop in self.runs:
            part = range(first_output(first, self.rate), first_output(stop, self.rate))
            expected += part
            inner = part if self.rate == RATE * 1000 else part[edge:-edge]
            assert [got[k] for k in inner] == [uncut[k] for k in inner]
        assert indices == expected


TestLink = Link.TestCase
TestLink.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


@given(st.permutations(range(12)), st.sampled_from(RATES))
def test_frames_in_any_order_inside_the_bounds_are_the_signal(order, rate):
    stream, accepted = new_stream(rate), []
    size = rate // 12_000
    for number in order:
        accepted += stream.accept(ramp(number * size, size, rate), 1.0)
    accepted += stream.release()
    assert np.concatenate([piece.samples for piece in accepted]).tolist() == list(range(12 * size))
    indices, values, gaps = unfold(stream.pending)
    assert dict(zip(indices, values, strict=True)) == converted(0, 12 * size, rate)
    assert (gaps, stream.missing, stream.repeated) == ([], 0, 0)


def test_what_is_acknowledged_never_passes_a_hole():
    stream = new_stream()
    stream.accept(ramp(0, 10), 1.0)
    assert stream.accept(ramp(20, 10), 1.5) == []
    assert stream.accept(ramp(15, 20), 1.8) == []
    assert stream.next == 10
    assert stream.expire(2.4) == []
    accepted = stream.expire(2.5)
    assert [(piece.first, piece.end) for piece in accepted] == [(15, 20), (20, 30), (30, 35)]
    assert (stream.next, stream.missing, stream.repeated) == (35, 5, 10)
    assert stream.accept(ramp(10, 5), 2.6) == []  # too late
    assert stream.repeated == 15


def test_a_piece_does_not_keep_its_message_in_memory():
    frame = ramp(0, 100)
    (piece,) = new_stream().accept(frame, 1.0)
    assert piece.samples.base is None
    assert not np.shares_memory(piece.samples, frame.samples)


def test_many_small_pieces_wait_no_longer_than_their_number_allows():
    stream = new_stream()
    for number in range(MAX_WAITING):
        assert stream.accept(ramp(2 * number + 1, 1), 1.0) == []
    (piece,) = stream.accept(ramp(2 * MAX_WAITING + 1, 1), 1.0)
    assert (piece.first, stream.next, stream.missing) == (1, 2, 1)
    accepted = stream.accept(ramp(0, 2 * MAX_WAITING + 1), 1.0)
    assert [piece.first for piece in accepted] == list(range(2, 2 * MAX_WAITING + 2))


def test_a_hole_that_nothing_under_way_can_fill_is_given_up_at_once():
    stream = new_stream()
    stream.accept(ramp(0, 10), 1.0)
    assert stream.accept(ramp(10 * RATE + 10, 10), 1.0) == []
    stream.release()
    (piece,) = stream.accept(ramp(20 * RATE + 21, 10), 1.0)
    assert (piece.first, stream.next) == (20 * RATE + 21, 20 * RATE + 31)


@pytest.mark.parametrize("rate", RATES)
def test_huge_jumps_cost_no_memory_and_no_time(rate):
    stream, jump = new_stream(rate), 2**61 // 500
    accepted = [
        piece for n in range(1000) for piece in stream.accept(ramp(n * jump, 10, rate), 1.0)
    ]
    stream.release()
    assert [piece.first for piece in accepted] == [n * jump for n in range(1000)]
    assert len(stream.pending) == 1000
    assert stream.next == 999 * jump + 10
    assert (stream.received, stream.missing) == (10_000, stream.next - 10_000)
    for n, segment in enumerate(stream.pending):
        assert segment.first == first_output(n * jump, rate)
        assert sum(map(len, segment.parts)) == first_output(n * jump + 10, rate) - segment.first
        if n:
            assert segment.missing == segment.first - first_output((n - 1) * jump + 10, rate)


def test_a_frame_over_all_that_waits_fills_the_holes_between():
    stream = new_stream(1_000_000)
    for first in (100, 300, 500):
        stream.accept(ramp(first, 50), 1.0)
    accepted = stream.accept(ramp(0, MAX_SAMPLES), 1.0)
    assert [piece.first for piece in accepted] == [0, 100, 150, 300, 350, 500, 550]
    assert (stream.next, stream.received, stream.repeated) == (MAX_SAMPLES, MAX_SAMPLES, 150)
