"""A monitor that is killed while many wearers stream brings all of them back at once."""

import shutil
import signal
import time

import pytest
import zmq

from ecgmon.signal import SignalChain
from ecgmon.wire import messages
from monitor.wearers.recovery import STEP_SAMPLES
from replay.simulator.simulation import simulate
from tests.monitor.storage.test_journal import journal_messages
from tests.support.rig import Rig, Wearable, assert_same, output_of
from tests.survival.test_kills import Mortal

RATE = 360
PAST = 130 * RATE + 100
"""Samples: more than the monitor recovers, and no multiple of a second."""
END = 150 * RATE
WELCOMED_S = 1.0
"""From when a monitor is ready until all devices are welcomed."""
JUDGED_S = 10.0
"""And until all their seconds are judged."""


@pytest.fixture(scope="module")
def records():
    kinds = ("normal", "premature", "asystole")
    made = [simulate(kinds[i % 3], seed=i, duration_s=END / RATE) for i in range(4)]
    return [one.record.samples[:END] for one in made]


class Bedside:
    """Devices that stream at once, each in another phase of its seconds."""

    def __init__(self, devices, records):
        self.devices = devices
        self.records = [records[i % len(records)] for i in range(len(devices))]
        self.ends = [PAST + 37 * i for i in range(len(devices))]

    def greet(self):
        """Say hello, all at once, and return with which samples to go on."""
        for i, device in enumerate(self.devices):
            device.hello(f"w{i:02}", i)
        received = [device.hear() for device in self.devices]
        assert all(isinstance(answer, messages.Welcome) for answer in received), received
        return [answer.next for answer in received]

    def send(self, starts, ends, size):
        for at in range(0, END, size):
            for i, device in enumerate(self.devices):
                a, b = starts[i] + at, min(starts[i] + at + size, ends[i])
                if a < b:
                    device.send(a, self.records[i][a:b])
        for device, end in zip(self.devices, ends, strict=True):
            device.until_acked(end)

    def finish(self, ends):
        for device, end in zip(self.devices, ends, strict=True):
            device.finish(end)


def monitor(folder):
    return Rig(folder, captured=folder / "captured")


def undisturbed(folder, records, ends=None):
    with monitor(folder) as rig:
        bedside = Bedside([rig.device() for _ in range(len(records))], records)
        bedside.greet()
        ends = ends or [END] * len(records)
        bedside.send([0] * len(records), ends, 2000)
        bedside.finish(ends)


def killed(folder, target, records):
    """Leave behind what there is of a monitor that was killed."""
    with monitor(folder) as rig:
        bedside = Bedside([rig.device() for _ in range(len(records))], records)
        bedside.greet()
        bedside.send([0] * len(records), bedside.ends, 2000)
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*-shm"))
    return bedside.ends


def assert_same_output(folder, other, records):
    for i in range(len(records)):
        published = []
        for each in (folder, other):
            mine = output_of(journal_messages(each / "journal.db"), f"w{i:02}")
            windows = [m for m in mine if m["type"] == "Window"]
            assert [m["first"] for m in windows] == [RATE * n for n in range(len(windows))]
            alarms = [
                m for m in mine if m["type"] == "Alarm" and m["kind"] not in ("silent", "lag")
            ]
            published.append((windows, alarms))
        assert_same(published[0][0], published[1][0])
        assert published[0][1] == published[1][1]


@pytest.mark.thorough
def test_all_go_on_together_as_if_nothing_had_happened(tmp_path, records, monkeypatch):
    undisturbed(tmp_path / "alone", records)
    ends = killed(tmp_path / "first", tmp_path / "second", records)
    pushed = []
    push = SignalChain.push

    def counted(self, rows, millivolts, *more):
        pushed.append((len(rows), max(map(len, millivolts))))
        return push(self, rows, millivolts, *more)

    monkeypatch.setattr(SignalChain, "push", counted)
    with monitor(tmp_path / "second") as rig:
        bedside = Bedside([rig.device() for _ in records], records)
        assert bedside.greet() == ends
        bedside.send(ends, [END] * len(records), 90)
        bedside.finish([END] * len(records))
    steps = [rows for rows, n in pushed if n == STEP_SAMPLES]
    assert sum(steps) >= 23 * len(records)
    assert len(steps) < 3 * 24, steps  # one wearer after the other would be as many steps for each
    assert_same_output(tmp_path / "second", tmp_path / "alone", records)


def test_goodbye_or_another_end_before_all_is_recovered_loses_nothing(tmp_path, records):
    ends = killed(tmp_path / "first", tmp_path / "second", records)
    undisturbed(tmp_path / "alone", records, ends)
    with monitor(tmp_path / "second") as rig:
        assert Bedside([rig.device() for _ in records], records).greet() == ends
        assert rig.monitor.registry.recovering
    with monitor(tmp_path / "second") as rig:
        bedside = Bedside([rig.device() for _ in records], records)
        assert bedside.greet() == ends
        assert rig.monitor.registry.recovering
        bedside.finish(ends)
        listener = rig.newcomer().subscribed()
        assert listener.all(messages.Opened, "w00") == []
    assert_same_output(tmp_path / "second", tmp_path / "alone", records)


@pytest.mark.slow
def test_sixty_are_welcomed_within_a_second_of_the_start_and_judged_soon_after(
    tmp_path, records, record_property
):
    tmp_path.joinpath("monitor").mkdir()
    mortal = Mortal(tmp_path / "monitor")
    with zmq.Context() as context:

        def devices():
            return [Wearable(context, mortal.ingest) for _ in range(60)]

        with mortal.living() as process:
            process.wait_for("event=ready")
            bedside = Bedside(devices(), records)
            bedside.greet()
            bedside.send([0] * 60, bedside.ends, 2000)
            process.process.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        ends = bedside.ends
        for device in bedside.devices:
            device.socket.close()
        with mortal.living() as process:
            bedside = Bedside(devices(), records)
            process.wait_for("event=ready")
            ready_at = time.monotonic()
            assert bedside.greet() == ends
            welcomed_s = time.monotonic() - ready_at
            bedside.send(ends, [end + 3 * RATE for end in ends], 90)
            while time.monotonic() - ready_at < 10 * JUDGED_S:
                last = {m["wearer"]: m["first"] for m in mortal.journal("window")}
                if all(last[f"w{i:02}"] >= ends[i] for i in range(60)):
                    break
                time.sleep(0.1)
            judged_s = time.monotonic() - ready_at
            for device in bedside.devices:
                device.socket.close()
            process.end(signal.SIGTERM)
    figures = f"ready after {ready_at - killed_at:.1f} s, then {welcomed_s:.1f}, {judged_s:.1f} s"
    record_property("figure", figures)
    assert welcomed_s < WELCOMED_S, figures
    assert judged_s < JUDGED_S, figures
    assert [m for m in mortal.journal("alarm") if m["kind"] == "lag"] == []
    published = [(m["wearer"], m["first"]) for m in mortal.journal("window")]
    assert len(published) == len(set(published))
