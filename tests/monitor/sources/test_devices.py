"""Devices: which may stream for a wearer, with which lead and rate, and acknowledgements."""

import time

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from monitor import daemon
from monitor.wearers import registry as registry
from replay.simulator.simulation import simulate
from tests.support.rig import Rig

RATE = 360
CALM = simulate("normal", duration_s=20).record.samples


def test_another_device_is_refused_until_the_old_one_has_been_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.05)
    monkeypatch.setattr(registry, "TAKEOVER_S", 0.4)
    with Rig(tmp_path) as rig:
        listener, old, new = rig.listener(), rig.device(), rig.device()
        old.greet("203", 7)
        for at in range(0, 600, 100):  # a device is there as long as samples come
            time.sleep(0.1)
            old.send(at, CALM[at : at + 100])
        old.until_acked(600)
        new.hello("203", 8)
        refused = new.hear()
        assert "Another device streams for 203" in refused.reason
        assert refused.retry_s == 0.4
        old.send(600, CALM[600:700])
        old.until_acked(700)
        time.sleep(0.6)
        assert new.greet("203", 8).next == 0
        assert listener.until(messages.Closed, "203").stream == messages.stream_id(7)
        old.send(700, CALM[700:800])
        old.is_refused("say hello first")
        old.hello("203", 7)  # the one that was replaced is another device now
        old.is_refused("Another device")


def test_a_device_may_begin_again_at_once_after_bye(rig):
    device = rig.device()
    for stream in range(5):
        assert device.greet("203", stream).next == 0
        device.send(0, CALM[:100])
        device.until_acked(100)
        device.finish(100)


def test_hello_may_be_sent_again(rig):
    listener, device = rig.listener(), rig.device()
    for _ in range(2):
        device.hello("203", 7)
    assert isinstance(device.hear(), messages.Welcome)
    device.send(0, CALM[:500])
    # The second hello is answered if it came when the stream was open, not while it was looked for.
    received = [device.hear()]
    while not isinstance(received[-1], messages.Ack) or received[-1].next < 500:
        received.append(device.hear())
    assert not any(isinstance(answer, messages.Welcome) for answer in received[1:])
    assert device.greet("203", 7).next == 500
    assert len(listener.until(messages.Event, "203").text) > 0
    device.finish(500)
    listener.until(messages.Closed, "203")
    assert len(listener.all(messages.Opened, "203")) == 1


@pytest.mark.parametrize(
    ("wanted", "leads", "used"),
    [
        (None, ["V1", "II"], "II"),
        (None, ["V1", "MLII"], "MLII"),
        (None, ["V5", "V1"], "V5"),
        ("V1", ["II", "V1"], "V1"),
    ],
)
def test_one_lead_is_used_and_the_others_are_passed_over(tmp_path, wanted, leads, used):
    with Rig(tmp_path, lead=lambda _: wanted) as rig:
        listener, device = rig.listener(), rig.device()
        device.hello("203", 7, leads=leads)
        assert device.hear().lead == used
        for lead in leads:
            samples = CALM if lead == used else np.full(len(CALM), NO_VALUE)
            device.send_all(samples[:1080], lead=lead)
        device.finish(1080)
        assert listener.until(messages.Closed, "203").end == 1080
        assert listener.all(messages.Opened, "203")[0].lead == used
        assert {w.state for w in listener.all(messages.Window, "203")} == {"signal"}
        link = listener.all(messages.Link, "203")[-1]
        assert (link.received, link.repeated, link.missing) == (1080, 0, 0)


def test_a_device_without_the_lead_that_is_wanted_is_refused(tmp_path):
    with Rig(tmp_path, lead=lambda _: "V1") as rig:
        device = rig.device()
        device.hello("203", 7, leads=["II", "V5"])
        device.is_refused("203 is to be watched by lead V1, and the device has II, V5.")


