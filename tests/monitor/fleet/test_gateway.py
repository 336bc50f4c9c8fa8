"""Devices speak with a gateway as with a monitor, and JetStream has what it acknowledges."""

import time

import numpy as np
import pytest

from ecgmon.wire import Frame, messages
from monitor.fleet import gateway_stream, names
from monitor.fleet.gateway_jetstream import reached
from monitor.fleet.portions import Portion
from tests.support.gateway_rig import GatewayRig, frames, kept, portions
from tests.support.rig import PATIENCE_S

WEARER = "ann.b"
SAMPLES = np.random.default_rng(7).integers(-500, 500, 3600).astype(np.int16)


@pytest.fixture
def rig(server, link):
    with GatewayRig(server.address) as rig:
        yield rig


def acknowledged(device, index):
    """Wait until all before an index is acknowledged."""
    while True:
        answer = device.hear()
        assert isinstance(answer, messages.Ack), answer
        if answer.next >= index:
            return answer


def until_stored(link, wearer, index):
    deadline = time.monotonic() + PATIENCE_S
    while not any(reached(one) >= index for one in portions(link, wearer)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_jetstream_has_what_a_device_has_sent_in_order_and_its_goodbye(rig, link):
    device = rig.device()
    assert device.greet(WEARER, 7).next == 0
    device.send_all(SAMPLES, size=90)
    device.finish(len(SAMPLES))
    found = portions(link, WEARER)
    np.testing.assert_array_equal(kept(found), SAMPLES)
    assert [one.end for one in found] == [None] * (len(found) - 1) + [len(SAMPLES)]
    assert all(one.hello == found[0].hello for one in found)
    assert found[0].hello.wearer == WEARER


@pytest.mark.thorough
def test_live_samples_are_grouped_to_a_second_and_acknowledged_when_they_are_stored(rig, link):
    device = rig.device()
    device.greet("ann", 7)
    for at in range(0, 900, 45):
        device.send(at, SAMPLES[at : at + 45])
        for answer in heard_now(device):
            assert max(map(reached, portions(link, "ann")), default=0) >= answer.next
        time.sleep(0.125)
    acknowledged(device, 900)
    counts = [sum(len(one.samples) for one in frames([each])) for each in portions(link, "ann")]
    assert sum(counts) == 900
    assert len(counts) <= 5


def heard_now(device):
    heard = []
    while device.socket.poll(0):
        heard.append(messages.decode_to_device(device.socket.recv()))
    return heard


def test_a_device_that_has_sent_nothing_is_known_to_the_monitor(rig, link):
    rig.device().greet("ann", 7)
    until_stored(link, "ann", 0)
    (one,) = portions(link, "ann")
    assert (one.frames, one.end, one.hello.wearer) == ([], None, "ann")


def test_repeated_and_late_frames_are_kept_once_in_order(rig, link):
    device = rig.device()
    device.greet("ann", 7)
    for at in (0, 180, 90, 90, 0, 360, 270, 450):
        device.send(at, SAMPLES[at : at + 90])
    device.send(430, SAMPLES[430:700])
    device.finish(700)
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:700])


def test_what_never_came_is_left_out(rig, link):
    device = rig.device()
    device.greet("ann", 7)
    device.send(0, SAMPLES[:90])
    device.send(180, SAMPLES[180:270])
    device.finish(400)
    found = portions(link, "ann")
    assert [(one.first, one.end) for one in frames(found)] == [(0, 90), (180, 270)]
    assert found[-1].end == 400


def test_the_device_clock_goes_on_with_the_samples(rig, link):
    began = 10**18
    device = rig.device()
    device.greet("ann", 7)
    for first in (90, 0, 180):
        clock = began + first * 10**9 // 360
        samples = SAMPLES[first : first + 90]
        device.socket.send(Frame(7, first, clock, 360_000, 200.0, "II", samples).encode())
    device.finish(270)
    for one in frames(portions(link, "ann")):
        assert one.device_time == began + one.first * 10**9 // 360


def test_frames_of_the_second_lead_go_on_behind_those_of_the_first(rig, link):
    device = rig.device()
    device.hello("ann", 7, leads=("II", "V5", "V1"))
    assert device.hear().lead == "II"
    for at in range(0, 360, 90):
        for lead in ("II", "V5", "V1"):
            device.send(at, SAMPLES[at : at + 90], lead=lead)
    device.send(360, SAMPLES[360:450])
    device.finish(450)
    found = portions(link, "ann")
    np.testing.assert_array_equal(kept(found), SAMPLES[:450])
    np.testing.assert_array_equal(kept(found, "V5"), SAMPLES[:360])
    assert not [one for one in frames(found) if one.lead == "V1"]
    assert all(frames([one])[0].lead == "II" for one in found if one.frames)


