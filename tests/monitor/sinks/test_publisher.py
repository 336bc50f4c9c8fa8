"""The publisher: each viewer receives its topics, whatever the others do."""

import time

import msgspec
import numpy as np
import pytest
import zmq

from ecgmon.core.constants import NO_VALUE
from ecgmon.wire import messages
from monitor.network.access import Access, guard
from monitor.network.router import Inbox
from monitor.sinks import publisher as publish
from monitor.sinks.publisher import SILENT_S, Publisher
from replay.simulator.simulation import simulate
from tests.support.rig import PATIENCE_S

STREAM = messages.stream_id(7)
GAP = messages.Gap(wearer="203", stream=STREAM, first=5, count=7)
OWN = messages.Paused(wearer=None, kind="disk", until=2e9, time=1e9, by="a nurse")
CALM = simulate("normal", duration_s=5).record.samples
OFF = np.full(1440, NO_VALUE)


class Desk:
    """A publisher in this thread, and viewers at its socket."""

    def __init__(self, context):
        self.context = context
        self.socket = context.socket(zmq.ROUTER)
        self.socket.sndhwm = 100
        self.sockets = [self.socket]
        self.socket.sndbuf = 4096
        guard(self.socket, "tcp://127.0.0.1:*", None)
        self.socket.bind("tcp://127.0.0.1:*")
        self.endpoint = self.socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
        self.publisher = Publisher(Inbox(self.socket, ()), Access())

    def viewer(self):
        socket = self.context.socket(zmq.DEALER)
        socket.linger = 0
        self.sockets.append(socket)
        socket.rcvhwm, socket.rcvbuf = 5, 4096
        socket.connect(self.endpoint)
        return socket

    def take(self, now=0.0):
        """Take the next message of anybody; returns newcomers and requests."""
        assert self.socket.poll(1000 * PATIENCE_S)
        return self.publisher.drain(now)

    def subscribe(self, viewer, *topics, now=0.0):
        """Return those who are news by this subscription."""
        viewer.send(messages.encode(messages.Subscribe(topics=list(topics))))
        return self.take(now)[0]


def test_a_message_is_encoded_once_for_all_and_not_at_all_for_nobody(desk, monkeypatch):
    encoded = []
    encode = messages.encode
    monkeypatch.setattr(messages, "encode", lambda one: encoded.append(one) or encode(one))
    desk.publisher.publish([GAP, OWN])
    assert not encoded
    for _ in range(2):
        desk.subscribe(desk.viewer(), "gap/203", "gap/", "trace/203")
    encoded.clear()
    desk.publisher.publish([GAP, OWN, GAP])
    assert encoded == [GAP, GAP]


def received(viewer, wait_ms=50):
    """Return what comes until nothing comes for a while."""
    found = []
    while viewer.poll(wait_ms):
        found.append(messages.decode_to_viewer(viewer.recv()))
    return found


def test_a_new_viewer_receives_the_snapshot_of_its_topics(desk):
    viewer = desk.viewer()
    (newcomer,) = desk.subscribe(viewer, "gap/119", "gap/203")
    others = [msgspec.structs.replace(GAP, wearer=wearer) for wearer in ("119", "7")]
    desk.publisher.send_snapshot(newcomer, [OWN, GAP, *others])
    assert received(viewer) == [GAP, others[0], messages.Subscribed()]


def test_a_repeated_subscription_is_no_news_and_other_topics_are(desk):
    viewer = desk.viewer()
    assert len(desk.subscribe(viewer, "gap/", "trace/203")) == 1
    assert desk.subscribe(viewer, "trace/203", "gap/") == []
    assert received(viewer) == [messages.Subscribed(repeated=True)]
    assert len(desk.subscribe(viewer, "trace/203")) == 1
    desk.publisher.publish([GAP])
    assert received(viewer) == [], "the former list is replaced"
    assert desk.subscribe(viewer) != []
    assert not desk.publisher.subscribed("trace/203")


def test_a_message_goes_to_those_who_want_its_topic(desk):
    viewers = {topic: desk.viewer() for topic in ("gap/203", "gap/", "gap/20", "trace/", "paused/")}
    for topic, viewer in viewers.items():
        desk.subscribe(viewer, topic)
    desk.publisher.publish([GAP])
    desk.publisher.publish([OWN])
    expected = {"gap/203": [GAP], "gap/": [GAP], "paused/": [OWN]}
    for topic, viewer in viewers.items():
        assert received(viewer, 20) == expected.get(topic, [])


