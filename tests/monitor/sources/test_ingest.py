"""The conversation with devices, over real sockets."""

import sqlite3

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.wire import messages
from monitor.wearers import registry as registry
from replay.simulator.simulation import simulate

RATE = 360
OFF = np.full(5 * RATE, NO_VALUE)
"""Five seconds without a value: an alarm, no-signal."""
CALM = simulate("normal", duration_s=20).record.samples


@pytest.fixture
def takeover(monkeypatch):
    """A wearer's new device takes over at once."""
    monkeypatch.setattr(registry, "TAKEOVER_S", 0.0)


def test_hello_is_welcomed_samples_are_acknowledged_and_bye_ends_the_stream(rig):
    listener, device = rig.listener(), rig.device()
    welcome = device.greet("203", 7)
    assert (welcome.next, welcome.publish) == (0, rig.monitor.publish)
    opened = listener.until(messages.Opened, "203")
    assert (opened.stream, opened.lead, opened.rate) == ("0000000000000007", "II", 360.0)
    device.send(0, CALM[:100])
    device.until_acked(100)
    device.send(100, CALM[100:150])
    device.send(150, CALM[150:720])
    device.until_acked(720)
    assert device.hears_nothing()
    device.finish(720)
    closed = listener.until(messages.Closed, "203")
    assert (closed.stream, closed.end) == ("0000000000000007", 720)
    assert [window.first for window in listener.all(messages.Window, "203")] == [0]
    device.send(720, CALM[720:800])
    device.is_refused("say hello first")


def test_a_heartbeat_is_answered_with_the_last_acknowledgement(rig):
    device = rig.device()
    device.greet("203", 7)
    device.send_all(CALM[:500])
    device.until_acked(500)
    device.say(messages.Heartbeat(stream=messages.stream_id(7)))
    assert device.hear() == messages.Ack(stream=messages.stream_id(7), next=500, seen=500)


def test_a_new_viewer_receives_open_streams_and_active_alarms(rig):
    device, before = rig.device(), rig.listener()
    device.greet("203", 7)
    device.send_all(OFF)
    raised = before.until(messages.Alarm, "203")
    assert (raised.kind, raised.state, raised.alarm) == ("no-signal", "raised", 1)

    late = rig.newcomer("alarm/203", "opened/203")
    late.until(messages.Opened, "203")
    assert late.until(messages.Alarm, "203") == raised
    assert late.asks(messages.Acknowledge(wearer="203", alarm=1, by="a nurse")) == messages.Done()
    acknowledged = late.until(messages.Alarm, "203", state="acknowledged")
    assert (acknowledged.alarm, acknowledged.by) == (1, "a nurse")

    latest = rig.newcomer()
    assert latest.until(messages.Alarm, "203") == acknowledged
    again = messages.Acknowledge(wearer="203", alarm=1, by="another")
    assert latest.asks(again) == messages.Done(), "nothing changes by it"
    device.send_all(CALM[: 5 * RATE], first=len(OFF))
    latest.until(messages.Alarm, "203", state="cleared")
    assert [alarm.by for alarm in latest.all(messages.Alarm, "203")] == ["a nurse", None]
    refused = latest.asks(again)
    assert "stands no more" in refused.reason


def test_an_alarm_is_in_the_journal_before_it_is_published(rig):
    device, listener = rig.device(), rig.listener()
    device.greet("203", 7)
    device.send_all(OFF)
    alarm = listener.until(messages.Alarm, "203")
    with sqlite3.connect(rig.journal) as reader:
        ((text,),) = reader.execute("SELECT message FROM journal WHERE type = 'alarm'")
    reader.close()
    assert messages.decode_to_viewer(text.encode()) == alarm


def test_a_frame_without_hello_is_refused(rig):
    device = rig.device()
    device.stream = 7
    device.send(0, CALM[:100])
    device.is_refused("say hello first")
    for message in (messages.Heartbeat, messages.Bye):
        end = {"end": 0} if message is messages.Bye else {}
        device.say(message(stream=messages.stream_id(7), **end))
        device.is_refused("say hello first")


def test_another_peer_cannot_use_a_stream_id(rig):
    owner, thief, listener = rig.device(), rig.device(), rig.listener()
    owner.greet("203", 7)
    thief.stream = 7
    thief.send(0, CALM[:360])
    thief.is_refused("say hello first")
    thief.bye(0)
    thief.is_refused("say hello first")
    owner.send_all(CALM[:720])
    owner.until_acked(720)
    owner.finish(720)
    assert listener.until(messages.Closed, "203").end == 720
    assert listener.until(messages.Link, "203").received == 720


