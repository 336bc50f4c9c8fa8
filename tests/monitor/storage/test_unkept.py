"""Alarms, acknowledgements and welcomes if less signal is on disk than was judged."""

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from monitor import daemon
from monitor.storage import sample_queue
from monitor.storage import unwritten as holding
from monitor.storage.growing_record import GrowingRecord
from monitor.storage.journal import Journal
from replay.simulator.simulation import simulate
from tests.monitor.storage.test_journal import journal_messages
from tests.support.rig import Rig

RATE = 360
STILL = simulate("asystole", seed=3, duration_s=60).record.samples
"""A heart that is stopped from second 33 to 42."""


@pytest.fixture
def full(monkeypatch):
    """Return a function that lets no sample be written any more, or lets all be."""
    monkeypatch.setattr(daemon, "LINK_S", 0.05)
    append = GrowingRecord.append

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda fails: monkeypatch.setattr(GrowingRecord, "append", fail if fails else append)


def send(device, start, stop):
    """Send seconds of the signal, and wait until they are judged."""
    device.send_all(STILL[start * RATE : stop * RATE], first=start * RATE, size=720)
    device.until_seen(stop * RATE)


def alarms(received, kind):
    return [m.state for m in received if isinstance(m, messages.Alarm) and m.kind == kind]


def test_an_alarm_that_was_raised_by_signal_not_on_disk_is_active_after_a_restart(tmp_path, full):
    folder = tmp_path / "captured"
    with Rig(tmp_path, captured=folder) as rig:
        listener, device = rig.listener("alarm/", "window/"), rig.device()
        device.greet("203", 7)
        send(device, 0, 30)
        device.until_acked(30 * RATE)
        full(True)
        send(device, 30, 40)
        listener.until(messages.Alarm, "203", kind="asystole")
        listener.until(messages.Window, "203", first=38 * RATE)
    full(False)
    with Rig(tmp_path, captured=folder) as rig:
        listener, device = rig.newcomer("alarm/", "window/").subscribed(), rig.device()
        assert device.greet("203", 7).next == 30 * RATE
        send(device, 30, 41)
        listener.until(messages.Window, "203", first=39 * RATE)
        assert set(alarms(listener.received, "asystole")) == {"raised"}
        send(device, 41, 55)
        listener.until(messages.Alarm, "203", kind="asystole", state="latched")
        device.until_acked(55 * RATE)
    assert alarms(journal_messages(rig.journal), "asystole") == ["raised", "latched"]
    firsts = [m.first for m in journal_messages(rig.journal) if isinstance(m, messages.Window)]
    assert firsts == list(range(0, 54 * RATE, RATE))


def test_a_welcome_names_what_is_on_disk_and_seen_what_is_judged(tmp_path, full):
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        device, again = rig.device(), rig.device()
        device.greet("203", 7)
        send(device, 0, 4)
        device.until_acked(4 * RATE)
        full(True)
        send(device, 4, 9)
        assert again.greet("203", 7).next == 4 * RATE
        ack = again.hear()
        assert (ack.next, ack.seen) == (4 * RATE, 9 * RATE)
        again.send_all(STILL[4 * RATE : 10 * RATE], first=4 * RATE)  # as an old device does
        again.until_seen(10 * RATE)
        full(False)
        again.until_acked(10 * RATE)
        assert again.hears_nothing()
    ((first, samples),) = [
        (one.first, one.read(0, one.stop).samples) for one in captures(tmp_path / "captured", "203")
    ]
    assert first == 0
    assert list(samples) == list(STILL[: 10 * RATE])


