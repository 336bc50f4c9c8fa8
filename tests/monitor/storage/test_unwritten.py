"""Buffer for a failing disk: each sample is on disk once, waits, or is lost and counted."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured.reader import captures
from monitor.storage import sample_queue
from monitor.storage import unwritten as holding
from monitor.storage.capture import Capture
from monitor.storage.growing_record import GrowingRecord
from monitor.storage.sample_queue import SampleQueue
from monitor.storage.unwritten import Holding, Lost
from tests.monitor.storage.test_capture import piece, ramp

steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "flush", "fail", "half", "overtake"]),
        st.sampled_from([0, 0, 0, 1, 700, 4000]),
        st.integers(1, 3000),
    ),
    max_size=30,
)


def on_disk(folder, end):
    """Return how often each sample is on disk; what is there is right."""
    times = np.zeros(end, dtype=int)
    for one in captures(folder, "ann") if folder.exists() else ():
        samples = one.read(one.first, one.stop).samples
        there = samples != NO_VALUE
        assert (samples == ramp(one.first, one.length))[there].all()
        times[one.first : one.stop] += there
    return times


@settings(max_examples=30)
@given(steps)
def test_each_sample_is_on_disk_waits_or_is_lost(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("held") / "captured"
    stored, end = Capture(folder, 1), 0
    received, lost = np.zeros(200_000, dtype=bool), np.zeros(200_000, dtype=bool)
    real_sync, real_write = os.fdatasync, GrowingRecord.append
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holding, "HELD_S", 30)
        patch.setattr(sample_queue, "CHUNK", 2000)

        def put(missing, count):
            nonlocal end
            first, end = end + missing, end + missing + count
            received[first:end] = True
            stored.append([("ann", piece(first, count))])

        for what, missing, count in steps:
            if what == "put":
                put(missing, count)
                continue
            if what == "fail":
                patch.setattr(GrowingRecord, "append", failing)
            elif what == "half":  # all is written, and none of it is sure to be there
                patch.setattr(os, "fdatasync", failing)
            elif what == "overtake":  # samples come while others are being written

                def slow(record, samples, missing=missing, count=count):
                    patch.setattr(GrowingRecord, "append", real_write)
                    put(missing, count)
                    real_write(record, samples)

                patch.setattr(GrowingRecord, "append", slow)
            stored.flush()
            patch.setattr(os, "fdatasync", real_sync)
            patch.setattr(GrowingRecord, "append", real_write)
            given_up = stored.holding.take_lost()
            for one in given_up:
                lost[one.first : one.end] = received[one.first : one.end]
            first = stored.holding.first("ann", 7)
            known = len(received) if first is None else first
            if stored.error is None:
                assert (on_disk(folder, len(received)) + lost == received)[:known].all()
            if given_up:
                assert first == given_up[0].first
            if stored.error is None:
                stored.holding.record(given_up)
        stored.flush()
        assert stored.error is None
        for one in stored.holding.take_lost():
            lost[one.first : one.end] = received[one.first : one.end]
        stored.holding.record(stored.holding.take_lost())
    assert stored.holding.held == 0
    assert stored.holding.first("ann", 7) is None
    times = on_disk(folder, len(received))
    assert times.max(initial=0) <= 1
    np.testing.assert_array_equal(times.astype(bool) ^ lost, received)
    assert lost.sum() == stored.holding.lost


def failing(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_waits_is_bounded_whatever_comes_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(holding, "HELD_S", 10)
    monkeypatch.setattr(sample_queue, "CHUNK", 360)
    held = Holding()
    for at in range(0, 36_000, 36):
        held.put([("ann", piece(at, 36))])
        assert held.held <= 3600
    assert held.lost + held.held == 36_000
    (lost,) = held.take_lost()
    assert lost == Lost("ann", 7, 360_000, 0, held.lost, held.lost)
    for at in range(0, 36_000, 2):  # frames of a sample, each after a gap, weigh more
        held.put([("bob", piece(at, 1, stream=8))])
    assert held.first("bob", 8) == 0
    assert held.held <= 3600 + 3600 / sample_queue.PIECE + 1


def test_all_wearers_together_are_bounded(monkeypatch):
    monkeypatch.setattr(holding, "MAX_HELD", 100_000)
    held = Holding()
    for number in range(30):
        for at in range(0, 50_000, 5000):
            held.put([(f"wearer-{number}", piece(at, 5000, stream=number))])
        assert held.held <= 100_000
    assert held.held > 80_000
    (newest,) = [pieces for wearer, pieces in held.take().items() if wearer == "wearer-29"]
    assert newest[-1].end == 50_000


def test_what_is_given_up_while_the_rest_is_recorded_is_not_forgotten(monkeypatch):
    monkeypatch.setattr(holding, "HELD_S", 10)
    monkeypatch.setattr(sample_queue, "CHUNK", 360)
    held = Holding()
    for at in range(0, 7200, 360):
        held.put([("ann", piece(at, 360))])
    recorded = held.take_lost()
    for at in range(7200, 10_800, 360):
        held.put([("ann", piece(at, 360))])
    held.record(recorded)
    (more,) = held.take_lost()
    assert more.first == recorded[0].end
    assert more.count == held.lost - recorded[0].count
    held.record([more])
    assert held.first("ann", 7) == more.end


def test_pieces_that_follow_each_other_are_joined_and_no_others():
    queue = SampleQueue("ann", 0.0)
    for one in (piece(0, 100), piece(100, 100), piece(201, 50), piece(251, 50, gain=100.0)):
        queue.add(one, 0.0)
    joined = queue.pieces()
    assert [(one.first, len(one.samples), one.gain) for one in joined] == [
        (0, 200, 200.0),
        (201, 50, 200.0),
        (251, 50, 100.0),
    ]
    np.testing.assert_array_equal(joined[0].samples, ramp(0, 200))
