"""A disk that fills, fails, is slow or hangs: acknowledged samples are stored, all are judged."""

import errno
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from replay.simulator.simulation import simulate
from tests.examples.test_examples import EXAMPLES
from tests.support.faulty_disk import FaultyDisk, Watching
from tests.support.subprocesses import start

FAST, SPEED = 10, 6
"""Times real time."""


def record(seconds):
    return simulate("asystole", seed=3, duration_s=seconds, wearer="ann").record


def own(scene):
    """Return the states of the monitor's own alarms, in order."""
    return [(m.kind, m.state) for m in scene.all(messages.Alarm, wearer=None)]


@pytest.fixture
def monitor(tmp_path):
    return FaultyDisk(tmp_path / "monitor")


@pytest.mark.thorough
def test_asystole_is_alarmed_while_the_disk_hangs(monitor, context):
    with Watching(context, monitor, record(60), FAST) as scene:
        scene.until(lambda: scene.judged() >= 8 * 360)
        monitor.disk("hanging")
        # It begins 25 s later: a device that waits for acknowledgements has stopped by then.
        scene.until(lambda: scene.all(messages.Alarm, kind="asystole"), within_s=25)
        (published,) = scene.all(messages.Alarm, kind="asystole")
        assert scene.device.retransmit.start < 11 * 360 < published.at < scene.judged() + 10 * 360
        scene.until(lambda: ("disk", "raised") in own(scene))
        scene.assert_honest()
        monitor.disk("well")
        scene.device.stop()
        scene.finish()
        assert (scene.on_disk()[: scene.device.retransmit.end] == 1).all()
        assert scene.device.retransmit.dropped == 0
        assert monitor.journal("gap") == []


@pytest.mark.thorough
def test_a_disk_that_fails_acknowledges_nothing_until_it_has_what_it_missed(monitor, context):
    with Watching(context, monitor, record(40), FAST) as scene:
        scene.until(lambda: scene.device.retransmit.start >= 5 * 360)
        monitor.disk("failing", errno.ENOSPC)
        scene.for_s(1)
        acknowledged, judged = scene.device.retransmit.start, scene.judged()
        scene.until(lambda: scene.judged() >= judged + 15 * 360)
        assert scene.device.retransmit.start == acknowledged
        scene.assert_honest()
        monitor.disk("well")
        scene.finish()
        assert (scene.on_disk() == 1).all()
        assert own(scene) == [("disk", "raised"), ("disk", "cleared")]
        logged = [line for line in scene.process.written.splitlines() if "event=disk-" in line]
        assert "event=disk-failing" in logged[0]
        assert "not_kept=0" in logged[-1]


@pytest.mark.slow
def test_a_monitor_killed_while_its_disk_is_slow_fails_or_hangs_loses_nothing(monitor, context):
    with Watching(context, monitor, record(600), SPEED) as scene:
        scene.for_s(4)
        troubles = [
            ("slow", 500, False),
            ("hanging", 0, False),
            ("failing", errno.EROFS, False),
            ("failing", errno.EIO, True),
            ("hanging", 0, True),
        ]
        for how, value, kills in troubles:
            judged = scene.judged()
            monitor.disk(how, value)
            scene.for_s(8)
            assert scene.judged() > judged + 6 * 360, how
            scene.assert_honest()
            if kills:
                scene.kill()
            monitor.disk("well")
            if kills:
                scene.live()
            scene.for_s(6)
        scene.finish()
        assert (scene.on_disk() == 1).all()


@contextmanager
def small_disk(folder, size):
    """Let a folder be a disk of its own; skips where that cannot be."""
    folder.mkdir()
    mount = shutil.which("mount")
    given = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if mount is None or subprocess.run(given, check=False).returncode:  # noqa: S603 - ours
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run([shutil.which("umount"), "-l", folder], check=True)  # noqa: S603 - ours


@pytest.mark.slow
def test_a_disk_that_fills_up_is_alarmed_though_it_was_known_to_be_nearly_full(monitor, context):
    monitor.env["ECGMON_STORAGE_DISK_FREE_MB"] = "8"
    with (
        small_disk(monitor.state, "16m"),
        Watching(context, monitor, record(300), SPEED) as scene,
        (monitor.state / "filler").open("wb", buffering=0) as filler,
    ):
        scene.until(lambda: scene.device.retransmit.start >= 5 * 360)
        filler.write(bytes(9_000_000))
        scene.until(lambda: scene.all(messages.Alarm, kind="disk-low"))
        low = scene.all(messages.Alarm, kind="disk-low")[0].alarm
        scene.say(messages.Acknowledge(wearer=None, alarm=low, by="a nurse"))
        scene.until(lambda: ("disk-low", "acknowledged") in own(scene))
        with suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        scene.until(lambda: ("disk", "raised") in own(scene))
        judged = scene.judged()
        scene.for_s(8)
        assert scene.judged() > judged + 20 * 360
        scene.assert_honest()
        scene.kill()
        filler.truncate(0)
        scene.live()
        scene.for_s(3)
        scene.device.stop()
        scene.finish()
        assert (scene.on_disk()[: scene.device.retransmit.end] == 1).all()
        assert scene.device.retransmit.dropped == 0
        assert monitor.journal("gap") == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", "c"])
def test_an_example_loses_nothing_when_a_monitor_with_a_hanging_disk_is_killed(
    monitor, tmp_path, language
):
    command = [sys.executable, "-u", EXAMPLES / "device.py", monitor.ingest, "ann", "--seconds=30"]
    if language == "c":
        if not (shutil.which("gcc") and Path("/usr/include/zmq.h").exists()):
            pytest.skip("needs gcc and zmq.h: apt install gcc libzmq3-dev")
        program, source = tmp_path / "device", EXAMPLES / "device.c"
        build = ["gcc", "-std=c11", "-O2", "-o", program, source, "-lzmq", "-lm"]
        subprocess.run(build, check=True)  # noqa: S603 - our own file
        command = [program, monitor.ingest, "ann", "360", "30"]
    with ExitStack() as stack:
        process = stack.enter_context(monitor.living())
        process.wait_for("event=ready")
        device = stack.enter_context(start(*command, folder=tmp_path / "dev", env=monitor.env))
        device.wait_for("welcome")
        time.sleep(5)
        monitor.disk("hanging")
        time.sleep(14)
        process.process.kill()
        process.process.wait()
        monitor.disk("well")
        again = stack.enter_context(monitor.living())
        again.wait_for("event=ready")
        assert device.end().code == 0
        again.process.terminate()
        assert again.process.wait() == 0
    folder = monitor.state / "captured"
    (stream,) = {one.stream for one in captures(folder, "ann")}
    samples = captured.read(folder, "ann", stream, 0, 30 * 360).samples
    assert not (samples == NO_VALUE).any()
    assert monitor.journal("gap") == []
