"""Many at once: connections without a key, wearers who come and go, devices that vanish."""

import socket
import time

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.records.captured import reader as captured
from ecgmon.wire import messages
from tests.support.rig import Listener, Rig, Wearable
from tests.support.subprocesses import ECGMON, environment, start

LONG = 3600
"""Samples of a wearer's stream, ten seconds."""
TOGETHER = 10
"""Wearers who stream at once, beside the one who stays."""


def samples_of(number):
    return ((np.arange(LONG) + 37 * number) % 20_000).astype(np.int16)


@pytest.mark.parametrize("wearers", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_wearers_come_and_go_and_each_leaves_a_complete_record(tmp_path, wearers):
    folder = tmp_path / "captured"
    with Rig(tmp_path / "rig", captured=folder, capacity=TOGETHER + 1) as rig:
        listener, stays = rig.listener("window/", "closed/", "alarm/", "gap/"), rig.device()
        stays.greet("stays", 1)
        sent = 0
        for first in range(0, wearers, TOGETHER):
            numbers = range(first, min(first + TOGETHER, wearers))
            devices = [Wearable(rig.context, rig.monitor.ingest) for _ in numbers]
            for number, device in zip(numbers, devices, strict=True):
                device.greet(f"w{number:04}", 7)  # all count their streams alike
                device.send_all(samples_of(number))
            stays.send(sent, np.zeros(360))
            sent += 360
            for device in devices:
                device.finish(LONG)
                device.socket.close()
            stays.until_acked(sent)
            listener.take()
        stays.finish(sent)
        listener.until(messages.Closed, "stays")
        assert rig.monitor.registry.streams == []
        assert len(rig.monitor._ingest.connections) == 0
    windows, closed = {}, set()
    for message in listener.received:
        assert not isinstance(message, messages.Gap)
        if isinstance(message, messages.Window):
            windows.setdefault(message.wearer, []).append(message.first)
        elif isinstance(message, messages.Closed):
            closed.add(message.wearer)
    names = {f"w{number:04}" for number in range(wearers)}
    assert closed == names | {"stays"}
    assert windows.pop("stays") == list(range(0, sent - 360, 360))
    assert windows == {name: list(range(0, LONG - 360, 360)) for name in names}
    for number in range(0, wearers, max(1, wearers // 20)):
        retransmit = captured.read(folder, f"w{number:04}", messages.stream_id(7), 0, LONG).samples
        np.testing.assert_array_equal(retransmit, samples_of(number))


@pytest.mark.slow
def test_64_devices_that_vanish_leave_room_for_a_newcomer_after_ten_seconds(tmp_path):
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        listener, vanished, newcomer = rig.listener("alarm/"), rig.device(), rig.device()
        for number in range(64):
            vanished.greet(f"v{number}", number)
        vanished.socket.close()
        newcomer.hello("newcomer", 99)
        newcomer.is_refused("watches 64 wearers already")
        assert listener.until(messages.Alarm, None, kind="room", state="raised")
        began = time.monotonic()
        listener.until(messages.Alarm, None, kind="room", state="cleared")
        assert time.monotonic() - began < AlarmLimits().silent_s + 3
        assert newcomer.greet("newcomer", 99).next == 0
        for number in range(64):
            assert listener.until(messages.Alarm, f"v{number}", kind="silent").state == "raised"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.slow
def test_1100_connections_without_a_key_harm_no_neighbour(tmp_path, context):
    """The soft limit of open files is systemd's default; 650 are left to one address here."""
    ingest, publish = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    serve = f"{ECGMON} serve --ingest {ingest} --publish {publish}"
    limited = f"ulimit -Sn 1024 && ulimit -Hn 1500 && exec {serve}"
    env = environment(tmp_path / "home", ECGMON_STATE=tmp_path / "state")
    with start("bash", "-c", limited, folder=tmp_path / "out", env=env) as running:
        running.wait_for("event=ready")
        listener = Listener(context, publish, ["window/", "gap/"]).subscribed()
        device = Wearable(context, ingest)
        device.greet("ann", 7)
        host, port = ingest.removeprefix("tcp://").split(":")
        flood, sent, late, began = [], 0, [], time.monotonic()
        while time.monotonic() - began < 10:
            if len(flood) < 1100 and time.monotonic() - began > 3:
                for _ in range(50):
                    one = socket.create_connection((host, int(port)), timeout=5)
                    one.sendall(b"\xff")
                    flood.append(one)
            while sent <= (time.monotonic() - began) * 360 - 72:
                device.send(sent, np.zeros(72))
                sent += 72
            before = len(listener.received)
            listener.take()
            for message in listener.received[before:]:
                assert not isinstance(message, messages.Gap)
                if isinstance(message, messages.Window):
                    late.append(time.monotonic() - began - (message.first + 540) / 360)
            time.sleep(0.005)
        device.finish(sent)
        assert len(flood) == 1100
        assert max(late) < 2, "and that on a machine with much else to do"
        assert len(late) >= 8
        for one in flood:
            one.close()
        assert running.process.poll() is None
        assert "too-many-connections" in running.written
        for client in (listener, device):
            client.socket.close()
        assert running.end(15).code == 0
