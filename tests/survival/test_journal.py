"""A journal that another program locks, or that is damaged: which messages are written."""

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.wire import messages
from replay.simulator.simulation import simulate
from tests.monitor.storage.test_journal import journal_messages
from tests.support.rig import Rig
from tests.support.subprocesses import ecgmon
from tests.survival.conftest import Playing
from tests.survival.test_kills import Mortal

RATE = 360
CALM = simulate("normal", duration_s=120).record.samples
TOLD_S = 3.0
"""Longest an alarm waits for the disk, 2 s, and some."""


def monitor(folder):
    return Rig(folder, captured=folder / "captured")


def of(path, kind):
    return [m for m in journal_messages(path) if isinstance(m, kind)]


@pytest.mark.parametrize("lock_s", [2, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("then", ["unlocked", "killed"])
def test_a_journal_that_is_locked_for_a_while_lacks_nothing_afterwards(tmp_path, lock_s, then):
    path, again = tmp_path / "first" / "journal.db", tmp_path / "second"
    seconds = 2 * lock_s + 6
    with monitor(tmp_path / "first") as rig, closing(sqlite3.connect(path)) as other:
        other.isolation_level = None
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(CALM[: 2 * RATE])
        device.until_acked(2 * RATE)
        listener.until(messages.Window, "203", first=0)
        other.execute("BEGIN IMMEDIATE")
        at = 5 * RATE  # three seconds are missing
        device.send_all(CALM[at : (lock_s + 5) * RATE], first=at)
        at = (lock_s + 5) * RATE
        began = time.monotonic()
        device.send_all(np.full(4 * RATE, NO_VALUE), first=at)
        raised = listener.until(messages.Alarm, "203", kind="no-signal", state="raised")
        assert time.monotonic() - began < TOLD_S
        at += 4 * RATE
        while time.monotonic() - began < lock_s:
            time.sleep(0.1)
        if then == "killed":
            device.until_acked(at)
            shutil.copytree(path.parent, again, ignore=shutil.ignore_patterns("*-shm"))
            other.execute("ROLLBACK")
        else:
            other.execute("ROLLBACK")
            device.send_all(CALM[at : seconds * RATE + 9 * RATE], first=at)
            device.until_acked(seconds * RATE + 9 * RATE)
            listener.until(messages.Window, "203", first=(seconds + 7) * RATE)
    if then == "killed":
        path = again / "journal.db"
        assert len(of(path, messages.Window)) < at // RATE - 1
        with monitor(again) as rig:
            device = rig.device()
            assert device.greet("203", 7).next == at
            device.send_all(CALM[at : seconds * RATE + 9 * RATE], first=at)
            device.finish(seconds * RATE + 9 * RATE)
    windows = [window.first for window in of(path, messages.Window)]
    assert windows[: seconds + 8] == [RATE * n for n in range(seconds + 8)]
    if then == "unlocked":
        assert [(gap.first, gap.count) for gap in of(path, messages.Gap)] == [(2 * RATE, 3 * RATE)]
    states = [(m.alarm, m.state) for m in of(path, messages.Alarm) if m.kind == "no-signal"]
    assert (raised.alarm, "raised") in states


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_a_monitor_whose_journal_is_damaged_starts_and_says_so(tmp_path, context, damage):
    (tmp_path / "monitor").mkdir()
    mortal = Mortal(tmp_path / "monitor")
    record = simulate("asystole", seed=3, duration_s=60, wearer="ann").record
    with mortal.living() as process:
        process.wait_for("event=ready")
        playing = Playing(context, record, mortal.ingest, float("inf"))
        while playing.turn() and playing.device.figures()["samples_acknowledged"] < 50 * RATE:
            pass
        time.sleep(1.5)  # windows are written a second late
        process.process.send_signal(signal.SIGKILL)
    playing.device.close()
    path = mortal.folder / "state" / "journal.db"
    before = [m for m in mortal.journal("alarm") if m["kind"] == "asystole"]
    assert before
    data = path.read_bytes()
    damaged = (
        data[: len(data) // 2 + 100] if damage == "truncated" else b"\xaa" * 4096 + data[4096:]
    )
    path.write_bytes(damaged)
    readable = [m for m in before if f'"time":{m["time"]}'.encode() in damaged]
    assert readable or damage == "truncated"
    with mortal.living() as process:
        process.wait_for("event=ready")
        env = mortal.env | {"ECGMON_NETWORK_PUBLISH": mortal.publish}
        published = json.loads(ecgmon("status", mortal.publish, "--json", "-", env=env).out)
        assert [alarm["kind"] for alarm in published["monitor"]["alarms"]] == ["journal"]
        doctor = json.loads(ecgmon("doctor", "--json", "-", env=env).out)
        assert process.end(signal.SIGTERM).code == 0
    assert any("a journal was damaged; it is now" in f["text"] for f in doctor)
    asides = [p for p in path.parent.iterdir() if ".damaged-" in p.name and p.suffix != ".lock"]
    assert asides
    after = [m for m in mortal.journal("alarm") if m["kind"] == "asystole"]
    assert after[: len(readable)] == readable  # then active alarms are written again
    assert all(m in readable for m in after)
