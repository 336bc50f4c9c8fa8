"""The disk's own thread: in order, in time, and never waited for when it hangs or fails."""

import contextlib
import errno
import sqlite3
import threading
import time

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from monitor import daemon
from monitor.storage import lookups, storage_alarms, tidying
from monitor.storage import writer as disk
from monitor.storage.capture import Capture
from monitor.storage.disk_jobs import Batch, ReadRequest, StoredSamples
from monitor.storage.job_queue import COALESCE_S
from monitor.storage.journal import Journal
from monitor.storage.sample_queue import BURST_S
from monitor.storage.wall_clock import WallClock
from monitor.storage.writer import StorageWriter
from replay.simulator.simulation import simulate
from tests.monitor.storage.test_capture import piece
from tests.monitor.storage.test_journal import alarm, journal_messages, window
from tests.support.rig import PATIENCE_S, Rig

BURST = round(BURST_S * RATE)
CALM = simulate("normal", duration_s=20).record.samples
OFF = np.full(1440, NO_VALUE)


@pytest.fixture
def writer(tmp_path):
    journal = Journal(tmp_path / "journal.db")
    writer = StorageWriter(
        journal, Capture(tmp_path / "captured", 1), tmp_path, (7, 30, 7), WallClock()
    )
    writer.start()
    yield writer
    writer.stop(PATIENCE_S)
    writer.close()


def until_done(writer, job):
    """Wait until a job is done; returns all that was done, and how long it took."""
    began, done = time.monotonic(), []
    while job not in done:
        assert time.monotonic() - began < PATIENCE_S
        time.sleep(0.002)
        done += [one for one in writer.take_done() if not isinstance(one, StoredSamples)]
    return done, time.monotonic() - began


def test_jobs_are_done_in_order_and_see_what_came_before(writer, tmp_path):
    seen = []

    def look():
        seen.append(
            (
                len(journal_messages(tmp_path / "journal.db")),
                len(captures(tmp_path / "captured", "ann")),
            )
        )
        return lambda: None

    jobs = []
    for number in range(20):
        pieces = [("ann", piece(100 * number, 100))]
        jobs += [Batch([window(number), alarm(number)], pieces), ReadRequest(look)]
    for job in jobs:
        writer.hand_over(job)
    done, _ = until_done(writer, jobs[-1])
    for kind in (Batch, ReadRequest):
        assert [d for d in done if isinstance(d, kind)] == [j for j in jobs if isinstance(j, kind)]
    assert seen == sorted(seen)
    assert seen[-1] == (40, 1)
    assert journal_messages(tmp_path / "journal.db")[::2] == [
        window(number) for number in range(20)
    ]


@pytest.mark.parametrize(
    ("job", "hurries"),
    [
        (Batch([window(0)]), False),
        (Batch([], [("ann", piece(0, BURST - 1))]), False),
        (Batch([], [("ann", piece(0, BURST))]), True),
        (Batch([alarm(0)]), True),
        (Batch([], ends=[object()]), True),
        (ReadRequest(lambda: lambda: None), True),
    ],
)
def test_only_what_somebody_waits_for_is_done_at_once(writer, job, hurries):
    time.sleep(0.01)  # it waits for work
    writer.hand_over(job)
    _, took_s = until_done(writer, job)
    assert (took_s < COALESCE_S) == hurries


def test_a_disk_that_hangs_is_given_up_in_time_and_holds_a_bounded_queue(
    writer, gate, monkeypatch, caplog
):
    monkeypatch.setattr("monitor.storage.job_queue.MAX_QUEUED", 10)
    gate.clear()
    first = Batch([alarm(0)])
    writer.hand_over(first)
    later = [Batch([alarm(number)]) for number in range(1, 100)]
    while writer.behind_s(time.monotonic()) < 0.1:
        time.sleep(0.01)
    for job in later:
        writer.hand_over(job)
    assert writer.lost == 89
    assert 0.1 < writer.behind_s(time.monotonic()) < PATIENCE_S
    began = time.monotonic()
    writer.stop(0.2)
    assert time.monotonic() - began < 2
    assert "event=disk-hangs" in caplog.text
    assert writer.take_done() == []
    gate.set()
    done, _ = until_done(writer, later[-1])
    assert done[0] is first
    assert done[2:] == later[-10:]
    # What was given up left its alarms to a batch of their own.
    assert done[1].published == [alarm(number) for number in range(1, 90)]


def test_what_comes_after_the_stop_is_written_at_the_close(tmp_path):
    writer = StorageWriter(
        Journal(tmp_path / "journal.db"), None, tmp_path, (7, 30, 7), WallClock()
    )
    writer.start()
    writer.stop(PATIENCE_S)
    writer.hand_over(Batch([window(0)]))
    writer.close()
    assert journal_messages(tmp_path / "journal.db") == [window(0)]