def test_a_device_that_reconnects_goes_on_where_it_was(rig):
    listener = rig.listener()
    device = rig.device()
    device.greet("203", 7)
    device.send_all(CALM[:1000])
    device.until_acked(1000)
    again = rig.device()
    assert again.greet("203", 7).next == 1000
    again.send_all(CALM[900:3600], first=900)
    again.until_acked(3600)
    device.send(1000, CALM[1000:1100])
    device.is_refused("say hello first")
    again.finish(3600)
    closed = listener.until(messages.Closed, "203")
    assert closed.end == 3600
    link = listener.until(messages.Link, "203", received=3600)
    assert (link.missing, link.repeated) == (0, 100)
    assert listener.all(messages.Gap, "203") == []
    assert [w.first for w in listener.all(messages.Window, "203")] == list(range(0, 3240, 360))


def test_a_new_stream_of_a_wearer_closes_the_old_one_and_loses_nothing_of_it(rig, takeover):
    listener, device, other = rig.listener(), rig.device(), rig.device()
    device.greet("203", 7)
    device.send_all(CALM[:3600], size=3600)  # may still wait when the other device sends hello
    other.greet("203", 8)
    other.send_all(CALM[:1080])
    listener.until(messages.Opened, "203", stream=messages.stream_id(8))
    closed = listener.until(messages.Closed, "203")
    assert closed.stream == messages.stream_id(7)
    old = listener.all(messages.Window, "203", stream=messages.stream_id(7))
    assert [w.first for w in old] == list(range(0, (closed.end // 360) * 360 - 360, 360))
    listener.until(messages.Window, "203", stream=messages.stream_id(8), first=360)


def test_what_came_just_before_a_new_stream_is_judged_too(rig, takeover):
    listener = rig.listener()
    for number in range(10):
        device = rig.device()
        device.greet("203", 2 * number)
        device.send_all(CALM[:1080])
        device.greet_after_acks("203", 2 * number + 1)  # often in the same tick as the samples
        stream = messages.stream_id(2 * number)
        assert listener.until(messages.Closed, "203", stream=stream).end == 1080
        windows = listener.all(messages.Window, "203", stream=stream)
        assert [window.first for window in windows] == [0, 360]


def test_a_goodbye_does_not_close_the_stream_that_follows_at_once(rig, takeover):
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    device.bye(0)  # both often arrive in one tick
    device.hello("203", 8)
    answers = [device.hear(), device.hear()]
    assert {type(answer) for answer in answers} == {messages.Ack, messages.Welcome}
    device.send_all(CALM[:1080])
    device.until_acked(1080)
    listener.until(messages.Window, "203", first=360)
    device.finish(1080)
    listener.until(messages.Closed, "203", stream=messages.stream_id(8))


def test_a_sampling_rate_out_of_range_is_refused_and_the_old_stream_lives_on(rig):
    device, other = rig.device(), rig.device()
    device.greet("203", 7)
    other.hello("203", 8, rate=50.0)
    other.is_refused("Expected `float` >= 100.0")
    device.send(0, CALM[:360])
    device.until_acked(360)
    device.send(360, CALM[360:720], rate_mhz=500_000)
    device.is_refused("rate")
    device.send(360, CALM[360:720])
    device.until_acked(720)


def test_a_device_of_another_rate_is_answered_in_its_own_samples_and_viewers_get_360_hz(rig):
    listener, device = rig.listener(), rig.device()
    device.hello("203", 7, rate=250.0)
    assert isinstance(device.hear(), messages.Welcome)
    for first in (0, 1000, 2250):  # a second is missing
        device.send(first, CALM[first : first + 1000], rate_mhz=250_000)
    device.finish(3250)
    assert listener.until(messages.Closed, "203").end == 13 * RATE
    (gap,) = listener.all(messages.Gap, "203")
    assert (gap.first, gap.count) == (8 * RATE, RATE)
    windows = listener.all(messages.Window, "203")
    assert [window.first for window in windows] == list(range(0, 12 * RATE, RATE))
    assert listener.all(messages.Link, "203")[-1].missing == 250


def test_a_full_ward_refuses_the_next_wearer_until_one_leaves(rig):
    device = rig.device()
    for number in range(64):
        device.greet(f"wearer-{number}", number)
    device.hello("one-more", 64)
    device.is_refused("watches 64 wearers already")
    device.stream = 3
    device.finish(0)
    device.greet("one-more", 64)


def test_traces_are_made_only_for_those_who_draw(rig):
    listener, device = rig.listener("window/", "opened/", "closed/"), rig.device()
    device.greet("203", 7)
    device.send_all(CALM[:1080])
    listener.until(messages.Window, "203", first=360)
    drawing = rig.listener("trace/203")
    device.send_all(CALM[1080:2160], first=1080, size=360)
    device.until_acked(2160)
    device.finish(2160)
    listener.until(messages.Closed, "203")
    assert {type(message) for message in listener.drain()} == {
        messages.Opened,
        messages.Window,
        messages.Closed,
    }
    traces = [m for m in drawing.drain() if isinstance(m, messages.Trace)]
    assert traces[0].first == 1080
    assert sum(len(trace.samples) // 2 for trace in traces) == 1080
    assert [t.first for t in traces[1:]] == [t.first + len(t.samples) // 2 for t in traces[:-1]]
