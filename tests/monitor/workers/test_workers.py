"""Worker processes that share the wearers behind one front, as processes and over sockets."""

import json
import os
import re
import signal
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise

import pytest
import zmq

from ecgmon.models.resolve import atrial_of, resolve, rhythms_of
from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from replay.simulator.simulation import simulate
from tests.support.rig import Listener, Rig, Wearable
from tests.support.subprocesses import ECGMON, environment, start
from tests.survival.conftest import Playing

pytestmark = pytest.mark.thorough

SPEED = 10
"""Times real time."""
SECONDS = 60
SCENARIOS = ("asystole", "bradycardia", "tachycardia", "premature")
PROMPT_S = 2.0
"""A monitor ends within this time."""
PAUSE_S = 1.5
"""Longest pause in the messages of a wearer whose worker lives; at this speed 0.1 s are usual."""
ANYWHERE = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")


@contextmanager
def serving(folder, *options):
    """Run a monitor; yields its process, its endpoints and its workers' process ids."""
    env = environment(folder, ECGMON_STATE=folder / "state", ECGMON_CONFIG=folder / "ecgmon.toml")
    with start(ECGMON, "serve", *ANYWHERE, *options, folder=folder, env=env) as process:
        count = "workers=" if options else ""
        ready = process.wait_for(rf"event=ready ingest=(\S+) publish=(\S+) ?{count}")
        yield process, ready[1], ready[2]


def workers(process):
    """Return the process ids of the workers that were started, in order."""
    return [int(pid) for pid in re.findall(r"event=worker-started \S+ pid=(\d+)", process.written)]


def told(folder, *kinds):
    """Return what was journalled of each wearer, in order, without times of the wall clock."""
    with closing(sqlite3.connect(folder / "state" / "journal.db")) as db:
        rows = db.execute("SELECT type, wearer, message FROM journal ORDER BY id").fetchall()
    found = {}
    for kind, wearer, text in rows:
        message = json.loads(text)
        if kind in kinds and message.get("kind") not in ("silent", "lag", "rate"):
            left_out = ("time", "stream", "beats")
            found.setdefault(wearer, []).append(
                {key: value for key, value in message.items() if key not in left_out}
            )
    return found


def records():
    return [
        simulate(scenario, seed=3, duration_s=SECONDS, wearer=scenario).record
        for scenario in SCENARIOS
    ]


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


def play(context, endpoint, speed, meanwhile):
    """Play all records at once to the end; returns the devices."""
    playing = [Playing(context, record, endpoint, speed) for record in records()]
    waiting = list(playing)
    while waiting:
        waiting = [one for one in waiting if one.turn()]
        meanwhile(playing)
    for one in playing:
        one.device.close()
    return [one.device for one in playing]


def quiet(folder):
    """Play to a monitor of one process that nobody disturbs; returns its folder."""
    models = {"resolve_rhythms": rhythms_of, "resolve_atrial": atrial_of}
    with Rig(folder / "state", resolve=lambda wearer: resolve(None, wearer), **models) as rig:
        play(rig.context, rig.monitor.ingest, float("inf"), lambda _: None)
    return folder


def test_a_worker_that_is_killed_takes_nothing_with_it(tmp_path, context):
    (tmp_path / "ecgmon.toml").write_text("")
    (tmp_path / "quiet").mkdir()
    alone = quiet(tmp_path / "quiet")
    with ExitStack() as stack:
        process, ingest, publish = stack.enter_context(serving(tmp_path, "--workers", 2))
        listener = Listener(context, publish).subscribed()
        stack.callback(listener.socket.close)
        first, second = workers(process)
        heard = {}
        began, killed_at = time.monotonic(), []

        def meanwhile(playing):
            before = len(listener.received)
            listener.take()
            now = time.monotonic()
            for message in listener.received[before:]:
                if isinstance(message, messages.Window):
                    heard.setdefault(message.wearer, []).append(now)
            if not killed_at and now - began > SECONDS / SPEED / 2:
                os.kill(first, signal.SIGKILL)
                killed_at.append(now)

        devices = play(context, ingest, SPEED, meanwhile)
        assert killed_at
        moved = {one for one, device in zip(SCENARIOS, devices, strict=True) if device.reconnects}
        assert 1 <= len(moved) <= 3, "some wearers have moved, and others have not"
        for wearer, times in heard.items():
            if wearer not in moved:
                gaps = [b - a for a, b in pairwise(times)]
                assert max(gaps) < PAUSE_S
        process.wait_for(r"worker=3")
        ended_at = time.monotonic()
        assert process.end(signal.SIGTERM).code == 0
        assert time.monotonic() - ended_at < PROMPT_S
    assert second in workers(process)
    assert told(tmp_path, "alarm") == told(alone, "alarm")
    assert told(tmp_path, "window") == told(alone, "window")
    assert not told(tmp_path, "gap")
    folder = tmp_path / "state" / "captured"
    for device, record in zip(devices, records(), strict=True):
        assert device.figures()["samples_acknowledged"] == len(record.samples)
        stop = max(one.stop for one in captures(folder, record.wearer))
        stored = captured.read(folder, record.wearer, device.stream, 0, stop)
        assert list(stored.samples) == list(record.samples)


def test_workers_share_the_places_read_the_configuration_again_and_none_outlives_the_front(
    tmp_path, context
):
    config = tmp_path / "ecgmon.toml"
    config.write_text("[limits]\nwearers = 3\n")
    with serving(tmp_path, "--workers", 2) as (process, ingest, publish), ExitStack() as stack:
        for number, wearer in enumerate(SCENARIOS):
            device = Wearable(context, ingest)
            stack.callback(device.socket.close)
            if number < 3:
                device.greet(wearer, number)
            else:
                device.hello(wearer, number)
                device.is_refused("watches 3 wearers already")
        viewer = Listener(context, publish).subscribed()
        stack.callback(viewer.socket.close)
        assert {m.wearer for m in viewer.received if isinstance(m, messages.Opened)} == {
            *SCENARIOS[:3]
        }, "the snapshot has the wearers of both"
        for wearer in SCENARIOS[:3]:
            pause = messages.Pause(wearer=wearer, kind="abnormal", seconds=60, by="nurse")
            assert viewer.asks(pause) == messages.Done()
            viewer.until(messages.Paused, wearer)
            seen = messages.Acknowledge(wearer=wearer, alarm=9, by="nurse")
            assert isinstance(viewer.asks(seen), messages.Refused)
        viewer.until(messages.Alarm, None, kind="room")  # the fourth was refused
        past = viewer.asks(messages.History(wearer=None))
        assert {entry.wearer for entry in past.entries} == {None, *SCENARIOS[:3]}
        nobody = messages.Acknowledge(wearer="nobody", alarm=1, by="nurse")
        assert viewer.asks(nobody).reason == "nobody is not watched."
        pids = workers(process)
        config.write_text("[limits]\nwearers = 3\n[storage]\ndisk_free_mb = 999999999\n")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for("event=reloaded")
        deadline = time.monotonic() + 10
        while not any(a["kind"] == "disk-low" for a in told(tmp_path, "alarm").get("", [])):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        low = viewer.until(messages.Alarm, None, kind="disk-low")
        seen = messages.Acknowledge(wearer=None, alarm=low.alarm, by="nurse")
        assert viewer.asks(seen) == messages.Done()
        process.process.kill()
        deadline = time.monotonic() + PROMPT_S
        while any(map(lives, pids)):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def lives(pid):
    """Tell whether a process runs; one that has ended and was not asked how does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - no file of a folder
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
