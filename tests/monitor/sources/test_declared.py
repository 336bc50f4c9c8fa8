"""The rate and lead that a hello declares: valid for the whole stream, and compared with it."""

import numpy as np
import pytest

from ecgmon.core.errors import UsageError
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.player.device import RecordDevice
from replay.player.schedule import Pace
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC, Rig

CALM = simulate("normal", duration_s=5).record.samples
STREAM = messages.stream_id(7)


def welcomed(device, **given):
    device.hello("203", 7, **given)
    answer = device.hear()
    assert isinstance(answer, messages.Welcome), answer
    return answer


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("again", "why"),
    [
        ({"rate": 500.0}, "has 360 samples a second, not 500: take a new stream id"),
        ({"leads": ["V5", "I"]}, "is lead II, which this hello does not name"),
    ],
)
def test_a_stream_keeps_its_rate_and_its_lead_and_goes_on_unharmed(tmp_path, restarted, again, why):
    def rig():
        return Rig(tmp_path, captured=tmp_path / "captured")

    with rig() as first:
        device = first.device()
        welcomed(device)
        device.send(0, CALM[:720])
        device.until_acked(720)
        if not restarted:
            other = first.device()
            other.hello("203", 7, **again)
            other.is_refused(why)
            device.send(720, CALM[720:1440])
            device.until_acked(1440)
            return
    with rig() as second:
        device = second.device()
        device.hello("203", 7, **again)
        device.is_refused(why)
        assert welcomed(second.device()).next == 720


def test_more_leads_and_another_gain_are_the_same_stream(tmp_path):
    with Rig(tmp_path) as rig:
        device = rig.device()
        welcomed(device)
        device.send(0, CALM[:360])
        device.until_acked(360)
        again = rig.device()
        assert welcomed(again, leads=["V1", "II"]).next == 360
        again.send(360, CALM[360:720] // 2, gain=100.0)
        again.until_acked(720)


def alarms_of(declared, real, seconds, *, replay=False):
    """Return the alarms of a device that sends ``real`` samples a second."""
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
    hello = messages.Hello(wearer="ann", stream=STREAM, rate=declared, leads=["II"], replay=replay)
    live, _ = registry.open(hello, None, 0.0)
    found_messages, sent = [], 0
    for step in range(1, 5 * seconds + 1):
        now = step / 5
        samples = np.resize(CALM, int(now * real) - sent)
        frame = Frame(7, sent, 0, round(declared * 1000), 200.0, "II", samples)
        live.stream.accept(frame, now)
        sent += len(samples)
        live.stream.pending.clear()  # what is in it does not matter
        if step % 5 == 0:
            found_messages += registry.check(now)
    return (
        [m for m in found_messages if isinstance(m, messages.Alarm) and m.kind == "rate"],
        live,
        registry,
    )


@pytest.mark.parametrize(("declared", "real"), [(360, 500), (250, 256), (500, 250)])
def test_a_device_that_delivers_another_rate_is_alarmed_once_and_the_alarm_says_both(
    declared, real
):
    (alarm,), live, registry = alarms_of(declared, real, 120)
    assert (alarm.state, alarm.priority, alarm.category) == ("raised", "medium", "technical")
    assert f"declares {declared} samples a second, but about {real} come" in alarm.text
    assert "heart rates" in alarm.text
    ended = [m for m in registry.close(live.stream) if isinstance(m, messages.Alarm)]
    assert ("rate", "cleared") in [(m.kind, m.state) for m in ended]


def test_a_device_that_keeps_to_its_rate_or_says_that_it_replays_is_not_alarmed():
    assert alarms_of(250, 250, 120)[0] == []
    assert alarms_of(250, 500, 120, replay=True)[0] == []


@pytest.mark.parametrize(("speed", "replay"), [(1.0, False), (4.0, True), (float("inf"), True)])
def test_a_record_played_at_another_speed_says_so(speed, replay):
    record = simulate("normal", duration_s=5).record
    device = RecordDevice(record, 0, 1000, Pace(speed))
    assert (device._connection._hello.replay is True) == replay


def test_a_wrong_rate_is_treated_as_drift_up_to_two_percent():
    _, live, _ = alarms_of(250, 250 * 1.015, 300)
    assert live.stream.clock.drift_ppm == pytest.approx(15_000, abs=300)


def test_a_hello_that_does_not_fit_changes_nothing_of_the_ward():
    _, live, registry = alarms_of(250, 250, 5)
    hello = messages.Hello(wearer="ann", stream=STREAM, rate=251.0, leads=["II"])
    with pytest.raises(UsageError, match="new stream id"):
        registry.going_on(hello)
    assert registry.streams == [live.stream]
