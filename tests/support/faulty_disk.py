"""Monitors whose disk is slow, fails or hangs, and what must be left in the end."""

import shutil
import struct
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from tests.survival.conftest import Playing
from tests.survival.test_kills import Mortal

SHIM = Path(__file__).with_name("disk.c")
FAULTS = {"well": 0, "slow": 1, "failing": 2, "hanging": 3}
PATIENCE_S = 60


class FaultyDisk(Mortal):
    """A monitor in a process whose writes below its state folder fail as the test chooses."""

    def __init__(self, folder):
        folder.mkdir()
        super().__init__(folder)
        self._file, library = folder / "fault", folder / "disk.so"
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler: a disk cannot be made to fail here")
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"]
        subprocess.run(command, check=True)  # noqa: S603 - our own file
        self.disk("well")
        self.state = folder / "state"
        self.env |= {
            "LD_PRELOAD": str(library),
            "DISK_FAULT": str(self._file),
            "DISK_BELOW": str(self.state.resolve()),
        }

    def disk(self, how, value=0):
        """Let the disk be *well*, *slow* by so many ms, *failing* with an errno, or *hanging*."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:  # it is mapped
            file.write(struct.pack("<2i", FAULTS[how], value))


class Watching:
    """A device that plays to a monitor, and a viewer that receives the messages about it."""

    def __init__(self, context, monitor, record, speed):
        self.monitor, self.record = monitor, record
        self.received = []
        self._stack = ExitStack()
        self.live()
        self._viewer = ViewerClient(
            context, monitor.publish, topics([messages.Alarm, messages.Window, messages.Gap])
        )
        self._playing = Playing(context, record, monitor.ingest, speed)
        self.device = self._playing.device

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._playing.device.close()
        self._viewer.socket.close(linger=0)
        self._stack.close()

    def live(self):
        """Start a monitor."""
        self.process = self._stack.enter_context(self.monitor.living())
        self.process.wait_for("event=ready")
        self._born = len(self.received)

    def kill(self):
        """Let the monitor die at once."""
        self.process.process.kill()
        self.process.process.wait()

    def until(self, condition, within_s=PATIENCE_S):
        """Play until a condition holds."""
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, self.process.written
            self._turn()

    def for_s(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def _turn(self):
        if not self.device.finished:
            self._playing.turn()
        else:
            time.sleep(0.01)
        self._viewer.keep_alive()
        self.received += self._viewer.drain(1000)

    def all(self, kind, /, **fields):
        return [
            m
            for m in self.received
            if isinstance(m, kind) and all(getattr(m, f) == value for f, value in fields.items())
        ]

    def say(self, message):
        assert self._viewer.say(message)

    def judged(self):
        """Return up to which sample the wearer was judged."""
        return max((m.first + 360 for m in self.all(messages.Window)), default=0)

    def finish(self):
        """Play to the end and stop the monitor."""
        self.until(lambda: self.device.finished)
        self.until(self._clear)
        self.process.process.terminate()
        assert self.process.process.wait(PATIENCE_S) == 0

    def _clear(self):
        """Return whether none of the monitor's own alarms is active, by the messages received."""
        published = [m for m in self.received[self._born :] if isinstance(m, messages.Alarm)]
        own = {m.alarm: m.state for m in published if m.wearer is None}
        return set(own.values()) <= {"cleared"}

    def on_disk(self):
        """Return how often each sample is on disk; what is there is right."""
        times = np.zeros(len(self.record.samples), dtype=int)
        folder = self.monitor.state / "captured"
        for one in captures(folder, self.record.wearer) if folder.exists() else ():
            samples = one.read(one.first, one.stop).samples
            there = samples != NO_VALUE
            right = samples == self.record.samples[one.first : one.stop]
            assert right[there].all()
            times[one.first : one.stop] += there
        return times

    def assert_honest(self):
        """Assert that acknowledged samples are on disk, or in a gap that the journal records."""
        acknowledged = self.device.retransmit.start
        retransmit = self.on_disk()[:acknowledged] == 1
        for gap in self.monitor.journal("gap"):
            assert gap["judged"]
            retransmit[gap["first"] : gap["first"] + gap["count"]] = True
        assert retransmit.all(), np.flatnonzero(~retransmit)[[0, -1]]