def test_a_topic_is_wanted_while_anybody_listens(desk):
    subscribed = desk.publisher.subscribed
    assert not subscribed("trace/203")
    first, second = desk.viewer(), desk.viewer()
    desk.subscribe(first, "trace/203")
    desk.subscribe(second, "trace/", now=SILENT_S)
    assert subscribed("trace/203")
    assert subscribed("trace/119")
    desk.subscribe(second, "trace/119", now=SILENT_S)
    desk.publisher.forget_silent(SILENT_S + 0.1)
    assert not subscribed("trace/203")
    assert subscribed("trace/119")


def test_who_is_silent_is_forgotten_and_who_repeats_is_not(desk):
    silent, alive = desk.viewer(), desk.viewer()
    for viewer in (silent, alive):
        desk.subscribe(viewer, "gap/")
    desk.subscribe(alive, "gap/", now=8.0)
    desk.publisher.forget_silent(SILENT_S)
    desk.publisher.publish([GAP])
    desk.publisher.forget_silent(SILENT_S + 0.1)
    desk.publisher.publish([GAP])
    assert received(silent) == [GAP]
    assert received(alive) == [messages.Subscribed(repeated=True), GAP, GAP]
    assert len(desk.subscribe(silent, "gap/", now=99.0)) == 1, "it receives a new snapshot"


def test_a_viewer_that_does_not_read_loses_its_own_messages_and_receives_their_number(desk):
    slow, fast = desk.viewer(), desk.viewer()
    for viewer in (slow, fast):
        desk.subscribe(viewer, "trace/")
    n = 600

    def trace(number):
        return messages.Trace(wearer="203", stream=STREAM, first=number, samples=bytes(8000))

    for number in range(n):
        desk.publisher.publish([trace(number)])
        assert fast.poll(1000 * PATIENCE_S)
        assert messages.decode_to_viewer(fast.recv()) == trace(number)
    dropped = desk.publisher.take_dropped()
    assert 0 < dropped < n
    early = received(slow)
    assert [m.first for m in early] == list(range(n - dropped))
    desk.publisher.publish([trace(n)])
    assert received(slow) == [messages.Dropped(count=dropped), trace(n)]
    desk.publisher.publish([trace(n + 1)])
    assert received(slow) == [trace(n + 1)], "it is sent once"
    assert received(fast) == [trace(n), trace(n + 1)]


def test_the_number_of_viewers_is_limited(desk, monkeypatch):
    monkeypatch.setattr(publish, "MAX_VIEWERS", 1)
    first, second = desk.viewer(), desk.viewer()
    assert len(desk.subscribe(first, "gap/")) == 1
    assert desk.subscribe(second, "gap/") == []
    (refused,) = received(second)
    assert "try again later" in refused.reason
    assert len(desk.subscribe(first, "trace/")) == 1


def test_a_key_that_asks_without_end_is_refused_until_it_has_waited(desk, monkeypatch):
    monkeypatch.setattr(publish, "LOCAL", "somebody else")  # this machine is held to no limit
    viewer = desk.viewer()
    asked = messages.encode(messages.History(wearer=None))
    most = int(publish.RATES.message_burst)
    for _ in range(most + 5):
        viewer.send(asked)
    accepted, deadline = 0, time.monotonic() + PATIENCE_S
    while accepted < most or not viewer.poll(50):
        assert time.monotonic() < deadline
        accepted += len(desk.publisher.drain(0.0)[1])
    assert accepted == most
    refused = messages.decode_to_viewer(viewer.recv())
    assert (refused.reason, refused.retry_s) == ("This connection sends more than it may.", 1)
    desk.publisher.drain(0.0)
    viewer.send(asked)
    assert len(desk.take(now=1.0)[1]) == 1


def test_a_viewer_that_has_gone_holds_nobody_up(desk):
    gone, there = desk.viewer(), desk.viewer()
    for viewer in (gone, there):
        desk.subscribe(viewer, "gap/")
    gone.close()
    deadline = time.monotonic() + PATIENCE_S
    while len(desk.publisher._subscribers) == 2:
        assert time.monotonic() < deadline
        desk.publisher.publish([GAP])
        assert there.poll(1000 * PATIENCE_S)
        there.recv()


