"""When samples that wait are written: together, but at once where somebody needs them."""

import os
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from monitor.storage import sample_queue, sample_writer, unwritten
from monitor.storage.capture import Capture
from monitor.storage.disk_jobs import Batch, ReadRequest
from monitor.storage.journal import Journal
from monitor.storage.sample_queue import QUIET_S, WRITE_S, SampleQueue
from monitor.storage.sample_writer import SampleWriter
from monitor.storage.wall_clock import WallClock
from monitor.storage.writer import StorageWriter
from tests.monitor.storage.test_capture import piece
from tests.monitor.storage.test_unwritten import failing
from tests.monitor.storage.test_writer import until_done
from tests.support.rig import PATIENCE_S

FRAME_S = 0.1
FRAME = round(FRAME_S * RATE)


class SentStream(NamedTuple):
    """What the storage thread asks of a stream."""

    wearer: str
    number: int


def live(wearer, seconds, stop=lambda queue, now: False):
    """Fill a queue in real time until so much came, or it is to stop; returns both."""
    queue, now = SampleQueue(wearer, 0.0), 0.0
    for n in range(round(seconds / FRAME_S)):
        now = n * FRAME_S
        assert not queue.add(piece(n * FRAME, FRAME), now)
        if stop(queue, now):
            break
    return queue, now


def test_a_live_stream_is_due_once_in_five_seconds_and_wearers_are_at_different_times():
    due = [
        live(f"wearer-{n}", 2 * WRITE_S, lambda queue, now: queue.due_at() <= now)[1]
        for n in range(100)
    ]
    assert max(due) <= WRITE_S
    seconds = [sum(at <= time < at + 1 for time in due) for at in range(WRITE_S)]
    assert min(seconds) >= 10, seconds


def test_a_device_that_pauses_waits_no_five_seconds():
    queue, now = live("ann", 0.5)
    assert queue.due_at() == pytest.approx(now + QUIET_S)


def test_a_slow_trickle_is_due_after_five_seconds():
    queue = SampleQueue("ann", 0.0)
    for n in range(40):
        queue.add(piece(n, 1), n * 0.3)
    assert queue.due_at() == WRITE_S


def test_a_device_that_catches_up_is_not_kept_waiting():
    queue = SampleQueue("ann", 0.0)
    hurries = [queue.add(piece(RATE * n // 2, RATE // 2), 0.01 * n) for n in range(6)]
    assert hurries == [False, False, False, True, True, True]
    assert queue.due_at() <= 0.03


@contextmanager
def writing(folder):
    """A disk of its own thread, which is not yet started."""
    writer = StorageWriter(
        Journal(folder / "journal.db"),
        Capture(folder / "captured", 1),
        folder,
        (7, 30, 7),
        WallClock(),
    )
    yield writer
    writer.stop(PATIENCE_S)
    writer.close()


def lengths(folder):
    return {
        wearer: sum(one.length for one in captures(folder / "captured", wearer))
        for wearer in ("ann", "bob")
    }


def alarm(wearer):
    return messages.Alarm(
        wearer=wearer,
        stream=messages.stream_id(7),
        alarm=1,
        kind="asystole",
        priority="high",
        category="physiological",
        state="raised",
        at=0,
        time=1e9,
        text="no beat",
        by=None,
    )


@pytest.mark.parametrize("why", ["alarm", "look-up", "goodbye"])
def test_samples_of_one_wearer_are_written_where_they_are_needed(tmp_path, monkeypatch, why):
    monkeypatch.setattr(sample_queue, "QUIET_S", 60.0)
    seen = []

    def look():
        seen.append(lengths(tmp_path))
        return lambda: None

    stream = SentStream("ann", 7)
    pieces = [("ann", piece(0, 50)), ("bob", piece(0, 50))]
    jobs = {
        "alarm": Batch([alarm("ann")], pieces),
        "look-up": ReadRequest(look, "ann"),
        "goodbye": Batch([], [], acks={stream: 50}, ends=[stream]),
    }
    with writing(tmp_path) as writer:
        writer.start()
        first = [] if why == "alarm" else [Batch([], pieces)]
        for job in (*first, jobs[why], ReadRequest(look)):
            writer.hand_over(job)
            until_done(writer, job)
        assert seen[-1] == {"ann": 50, "bob": 0}
        assert writer.held == 50
    assert lengths(tmp_path) == {"ann": 50, "bob": 50}, "all is written at the end"
    assert writer.held == 0


steps = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.integers(1, 3 * RATE),
        st.sampled_from([0.0, 0.05, 0.3, 1.0, 6.0]),
        st.sampled_from(["nothing", "write", "write", "alarm", "fail"]),
    ),
    max_size=25,
)


@settings(max_examples=15)
@given(steps)
def test_nothing_is_acknowledged_that_is_not_on_disk_whenever_it_is_written(
    tmp_path_factory, steps
):
    folder = tmp_path_factory.mktemp("due")
    capture = Capture(folder / "captured", 1)
    with (
        closing(Journal(folder / "journal.db")) as journal,
        pytest.MonkeyPatch.context() as patch,
    ):
        clock = SimpleNamespace(monotonic=lambda: now)
        patch.setattr(unwritten, "time", clock)
        patch.setattr(sample_writer, "AT_ONCE", 1)
        samples, now = SampleWriter(journal, capture), 0.0
        streams = {name: SentStream(name, 7) for name in ("ann", "bob", "eve")}
        sent, acknowledged = dict.fromkeys(streams, 0), dict.fromkeys(streams, 0)

        def note(stored):
            for stream, index in stored.acks.items():
                acknowledged[stream.wearer] = max(acknowledged[stream.wearer], index)
            for name, index in acknowledged.items():
                assert sum(one.length for one in captures(folder / "captured", name)) >= index

        for name, count, pause_s, then in steps:
            capture.append([(name, piece(sent[name], count))])
            sent[name] += count
            samples.await_disk([Batch([], acks={streams[name]: sent[name]})])
            now += pause_s
            with pytest.MonkeyPatch.context() as disk:
                if then == "fail":
                    disk.setattr(os, "fdatasync", failing)
                if then == "alarm":
                    samples.write_of({name})
                if then != "nothing":
                    note(samples.write({name} if then == "alarm" else set(), everything=False))
            if then == "alarm":
                assert acknowledged[name] == sent[name]
        now += WRITE_S
        for _ in streams:
            note(samples.write(set(), everything=False))
        assert acknowledged == sent
        assert capture.holding.due_at() is None