@pytest.mark.parametrize("rate", [100, 999.999])
def test_devices_of_the_slowest_and_the_fastest_rate_are_judged(rig, rate):
    listener, device = rig.listener(), rig.device()
    device.hello("203", 7, rate=float(rate))
    assert isinstance(device.hear(), messages.Welcome)
    n = round(10 * rate)
    at = np.arange(n) / rate * RATE
    samples = np.interp(at, np.arange(len(CALM)), CALM).round()
    device.send_all(samples, rate_mhz=round(1000 * rate))
    device.finish(n)
    assert listener.until(messages.Closed, "203").end == pytest.approx(10 * RATE, abs=1)
    windows = listener.all(messages.Window, "203")
    assert [window.first for window in windows] == list(range(0, 9 * RATE, RATE))
    assert {window.state for window in windows} == {"signal"}
    assert listener.all(messages.Opened, "203")[0].rate == rate


@pytest.mark.parametrize("end", [720, 1500])
def test_a_goodbye_beyond_what_was_sent_leaves_a_gap(rig, end):
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    device.send(0, CALM[:720])
    device.finish(end)
    assert listener.until(messages.Closed, "203").end == end
    gaps = [(gap.first, gap.count) for gap in listener.all(messages.Gap, "203")]
    assert gaps == ([(720, end - 720)] if end > 720 else [])
    assert listener.all(messages.Link, "203")[-1].missing == end - 720


def test_a_goodbye_before_what_was_sent_takes_nothing_back(rig):
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    device.send(0, CALM[:720])
    device.bye(300)
    device.until_acked(720)
    assert listener.until(messages.Closed, "203").end == 720


def test_samples_are_on_disk_when_they_are_acknowledged(tmp_path):
    folder = tmp_path / "captured"
    with Rig(tmp_path, captured=folder) as rig:
        device = rig.device()
        device.greet("203", 7)
        for first in range(0, 1500, 300):
            device.send(first, CALM[first : first + 300])
            acked = 0
            while acked < first + 300:
                if not (acked := device.hear().next):
                    continue  # it is judged
                (record,) = captures(folder, "203")
                assert record.stop >= acked
                np.testing.assert_array_equal(record.read(0, acked).samples, CALM[:acked])


def test_nothing_is_acknowledged_before_it_is_on_disk_also_after_a_reconnect(tmp_path, gate):
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        device, again = rig.device(), rig.device()
        device.greet("203", 7)
        device.send(0, CALM[:300])
        device.until_acked(300)
        gate.clear()
        device.send(300, CALM[300:600])
        device.say(messages.Heartbeat(stream=messages.stream_id(7)))
        assert device.hear().next == 300
        # By docs/wire.md a welcome is an acknowledgement, too.
        assert again.greet("203", 7).next == 300
        again.say(messages.Heartbeat(stream=messages.stream_id(7)))
        assert again.hear().next == 300
        gate.set()
        again.until_acked(600)


def test_a_device_that_sends_what_is_known_for_ever_is_silent(tmp_path, monkeypatch):
    """It counts from 0 again, against the rules, in the same stream: no heart is watched."""
    monkeypatch.setattr(daemon, "LINK_S", 0.05)
    with Rig(tmp_path, limits=lambda _: AlarmLimits(silent_s=0.5)) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(CALM)
        for _ in range(15):
            device.send(0, CALM[:100])
            time.sleep(0.1)
        listener.take()
        assert [a.state for a in listener.all(messages.Alarm, "203", kind="silent")] == ["raised"]


def test_one_hello_of_a_wearer_is_looked_up_at_a_time(tmp_path, gate):
    """Without a limit a key that opens ever new streams would block the disk for all alarms."""
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        first, second = rig.device(), rig.device()
        gate.clear()
        first.hello("203", 7)
        assert first.hears_nothing()
        second.hello("203", 8)
        second.is_refused("looked up")
        gate.set()
        assert isinstance(first.hear(), messages.Welcome)