def test_a_goodbye_that_is_said_again_is_stored_once(rig, link):
    device = rig.device()
    device.greet("ann", 7)
    device.send(0, SAMPLES[:90])
    device.finish(90)
    assert device.greet("ann", 7).next == 90
    device.finish(90)
    assert [one.end for one in portions(link, "ann")].count(90) == 1


def test_a_device_that_was_with_another_gateway_goes_on_where_that_one_was(rig, server, link):
    device = rig.device()
    device.greet("ann", 7)
    device.send(0, SAMPLES[:90])
    acknowledged(device, 90)
    with GatewayRig(server.address) as other:
        there = other.device()
        assert there.greet("ann", 7).next == 90
        there.send(90, SAMPLES[90:720])
        acknowledged(there, 720)
    assert device.greet("ann", 7).next == 720
    device.send(720, SAMPLES[720:900])
    device.finish(900)
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:900])


def test_a_gateway_that_published_less_under_the_same_id_loses_nothing(rig, link):
    device = rig.device()
    welcome = device.greet("ann", 7)
    hello = messages.Hello(wearer="ann", stream=welcome.stream, rate=360.0, leads=["II"])
    last_breath = Portion(hello, [device.frame(0, SAMPLES[:100])])

    async def publish():
        await link.js.publish(
            names.incoming("ann"),
            last_breath.encode(),
            headers={"Nats-Msg-Id": last_breath.id},
        )

    link.run(publish())
    device.send(0, SAMPLES[:360])
    acknowledged(device, 360)
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:360])


def test_while_jetstream_is_away_samples_are_seen_and_acknowledged_when_it_is_back(
    rig, server, link
):
    device = rig.device()
    device.greet("ann", 7)
    device.send(0, SAMPLES[:360])
    acknowledged(device, 360)
    server.kill()
    device.send(360, SAMPLES[360:1080])
    while (answer := device.hear()).seen < 1080:
        pass
    assert answer.next == 360
    server.start()
    acknowledged(device, 1080)
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:1080])


def test_a_device_keeps_what_finds_no_room_while_jetstream_is_away(rig, server, link, monkeypatch):
    monkeypatch.setattr(gateway_stream, "MOST_BYTES", 1000)
    device = rig.device()
    device.greet("ann", 7)
    server.kill()
    for at in range(0, 3600, 360):
        device.send(at, SAMPLES[at : at + 360])
    while not isinstance(answer := device.hear(), messages.Refused):
        assert answer.next == 0
    assert answer.reason == gateway_stream.FULL
    assert answer.retry_s == gateway_stream.KEEP_S
    server.start()
    again = rig.device()
    deadline = time.monotonic() + PATIENCE_S
    while True:
        again.hello("ann", 7)
        if isinstance(welcome := again.hear(), messages.Welcome):
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    acked = welcome.next
    for at in range(welcome.next, 3600, 720):
        again.send(at, SAMPLES[at : at + 720])
        while acked < min(at + 720, 3600):
            acked = again.hear().next
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES)


def test_a_full_gateway_gives_the_place_of_who_is_silent(server, link, monkeypatch):
    with GatewayRig(server.address, capacity=1) as rig:
        first = rig.device()
        first.greet("ann", 7)
        until_stored(link, "ann", 0)
        second = rig.device()
        second.hello("bob", 8)
        second.is_refused("takes 1 wearers already")
        monkeypatch.setattr("monitor.fleet.gateway_registry.TAKEOVER_S", 0.0)
        assert second.greet("bob", 8).next == 0
        first.send(0, SAMPLES[:90])
        first.is_refused("say hello first")


def test_another_device_of_the_wearer_is_refused_while_the_first_sends(rig, link):
    device = rig.device()
    device.greet("ann", 7)
    device.send(0, SAMPLES[:90])
    other = rig.device()
    other.hello("ann", 8)
    other.is_refused("Another device streams for ann")


def test_a_lead_that_is_not_there_is_refused(server, link):
    with GatewayRig(server.address, lead=lambda _: "V1") as rig:
        device = rig.device()
        device.hello("ann", 7)
        device.is_refused("watched by lead V1")


def test_the_end_waits_for_what_was_accepted(rig, link):
    device = rig.device()
    device.greet("ann", 7)
    device.send(0, SAMPLES[:100])
    device.say(messages.Heartbeat(stream=messages.stream_id(7)))
    assert device.hear() == messages.Ack(stream=messages.stream_id(7), next=0, seen=100)
    began = time.monotonic()
    rig.stop()
    assert time.monotonic() - began < 2
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:100])
    acknowledged(device, 100)


def test_the_end_comes_soon_though_jetstream_is_away(rig, server, link):
    device = rig.device()
    device.greet("ann", 7)
    server.kill()
    device.send(0, SAMPLES[:100])
    device.say(messages.Heartbeat(stream=messages.stream_id(7)))
    assert device.hear() == messages.Ack(stream=messages.stream_id(7), next=0, seen=100)
    began = time.monotonic()
    rig.stop()
    assert time.monotonic() - began < 2
    server.start()
