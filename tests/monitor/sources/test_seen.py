"""Samples that are judged are acknowledged as seen: when, and by looking at few streams."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.wire import Frame, messages
from monitor.sources import device_connections
from tests.monitor.sources.test_sources import Queue, drain, hello, ingest

NUMBERS = (1, 2, 3)


def frame(number, first, count):
    return Frame(number, first, 0, 360_000, 200.0, "II", np.zeros(count, np.int16)).encode()


def heard(queue):
    """Return the acknowledgements that have come since, as stream and sample."""
    acks = [(int(m.stream, 16), m.seen) for m in queue.received if isinstance(m, messages.Ack)]
    queue.received.clear()
    return acks


@contextlib.contextmanager
def at_time(clock):
    """Let acknowledgements be sent at the time that stands in a list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_connections, "time", SimpleNamespace(monotonic=lambda: clock[0]))
        yield


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_stream_is_missed_of_those_that_are_not_asked(seed):
    rng, clock, queue = np.random.default_rng(seed), [100.0], Queue()
    one = ingest(queue)
    queue.sent = [hello(f"w{number}", number) for number in NUMBERS]
    drain(one)
    at, seen = dict.fromkeys(NUMBERS, 0), dict.fromkeys(NUMBERS, 0)
    for _ in range(60):
        clock[0] += float(rng.choice([0.05, 0.1, 0.4]))
        for number in rng.choice(NUMBERS, rng.integers(0, 5)).tolist():
            lost, count = int(rng.choice([0, 0, 0, 40])), int(rng.choice([36, 73, 500]))
            queue.sent.append(frame(number, at[number] + lost, count))
            at[number] += lost + count
        result = one.drain(clock[0])
        heard(queue)
        with at_time(clock):
            one.connections.acknowledge_judged(clock[0], result.due)
            for number, index in heard(queue):
                assert index > seen[number]
                seen[number] = index
            one.connections.acknowledge_judged(clock[0], result.acks)
        assert heard(queue) == []
    assert sum(seen.values()) > 0


def test_a_stream_is_asked_once_a_second_and_when_two_seconds_have_come():
    clock, queue, at = [100.0], Queue(), 0
    one = ingest(queue)
    queue.sent = [hello("ann", 1)]
    drain(one)
    asked, told = [], []
    for count in [36] * 30 + [720] * 3:
        clock[0] += 0.1
        queue.sent, at = [frame(1, at, count)], at + count
        result = one.drain(clock[0])
        asked.append(len(result.due))
        with at_time(clock):
            one.connections.acknowledge_judged(clock[0], result.due)
        told.append(len(heard(queue)))
    assert asked == told
    assert sum(told[:30]) == 3
    assert told[30:] == [1, 1, 1]
