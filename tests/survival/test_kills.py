"""A monitor that is killed again and again loses nothing and raises no alarm twice."""

import json
import signal
import socket
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from replay.simulator.simulation import simulate
from tests.support.subprocesses import ECGMON, environment, start
from tests.survival.conftest import Playing

SPEED = 6
"""Times real time."""
LIFE_S = (0.1, 1.6)
"""Seconds that a monitor lives once the device is back."""
LAST_S = 3.0
"""Seconds for which the last of many monitors is watched."""
BY_TIME = ("silent", "lag")
"""Alarms of the link, which depend on when the monitor was down."""


def free_endpoints():
    """Return two endpoints that a monitor can bind again and again."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        return [f"tcp://127.0.0.1:{server.getsockname()[1]}" for server in servers]


class Mortal:
    """A monitor in a process of its own, always at the same endpoints and on the same files."""

    def __init__(self, folder, workers=0):
        self.folder = folder
        self.workers = workers
        self.env = environment(folder, ECGMON_STATE=folder / "state")
        self.ingest, self.publish = free_endpoints()
        self.lives = 0

    @contextmanager
    def living(self):
        command = (ECGMON, "serve", "--ingest", self.ingest, "--publish", self.publish)
        command += ("--workers", self.workers) if self.workers else ()
        self.lives += 1
        with start(*command, folder=self.folder / f"life-{self.lives}", env=self.env) as process:
            yield process

    def journal(self, *kinds):
        """Return what was journalled, in order."""
        with closing(sqlite3.connect(self.folder / "state" / "journal.db")) as db:
            rows = db.execute("SELECT type, message FROM journal ORDER BY id").fetchall()
        return [json.loads(text) for kind, text in rows if kind in kinds]

    def samples(self, wearer, stream):
        """Return all that is on disk of a stream; none of its records overlap."""
        held = sorted(
            (r for r in captures(self.folder / "state" / "captured", wearer) if r.stream == stream),
            key=lambda record: record.first,
        )
        assert all(one.stop <= other.first for one, other in pairwise(held))
        folder = self.folder / "state" / "captured"
        return captured.read(folder, wearer, stream, held[0].first, held[-1].stop).samples


@pytest.fixture
def mortal(tmp_path):
    return lambda name, workers=0: Mortal(tmp_path / name, workers)


def history(monitor):
    """Return the messages about alarms of the signal, in order."""
    return [
        (alarm["alarm"], alarm["kind"], alarm["state"], alarm["at"], alarm["by"])
        for alarm in monitor.journal("alarm")
        if alarm["kind"] not in BY_TIME and alarm["at"] is not None
    ]


def windows(monitor):
    """Return the verdict of each second; repeated messages about a second must be equal."""
    return {w["first"]: (w["state"], w["abnormal"]) for w in monitor.journal("window")}


def play(monitor, context, record, deaths=(), speed=SPEED):
    """Play a record to a monitor that dies so long after the device is back, and returns."""
    deaths, stack = list(deaths), ExitStack()
    process = stack.enter_context(monitor.living())
    process.wait_for("event=ready")
    playing = Playing(context, record, monitor.ingest, speed)
    back_at = time.monotonic()
    while playing.turn():
        if deaths and back_at is not None and time.monotonic() - back_at >= deaths[0]:
            deaths.pop(0)
            process.process.send_signal(signal.SIGKILL)
            stack.close()
            process = stack.enter_context(monitor.living())
            back_at = None
        if back_at is None and playing.device.reconnects == monitor.lives - 1:
            back_at = time.monotonic()
        last = monitor.lives > 1 and not deaths and back_at is not None
        if last and time.monotonic() - back_at > LAST_S:
            playing.device.stop()
    playing.device.close()
    assert not deaths
    assert process.end(signal.SIGTERM).code == 0
    stack.close()
    return playing.device


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kills", "workers"),
    [
        (2, 0),
        pytest.param(50, 0, marks=pytest.mark.slow),
        pytest.param(20, 2, marks=pytest.mark.slow),
    ],
)
def test_a_monitor_killed_at_random_moments_loses_nothing(mortal, context, chance, kills, workers):
    record = simulate("asystole", seed=3, duration_s=3600, wearer="ann").record
    quiet, killed = mortal("quiet"), mortal("killed", workers)
    (quiet.folder).mkdir()
    (killed.folder).mkdir()
    device = play(killed, context, record, [chance.uniform(*LIFE_S) for _ in range(kills)])
    record = replace(record, samples=record.samples[: device.sent])
    assert device.figures()["samples_acknowledged"] == len(record.samples)
    assert device.reconnects >= kills
    assert list(killed.samples("ann", device.stream)) == list(record.samples)
    play(quiet, context, record, speed=float("inf"))
    assert history(killed) == history(quiet)
    assert any(kind == "asystole" for _, kind, *_ in history(quiet))
    assert windows(killed) == windows(quiet)
    assert not killed.journal("gap")


@pytest.mark.thorough
def test_what_was_acknowledged_or_paused_stays_so_after_a_kill(mortal, context):
    monitor = mortal("monitor")
    monitor.folder.mkdir()
    record = simulate("asystole", seed=3, duration_s=60, wearer="ann").record
    wanted = topics([messages.Alarm, messages.Paused, messages.Window])
    with monitor.living() as process:
        process.wait_for("event=ready")
        viewer = ViewerClient(context, monitor.publish, wanted)
        playing = Playing(context, record, monitor.ingest, 2 * SPEED)
        published = []
        while playing.turn():
            published += viewer.drain(100)
            if any(getattr(m, "kind", None) == "asystole" for m in published):
                break
        latest = {m.kind: m for m in published if isinstance(m, messages.Alarm)}
        viewer.say(messages.Acknowledge(wearer="ann", alarm=latest["asystole"].alarm, by="nurse"))
        viewer.say(messages.Pause(wearer="ann", kind="abnormal", seconds=600, by="nurse"))
        while not any(isinstance(m, messages.Paused) for m in published):
            playing.turn()
            published += viewer.drain(100)
        process.process.send_signal(signal.SIGKILL)
    acknowledged = [m for m in published if getattr(m, "state", None) == "acknowledged"]
    assert [m.alarm for m in acknowledged] == [latest["asystole"].alarm]
    with monitor.living() as process:
        process.wait_for("event=ready")
        late, received = ViewerClient(context, monitor.publish, wanted), []
        deadline = time.monotonic() + 20
        while not any(isinstance(m, messages.Subscribed) for m in received):
            assert time.monotonic() < deadline
            late.socket.poll(20)
            received += late.drain(100)
        assert acknowledged[0] in received
        assert [m.kind for m in received if isinstance(m, messages.Paused)] == ["abnormal"]
        while playing.turn():
            received += late.drain(100)
        again = [
            m for m in received if getattr(m, "kind", None) == "asystole" and m.state == "raised"
        ]
        assert again == []
        assert process.end(signal.SIGTERM).code == 0
    playing.device.close()
    for one in (viewer, late):
        one.socket.close(linger=0)
    states = [state for _, kind, state, *_ in history(monitor) if kind == "asystole"]
    assert states == ["raised", "acknowledged", "cleared"]
