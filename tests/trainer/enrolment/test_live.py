"""Following a wearer live: a real monitor, a real device, and the progress messages."""

import contextlib
import io
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import monitor.storage.job_queue
import monitor.storage.sample_queue
from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon.keys.address import MonitorAddress
from ecgmon.records.captured import reader as captured
from ecgmon.wire import messages
from replay.simulator.simulation import simulate
from tests.support.rig import PATIENCE_S, Rig
from tests.support.subprocesses import start
from trainer.enrolment import live
from trainer.enrolment.live_seconds import REMARKS

ROOT = Path(__file__).parents[3]
RATE = 360
GOOD = simulate("normal", duration_s=60).record.samples
OFF = np.full(60 * RATE, NO_VALUE, dtype=np.int16)
NOISE = np.random.default_rng(1).normal(0, 400, 60 * RATE).astype(np.int16)
CLIPPED = np.clip(GOOD, None, int(0.5 * GOOD.max()))


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """The same waits, but short: a second of signal takes a few milliseconds here."""
    monkeypatch.setattr(monitor.storage.job_queue, "COALESCE_S", 0.005)
    monkeypatch.setattr(monitor.storage.sample_queue, "QUIET_S", 0.005)
    for name, value in {"CONNECT_S": 0.5, "GRACE_S": 0.1, "DISK_S": 0.5, "GONE_S": 2.0}.items():
        monkeypatch.setattr(live, name, value)


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path / "rig", captured=tmp_path / "captured") as rig:
        yield rig


class Following(threading.Thread):
    """`follow` in a thread; ends with what it returns or raises."""

    def __init__(self, rig, folder, seconds, wearer="ann"):
        super().__init__(daemon=True)
        self._given = (wearer, seconds, MonitorAddress(rig.monitor.publish), folder / "captured")
        self.found = self.error = None
        self.start()

    def run(self):
        try:
            self.found = live.follow(*self._given)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def end(self):
        self.join(PATIENCE_S)
        assert not self.is_alive()
        return self.error or self.found


def play(device, samples, following, then=None, switch=None):
    """Send a signal over and over, a second every few milliseconds, while it is followed.

    After ``switch`` is set, it is another one.
    """
    sent, deadline = [], time.monotonic() + PATIENCE_S
    while following.is_alive():
        at = len(sent) * RATE
        chosen = then if switch is not None and switch.is_set() else samples
        second = np.take(chosen, range(at, at + RATE), mode="wrap")
        device.send(at, second)
        sent.append(second)
        device.until_acked(at + RATE)
        following.join(0.01)
        assert time.monotonic() < deadline
    return np.concatenate(sent)


def test_the_wanted_seconds_are_found_on_disk_and_problems_are_reported(rig, tmp_path, capsys):
    device = rig.device()
    device.greet("ann", 7)
    bad = [kind[: 6 * RATE] for kind in (OFF, NOISE, CLIPPED)]
    following = Following(rig, tmp_path, 45)
    sent = play(device, np.concatenate([GOOD[: 12 * RATE], *bad, GOOD]), following)
    found = following.end()
    assert found.stream == messages.stream_id(7)
    record = captured.read(tmp_path / "captured", "ann", found.stream, found.start, found.stop)
    assert record.samples.tolist() == sent[found.start : found.stop].tolist()
    assert found.start % RATE == found.stop % RATE == 0
    assert 45 + 12 <= (found.stop - found.start) / RATE <= 45 + 22
    err = capsys.readouterr().err
    for state in ("absent", "noisy", "clipped", "signal"):
        assert err.count(REMARKS[state]) == 1
    assert "45/45" in err


def test_too_few_good_seconds_end_in_a_sentence_that_counts_them(rig, tmp_path, capsys):
    device = rig.device()
    device.greet("ann", 7)
    following = Following(rig, tmp_path, 20)
    play(device, np.concatenate([GOOD[: 4 * RATE], NOISE, OFF]), following)
    error = following.end()
    assert isinstance(error, UsageError)
    text = str(error)
    assert "seconds were usable (" in text
    assert " noisy" in text
    assert "20 are needed" in text
    assert capsys.readouterr().err.count(REMARKS["noisy"]) <= 2


def test_a_missing_monitor_is_reported_soon(tmp_path):
    with pytest.raises(UsageError, match="start one with ecgmon serve"):
        live.follow("ann", 5, MonitorAddress("tcp://127.0.0.1:9"), tmp_path)
    with pytest.raises(UsageError, match="is no endpoint"):
        live.follow("ann", 5, MonitorAddress("nonsense"), tmp_path)