@pytest.fixture
def bedside(rig):
    """A wearer without a signal: two windows and an alarm, no-signal."""
    device, listener = rig.device(), rig.listener()
    device.greet("203", 7)
    device.send_all(OFF)
    listener.until(messages.Alarm, "203")
    listener.until(messages.Window, "203", first=360)
    return rig, device, listener


def test_a_snapshot_holds_streams_windows_links_alarms_and_pauses(bedside):
    rig, _, listener = bedside
    pause = messages.Pause(wearer="203", kind="no-signal", seconds=60, by="a nurse")
    assert listener.asks(pause) == messages.Done()
    paused = listener.until(messages.Paused, "203")
    assert paused.until == pytest.approx(time.time() + 60, abs=10)

    late = rig.newcomer().subscribed()
    first = late.received[: late.received.index(messages.Subscribed())]
    (window,) = late.all(messages.Window, "203")
    assert window == listener.all(messages.Window, "203")[-1]
    assert late.all(messages.Alarm, "203") == listener.all(messages.Alarm, "203")
    assert late.all(messages.Paused, "203") == [paused]
    assert {type(message) for message in first} == {
        messages.Opened,
        messages.Window,
        messages.Link,
        messages.Alarm,
        messages.Paused,
    }
    narrow = rig.newcomer("alarm/203", "opened/119").subscribed()
    assert narrow.received == [*late.all(messages.Alarm, "203"), messages.Subscribed()]


def test_a_request_is_answered_to_its_sender_and_its_effect_is_published_to_all(bedside):
    rig, _, listener = bedside
    nurse = rig.listener("alarm/", "paused/")
    assert nurse.asks(messages.Acknowledge(wearer="203", alarm=1, by="Ann")) == messages.Done()
    assert nurse.until(messages.Alarm, "203", state="acknowledged").by == "Ann"
    assert listener.until(messages.Alarm, "203", state="acknowledged").by == "Ann"
    pause = messages.Pause(wearer=None, kind="disk", seconds=60, by="Ann")
    for seconds in (60, 0):
        assert nurse.asks(msgspec.structs.replace(pause, seconds=seconds)) == messages.Done()
    published = listener.until(messages.Paused, None, until=None)
    assert (published.kind, published.by) == ("disk", "Ann")
    assert len(listener.all(messages.Paused, None)) == 2
    assert messages.Done() not in listener.drain()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (messages.Acknowledge(wearer="203", alarm=2, by="x"), "Alarm 2 stands no more"),
        (messages.Acknowledge(wearer="119", alarm=1, by="x"), "119 is not watched"),
        (messages.Acknowledge(wearer=None, alarm=1, by="x"), "Alarm 1 stands no more"),
        (messages.Pause(wearer="203", kind="hunger", seconds=1, by="x"), "no alarms called hunger"),
        (messages.Pause(wearer="119", kind="noisy", seconds=1, by="x"), "119 is not watched"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(bedside, request_, why):
    _, _, listener = bedside
    listener.received.clear()
    answer = listener.asks(request_)
    assert why in answer.reason
    assert not listener.all(messages.Alarm, "203") + listener.all(messages.Paused, "203")


def test_history_is_sent_page_by_page(bedside):
    _, device, listener = bedside
    assert listener.asks(messages.Acknowledge(wearer="203", alarm=1, by="x")) == messages.Done()
    device.send_all(CALM, first=len(OFF))
    device.finish(len(OFF) + len(CALM))
    listener.until_over("203")
    pages, before = [], None
    while True:
        past = listener.asks(messages.History(wearer="203", before=before, limit=2))
        if not past.entries:
            break
        pages, before = [*pages, *past.entries], past.before
    assert pages == listener.all(messages.Alarm, "203")[::-1]
    assert [alarm.state for alarm in pages] == ["cleared", "acknowledged", "raised"]
    everybody = listener.asks(messages.History(wearer=None))
    assert everybody.entries == pages
    assert listener.asks(messages.History(wearer="119")) == messages.Past(entries=[], before=None)
