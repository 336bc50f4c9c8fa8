"""The machine's clock is set an hour forward and back while wearers are watched."""

import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest

from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from replay.simulator.simulation import simulate
from tests.support.subprocesses import start
from tests.survival.conftest import Playing
from tests.survival.test_kills import Mortal, history, windows

HOUR_S = 3600
SHIM = Path(__file__).with_name("clock.c")


class Clock:
    """The wall clock of a process that has the shim."""

    def __init__(self, folder):
        self.file, library = folder / "step", folder / "clock.so"
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler: the wall clock of a process cannot be set here")
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"]
        subprocess.run(command, check=True)  # noqa: S603 - our own file
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_STEP": str(self.file)}

    def set(self, seconds):
        # In place, for it is mapped.
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("<q", seconds))


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def test_the_shim_sets_a_clock(clock, tmp_path):
    code = "import time; print(time.time())"
    for step in (0, HOUR_S, -HOUR_S):
        clock.set(step)
        with start("python3", "-c", code, folder=tmp_path / "x", env=clock.environment) as run:
            published = float(run.end().out)
        assert published == pytest.approx(time.time() + step, abs=5)


@pytest.mark.thorough
def test_steps_of_an_hour_both_ways_change_no_alarm_and_lose_nothing(clock, context, tmp_path):
    record = simulate("asystole", seed=3, duration_s=60, wearer="ann").record
    stepped, steady = Mortal(tmp_path / "stepped"), Mortal(tmp_path / "steady")
    for monitor in (stepped, steady):
        monitor.folder.mkdir()
    stepped.env |= clock.environment
    pauses = []
    for monitor, steps in ((steady, []), (stepped, [HOUR_S, -HOUR_S, 0])):
        with monitor.living() as process:
            process.wait_for("event=ready")
            viewer = ViewerClient(context, monitor.publish, topics([messages.Paused]))
            speed = 12 if monitor is stepped else float("inf")
            playing = Playing(context, record, monitor.ingest, speed)
            asked, step_at = False, time.monotonic() + 1.2
            while playing.turn():
                pauses += [m for m in viewer.drain(50) if isinstance(m, messages.Paused)]
                if steps and time.monotonic() >= step_at:
                    clock.set(steps.pop(0))
                    step_at = time.monotonic() + 1.2
                if monitor is stepped and playing.device.publish and not asked:
                    pause = messages.Pause(wearer="ann", kind="noisy", seconds=1800, by="nurse")
                    asked = viewer.say(pause)
            playing.device.close()
            viewer.socket.close(linger=0)
            assert process.end(signal.SIGTERM).code == 0
    assert history(stepped) == history(steady) != []
    assert windows(stepped) == windows(steady)
    # A step forward ends a pause early, which is safe; none lasts longer than was asked for.
    assert all(m.until is None or m.until - m.time <= 1800 for m in pauses)
    assert pauses[-1].until is None
    clock.set(0)
    with stepped.living() as process:  # and a restart finds all of it
        process.wait_for("event=ready")