def test_a_wearer_who_does_not_stream_is_waited_for_a_while_and_the_others_are_named(
    rig, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(live, "OPEN_S", 1.0)
    for number, wearer in enumerate(("carl", "bob", "ann2", "gone")):
        device = rig.device()
        device.greet(wearer, number)
    device.finish(0)
    error = Following(rig, tmp_path, 5).end()
    assert isinstance(error, UsageError)
    assert "ann has not streamed within 1 s (streaming now: ann2, bob, carl)" in str(error)
    waiting = "Waiting for ann's device; streaming now: ann2, bob, carl.\n"
    assert capsys.readouterr().err.count(waiting) == 1


def waits(following, monkeypatch):
    """Wait until it waits for the device; returns what it writes to stderr, to be read any time.

    Pytest's own capture loses what a thread writes while it is read.
    """
    output = io.StringIO()
    monkeypatch.setattr(sys, "stderr", output)
    deadline = time.monotonic() + PATIENCE_S
    while "Waiting for ann's device; nobody streams now.\n" not in output.getvalue():
        assert following.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return output


def test_a_device_that_comes_late_is_followed_from_its_first_sample(rig, tmp_path, monkeypatch):
    following = Following(rig, tmp_path, 5)
    waits(following, monkeypatch)
    device = rig.device()
    device.greet("ann", 7)
    play(device, GOOD, following)
    assert following.end() == live.Followed(messages.stream_id(7), 0, 5 * RATE)


def test_the_end_of_a_stream_is_reported_and_the_next_one_counts_anew(rig, tmp_path, monkeypatch):
    following = Following(rig, tmp_path, 10)
    output = waits(following, monkeypatch)
    device = rig.device()
    device.greet("ann", 7)
    device.send_all(GOOD[: 6 * RATE])
    device.until_acked(6 * RATE)
    device.finish(6 * RATE)
    device.greet("ann", 8)
    play(device, GOOD, following)
    assert following.end() == live.Followed(messages.stream_id(8), 0, 10 * RATE)
    ended = "The stream has ended: 5 of 5 seconds were usable, and counting begins anew.\n"
    assert ended in output.getvalue()


def test_a_stream_that_ends_for_good_is_waited_for_a_while(rig, tmp_path, monkeypatch):
    following = Following(rig, tmp_path, 10)
    waits(following, monkeypatch)
    monkeypatch.setattr(live, "OPEN_S", 0.5)
    device = rig.device()
    device.greet("ann", 7)
    device.send_all(GOOD[: 6 * RATE])
    device.until_acked(6 * RATE)
    device.finish(6 * RATE)
    error = following.end()
    assert isinstance(error, UsageError)
    assert "ann has not come back within 0 s (nobody streams now)" in str(error)


def test_a_monitor_that_captures_nothing_or_elsewhere_is_recognised(tmp_path):
    with Rig(tmp_path / "rig") as rig:
        device = rig.device()
        device.greet("ann", 7)
        following = Following(rig, tmp_path, 1000)
        play(device, GOOD, following)
        error = following.end()
        assert isinstance(error, UsageError)
        assert f"does not appear in {tmp_path / 'captured'}: start ecgmon serve" in str(error)


def test_a_monitor_that_goes_away_is_reported(tmp_path):
    with Rig(tmp_path / "rig", captured=tmp_path / "captured") as rig:
        device = rig.device()
        device.greet("ann", 7)
        following = Following(rig, tmp_path, 1000)
        time.sleep(0.3)
        rig.stop()
        error = following.end()
    assert isinstance(error, EcgmonError)
    assert "is gone" in str(error)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_is_asked_whether_to_go_on(rig, tmp_path, monkeypatch, answer):
    master, slave = os.openpty()
    shown, asked = bytearray(), threading.Event()

    def person():
        while b"go on for 10 more?" not in shown:
            shown.extend(os.read(master, 4096))
        asked.set()
        os.write(master, f"{answer}\n".encode())
        with contextlib.suppress(OSError):  # the other end is closed
            while data := os.read(master, 4096):
                shown.extend(data)

    reader = threading.Thread(target=person, daemon=True)
    with os.fdopen(slave) as stdin, os.fdopen(os.dup(slave), "w") as stderr:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stderr", stderr)
        reader.start()
        device = rig.device()
        device.greet("ann", 7)
        following = Following(rig, tmp_path, 10)
        play(device, OFF, following, GOOD, asked)
        found = following.end()
        monkeypatch.undo()
    reader.join(PATIENCE_S)
    os.close(master)
    if answer == "y":
        assert found.stop - found.start == 10 * RATE
        assert b"10/10" in shown
    else:
        assert isinstance(found, UsageError)
        assert "0 of " in str(found)


PROGRAM = """
import sys
from ecgmon_cli import main
main()
"""


@pytest.mark.thorough
def test_ctrl_c_ends_it_with_one_line(rig, tmp_path):
    command = (sys.executable, "-c", PROGRAM, "enroll", "--patient", "ann", "--live", "5")
    command += ("--assume-normal", "--monitor", rig.monitor.publish)
    env = os.environ | {"PYTHONPATH": str(ROOT), "ECGMON_STATE": str(tmp_path)}
    with start(*command, folder=tmp_path / "live", env=env) as process:
        process.wait_for("Waiting for ann's device")
        outcome = process.end(signal.SIGINT)
    assert (outcome.code, outcome.out) == (130, "")
    waiting, bar, stopped = outcome.err.splitlines()
    assert waiting == "Waiting for ann's device; nobody streams now."
    assert bar.startswith("ann ")
    assert stopped == "Stopped with 0 of 301 usable seconds; what was captured of ann stays."