def test_what_waits_for_too_long_is_a_gap_in_the_record_and_then_acknowledged(
    tmp_path, full, monkeypatch, caplog
):
    monkeypatch.setattr(holding, "HELD_S", 10)
    monkeypatch.setattr(sample_queue, "CHUNK", RATE)
    folder = tmp_path / "captured"
    with Rig(tmp_path, captured=folder) as rig:
        listener, device = rig.listener("alarm/", "gap/", "window/"), rig.device()
        device.greet("203", 7)
        send(device, 0, 5)
        device.until_acked(5 * RATE)
        full(True)
        send(device, 5, 40)
        listener.until(messages.Window, "203", first=38 * RATE)
        assert listener.all(messages.Gap, "203") == []
        full(False)
        device.until_acked(40 * RATE)
        gap = listener.until(messages.Gap, "203")
        listener.until(messages.Alarm, None, kind="disk", state="cleared")
        device.finish(40 * RATE)
    assert gap.judged
    assert gap.first == 5 * RATE
    assert 25 * RATE <= gap.count <= 28 * RATE
    assert [m for m in journal_messages(rig.journal) if isinstance(m, messages.Gap)] == [gap]
    after, before = captures(folder, "203")
    assert (before.first, before.stop) == (0, 5 * RATE)
    assert (after.first, after.stop) == (gap.first + gap.count, 40 * RATE)
    lines = [r.getMessage() for r in caplog.records if r.name == "monitor.storage.disk_trouble"]
    assert lines[-1].endswith(f"not_kept={gap.count}")


def test_a_failing_disk_is_reported_although_it_is_known_to_be_nearly_full(tmp_path, full):
    with Rig(tmp_path, captured=tmp_path / "captured", disk_free_mb=1e12) as rig:
        listener, device = rig.newcomer("alarm/"), rig.device()
        low = listener.until(messages.Alarm, None, kind="disk-low")
        seen = messages.Acknowledge(wearer=None, alarm=low.alarm, by="Ann")
        assert listener.asks(seen) == messages.Done()
        full(True)
        device.greet("203", 7)
        send(device, 0, 4)
        fails = listener.until(messages.Alarm, None, kind="disk")
        assert (fails.state, fails.priority) == ("raised", "medium")
        full(False)
        listener.until(messages.Alarm, None, kind="disk", state="cleared")
        assert listener.all(messages.Alarm, None, kind="disk-low", state="cleared") == []


def test_a_disk_alarm_of_version_0_1_0_hides_neither_condition(tmp_path):
    """It was one kind then; nearly full, acknowledged, it would have hidden that writes fail."""
    old = messages.Alarm(
        wearer=None,
        stream=None,
        alarm=3,
        kind="disk",
        priority="medium",
        category="technical",
        state="acknowledged",
        at=None,
        time=1e9,
        text="8 MB are free on the disk: make room",
        by="Ann",
    )
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.append([old])
    with Rig(tmp_path, disk_free_mb=1e12) as rig:
        listener = rig.newcomer("alarm/")
        assert listener.until(messages.Alarm, None, kind="disk-low").state == "raised"
    states = [
        (m.kind, m.state) for m in journal_messages(rig.journal) if isinstance(m, messages.Alarm)
    ]
    assert states == [("disk", "acknowledged"), ("disk", "cleared"), ("disk-low", "raised")]


@pytest.fixture
def synced(monkeypatch):
    """The files and folders that were forced to disk by now."""
    paths = []

    def noted(sync):
        def noting(handle):
            sync(handle)
            paths.append(str(Path(f"/proc/self/fd/{handle}").readlink()))

        return noting

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, noted(getattr(os, name)))
    return paths


def test_what_is_acknowledged_is_synced_its_names_included(tmp_path, synced):
    folder, name = tmp_path / "captured", "0000000000000007-0000000000000000000"
    samples = str(folder / "203" / f"{name}.dat")
    with Rig(tmp_path, captured=folder) as rig:
        device = rig.device()
        device.greet("203", 7)
        device.send(0, STILL[:10])
        device.until_acked(10)
        header = str(folder / "203" / f".{name}.hea.new")
        assert {str(tmp_path), str(folder), header, samples} <= set(synced)
        assert str(folder / "203") in synced[synced.index(samples) :]
        synced.clear()
        device.send(10, STILL[10:20])  # the end of a stream, however short
        device.finish(20)
        assert samples in synced
    synced.clear()
    with Rig(tmp_path, captured=folder) as rig:
        assert rig.device().greet("203", 7).next == 20
        assert samples in synced  # this monitor does not know whether the one before had time
