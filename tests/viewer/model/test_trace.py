import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.terminal.paper import STEPS_MV
from viewer.model.trace import SIZE, Scale, TraceBuffer

nan = float("nan")


def counting(first, count):
    """Samples whose value is their index, so that any sample out of place shows."""
    return np.arange(first, first + count).astype(np.int16)


def microvolts(trace, first, count):
    return np.round(trace.read(first, count) * 1000)


def test_samples_are_found_at_their_place_in_the_stream():
    trace = TraceBuffer()
    trace.write(100, counting(100, 50))
    trace.write(150, counting(150, 50))
    assert trace.end == 200
    np.testing.assert_array_equal(microvolts(trace, 100, 100), np.arange(100, 200))


def test_what_never_arrived_is_nan():
    trace = TraceBuffer()
    trace.write(0, counting(0, 10))
    trace.write(15, counting(15, 5))
    read = microvolts(trace, 0, 25)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(read)), [*range(10, 15), *range(20, 25)])


def test_what_was_not_measured_is_nan():
    trace = TraceBuffer()
    trace.write(0, np.array([1, NO_VALUE, 3], np.int16))
    np.testing.assert_array_equal(microvolts(trace, 0, 3), [1, nan, 3])


def test_a_late_sample_fills_its_gap():
    trace = TraceBuffer()
    trace.write(20, counting(20, 10))
    trace.write(5, counting(5, 10))
    read = microvolts(trace, 0, 30)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(read)), [*range(5), *range(15, 20)])
    assert trace.end == 30


@pytest.mark.parametrize("first", [SIZE - 5, 10 * SIZE + 3, 2**62])
def test_a_jump_forgets_what_lies_too_far_back(first):
    trace = TraceBuffer()
    trace.write(0, counting(0, 1000))
    trace.write(first, np.full(10, 7, np.int16))
    assert (microvolts(trace, first, 10) == 7).all()
    assert np.isnan(trace.read(first - SIZE + 1010, SIZE - 1010)).all()
    assert np.isnan(trace.read(0, 5)).all()


def test_a_sample_older_than_the_ring_changes_nothing():
    trace = TraceBuffer()
    trace.write(SIZE, counting(0, SIZE // 2))
    before = trace.read(0, 3 * SIZE)
    trace.write(0, np.full(100, 9, np.int16))
    np.testing.assert_array_equal(trace.read(0, 3 * SIZE), before)


def test_more_samples_than_the_ring_holds_leave_the_newest():
    trace = TraceBuffer()
    trace.write(0, np.repeat(np.array([1, 2], np.int16), SIZE))
    assert (microvolts(trace, SIZE, SIZE) == 2).all()
    assert np.isnan(trace.read(0, SIZE)).all()


def test_the_scale_grows_at_once_and_shrinks_only_with_room_to_spare():
    scale = Scale()
    assert (scale.low, scale.high) == (-0.5, 0.5)
    scale.fit(-0.2, 1.4)
    assert (scale.low, scale.high) == (-0.5, 1.5)
    scale.fit(-0.2, 0.99)
    assert scale.high == 1.5  # 1.0 would fit, but only just
    scale.fit(-0.2, 0.8)
    assert scale.high == 1.0
    scale.fit(nan, nan)
    assert (scale.low, scale.high) == (-0.5, 1.0)


def test_the_scale_ends_at_its_last_step():
    scale = Scale()
    scale.fit(-30, 30)
    assert (scale.low, scale.high) == (-STEPS_MV[-1], STEPS_MV[-1])