def test_a_disk_that_cannot_be_read_ends_nothing(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(tidying, "TIDY_S", 0.0)
    monkeypatch.setattr(Capture, "remove_old", fails)
    writer = StorageWriter(
        Journal(tmp_path / "journal.db"), Capture(tmp_path, 1), tmp_path, (7, 30, 7), WallClock()
    )
    writer.start()
    writer.hand_over(ReadRequest(fails))
    writer.stop(PATIENCE_S)
    (done,) = [one for one in writer.take_done() if isinstance(one, ReadRequest)]
    assert done.then is None
    writer.hand_over(Batch([alarm(1)]))
    writer.close()
    assert journal_messages(tmp_path / "journal.db") == [alarm(1)]


def test_old_entries_go_and_the_free_space_is_known_after_the_first_job(tmp_path, monkeypatch):
    monkeypatch.setattr(tidying, "TIDY_S", 0.0)
    journal = Journal(tmp_path / "journal.db")
    with monkeypatch.context() as then:
        then.setattr(time, "time", lambda: 1e9)
        journal.append([window(0), alarm(0, "cleared")])
    writer = StorageWriter(journal, None, tmp_path, (7, 30, 7), WallClock())
    assert writer.free_mb == float("inf")
    writer.start()
    writer.hand_over(Batch([alarm(1)]))
    writer.stop(PATIENCE_S)
    writer.close()
    assert journal_messages(tmp_path / "journal.db") == [alarm(1)]
    assert 0 < writer.free_mb < 1e9


@pytest.fixture
def impatient(monkeypatch):
    """A monitor that takes no second to notice."""
    for module in (lookups, disk, storage_alarms):
        monkeypatch.setattr(module, "WRITE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(daemon, "LINK_S", 0.1)
    monkeypatch.setattr(daemon, "DRAIN_S", 0.3)


def test_a_disk_that_hangs_stops_no_alarm_and_is_alarmed(tmp_path, gate, impatient):
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        listener, device, late = rig.listener(), rig.device(), rig.device()
        device.greet("203", 7)
        gate.clear()
        device.send_all(CALM[:1080])
        listener.until(messages.Window, "203", first=360)
        device.send_all(OFF, first=1080)
        assert listener.until(messages.Alarm, "203").kind == "no-signal"
        trouble = listener.until(messages.Alarm, None)
        assert (trouble.kind, trouble.state) == ("disk", "raised")
        assert "does not answer" in trouble.text
        late.greet("119", 8)  # a new device does not wait either
        late.send_all(CALM[:1080])
        listener.until(messages.Window, "119", first=360)
        device.until_seen(2520)
        device.say(messages.Heartbeat(stream=messages.stream_id(7)))
        assert device.hear().next == 0, "nothing is acknowledged that may be lost"
        gate.set()
        device.until_acked(2520)
        late.until_acked(1080)
        listener.until(messages.Alarm, None, state="cleared")
    kinds = [
        (m.kind, m.state) for m in journal_messages(rig.journal) if isinstance(m, messages.Alarm)
    ]
    assert {("no-signal", "raised"), ("disk", "raised"), ("disk", "cleared")} <= set(kinds)


def test_a_disk_that_hangs_at_the_end_delays_it_no_more_than_it_may(tmp_path, gate, impatient):
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        listener, device = rig.listener("alarm/"), rig.device()
        device.greet("203", 7)
        gate.clear()
        device.send_all(OFF)
        device.until_seen(len(OFF))
        began = time.monotonic()
        stopped = threading.Thread(target=rig.stop)
        stopped.start()
        assert listener.until(messages.Alarm, "203").kind == "no-signal"
        stopped.join()
        assert time.monotonic() - began < 2.0
        gate.set()


def test_a_journal_that_cannot_be_written_is_alarmed_until_it_can(tmp_path, monkeypatch):
    """Also without devices; alarm messages of the meantime are written in the end."""
    monkeypatch.setattr(daemon, "LINK_S", 0.1)
    with (
        Rig(tmp_path) as rig,
        contextlib.closing(sqlite3.connect(rig.journal)) as other,
    ):
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        other.execute("BEGIN IMMEDIATE")
        device.send_all(OFF)
        assert listener.until(messages.Alarm, "203").kind == "no-signal"
        assert "cannot be written" in listener.until(messages.Alarm, None).text
        device.bye(len(OFF))
        other.execute("ROLLBACK")
        listener.until(messages.Alarm, None, state="cleared")
        listener.until_over("203")
        received = listener.all(messages.Alarm, "203") + listener.all(messages.Alarm, None)
    stored = [m for m in journal_messages(rig.journal) if isinstance(m, messages.Alarm)]
    assert sorted(map(repr, stored)) == sorted(map(repr, received))


def test_a_full_folder_is_alarmed_until_samples_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.1)
    folder = tmp_path / "captured"
    folder.touch()
    with Rig(tmp_path, captured=folder) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(CALM[:720])
        device.until_seen(720)  # so that it goes on, and is judged
        assert listener.until(messages.Alarm, None).kind == "disk"
        folder.unlink()
        device.send_all(CALM[720:1080], first=720)
        listener.until(messages.Alarm, None, state="cleared")
        device.until_acked(1080)
    assert [(c.first, c.length) for c in captures(folder, "203")] == [(0, 1080)]


def test_little_free_space_is_alarmed(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.05)
    with Rig(tmp_path, disk_free_mb=1e12) as rig:
        alarm = rig.newcomer("alarm/").until(messages.Alarm, None)
        assert (alarm.kind, alarm.alarm) == ("disk-low", 1)
        assert "MB are free" in alarm.text
