"""``ecgmon view`` in a real terminal, in a process of its own, fed through real sockets."""

import time

import pytest
import zmq

from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from tests.support.publisher import Publisher
from tests.support.terminals import PATIENCE_S, Terminal
from viewer.model.snapshot import LIVE_S
from viewer.terminal.render import Caption
from viewer.terminal.single import _View
from viewer.terminal.watch import ALL, Watch

PROGRAM = """
import os, sys
# The leader of a session gets the first terminal that it opens, and with it the keys' signals.
os.close(os.open(os.ttyname(1), os.O_RDWR))
from ecgmon_cli import main
sys.argv = ["ecgmon", "view", *sys.argv[1:]]
main()
"""


class Ward:
    """A publisher, and a terminal that views it."""

    def __init__(self, folder, *options, snapshot=(), publisher=None):
        self.publisher = publisher or Publisher(snapshot=snapshot)
        options = ("--monitor", self.publisher.endpoint, "--by", "ann", *options)
        self.terminal = Terminal(folder, PROGRAM, *options)
        self.type, self.wait_for = self.terminal.type, self.terminal.wait_for

    def close(self):
        self.terminal.close()
        self.publisher.close()

    @property
    def rings(self):
        return self.terminal.written.count(b"\a")


@pytest.fixture
def ward(tmp_path):
    wards = []

    def ward(*options, **given):
        wards.append(Ward(tmp_path, *options, **given))
        return wards[-1]

    yield ward
    for each in wards:
        each.close()


@pytest.fixture
def ben(monitor):
    return type(monitor)("ben")


@pytest.mark.thorough
def test_a_session(ward, monitor, ben):
    active = [
        ben.opened(),
        ben.window(0, heart_rate=144),
        ben.link(),
        ben.alarm(1, time=time.time()),
        monitor.opened(),
        monitor.window(0),
        monitor.link(),
        monitor.alarm(7, "latched", kind="noisy", priority="low", time=time.time()),
    ]
    ward = ward(snapshot=active)
    for text in ("2 wearers", "ben", "144", "!!!  0:0", "latched", "acknowledge 1 alarm"):
        ward.wait_for(text.encode())
    ward.type(b"a")
    assert ward.publisher.request() == messages.Acknowledge(wearer="ben", alarm=1, by="ann")
    ward.publisher.publish(ben.alarm(1, "acknowledged", time=time.time()))
    ward.wait_for(b"ack'd")

    ward.type(b"p")
    paused = ward.publisher.request()
    assert paused == messages.Pause(wearer="ben", kind="asystole", seconds=120, by="ann")
    ward.publisher.publish(ben.paused("asystole", time.time() + 120))
    ward.wait_for("‖1:5".encode())
    ward.type(b"p")
    assert 238 <= ward.publisher.request().seconds <= 240
    ward.type(b"r")
    assert ward.publisher.request().seconds == 0

    assert not any("trace/" in str(topics) for topics in ward.publisher.topics.values())
    ward.type(b"j\n")
    ward.publisher.wait_for_topic("trace/203")
    ward.publisher.publish(*monitor.seconds(1, 3))
    ward.wait_for(b"abnormal probability")
    ward.wait_for("╵00:03".encode())
    fields = {"stream": None, "event": "bye", "time": 0.0, "who": "watch-7"}
    ward.publisher.publish(messages.Event(wearer="203", text="the device leaves", **fields))
    ward.wait_for(b"bye: the device leaves (203 watch-7)")
    ward.type(b"p")
    assert ward.publisher.request().kind == "noisy"
    ward.type(b"\x1b")
    ward.publisher.wait_for_topic("trace/203", wanted=False)

    ward.publisher.answer = lambda _: messages.Refused(reason="this key only looks on")
    ward.type(b"a")
    assert ward.publisher.request().wearer == "203"
    ward.wait_for(b"REFUSED: this key only looks on")
    ward.publisher.snapshot = active[:-1]  # what was dropped was the end of an alarm
    ward.publisher.publish(messages.Dropped(count=1234))
    ward.wait_for(b"1,234 messages were dropped")
    ward.wait_for(b"alarms of 203: none active")

    past = [ben.alarm(n, "cleared", time=0.0, text=f"past-{n}") for n in range(40, 0, -1)]
    pages = {None: messages.Past(entries=past[:20], before=21), 21: None}
    pages[21] = messages.Past(entries=past[20:], before=None)
    ward.publisher.answer = lambda request: pages[request.before]
    ward.type(b"h")
    assert ward.publisher.request() == messages.History(wearer=None)
    ward.wait_for(b"past-40")
    assert ward.publisher.request() == messages.History(wearer=None, before=21)
    ward.terminal.type_until(b" ", b"past-1 ")  # no page lies beyond what has come so far
    drawn = ward.terminal.written.count(b"2 wearers")
    ward.type(b"b?")
    ward.wait_for(b"2 wearers", drawn + 1)
    ward.wait_for(b"Esc leaves this help")
    ward.type(b"q")
    assert ward.terminal.wait() == 0
    ward.terminal.assert_restored()
    assert ward.terminal.process.stderr.read() == b""


@pytest.mark.thorough
def test_a_view_shows_a_restart_of_the_monitor_and_goes_on(ward, monitor, ben):
    opened = [ben.opened(), ben.window(0, heart_rate=144), ben.link()]
    nobody = Publisher()
    nobody.close()
    ward = ward("--mute", publisher=nobody)
    endpoint = nobody.endpoint
    ward.wait_for(f"NO MONITOR ANSWERS at {endpoint}: is ecgmon serve running".encode())
    ended = monitor.alarm(2, priority="low")
    ward.publisher = Publisher(endpoint, [*opened, ben.alarm(1), ended])
    ward.wait_for(b"2 wearers")
    ward.wait_for(b"144")
    ward.type(b"j")
    ward.wait_for(b"alarms of 203: 1 active")
    ward.publisher.close()
    ward.wait_for(b"NOT LIVE: the monitor has not been heard of for", 3)
    _, *frames, _ = ward.terminal.written.split(b"NOT LIVE")
    assert frames
    for frame in frames:
        assert b" --" in frame
        assert b"144" not in frame
    ward.publisher = Publisher(endpoint, [*opened, ben.alarm(1, "acknowledged")])
    live = ward.terminal.written.count(b"144")
    ward.wait_for(b"144", live + 1)
    assert b"NOT LIVE" not in ward.terminal.written.rpartition(b" 2 wearers")[2]
    ward.wait_for(b"alarms of 203: none active")  # an alarm that is not repeated is over
    ward.wait_for(b"ack'd")
    ward.type(b"q")
    assert ward.terminal.wait() == 0
    assert ward.rings == 0


@pytest.mark.thorough
def test_a_small_terminal_without_colour_has_marks_and_a_bell(ward, monitor, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    ward = ward(snapshot=[monitor.opened(), monitor.window(0)])
    ward.terminal.resize(60, 15)
    ward.wait_for(b"\x1b[15;1H")
    ward.wait_for(b"1 wearer ")
    ward.publisher.publish(monitor.alarm(1, kind="noisy", priority="low"))
    ward.wait_for(b"\a")
    ward.publisher.publish(monitor.alarm(2, kind="abnormal", priority="medium"))
    ward.wait_for(b"\a", 1 + 3)
    time.sleep(0.6)
    assert ward.rings == 4
    ward.publisher.publish(monitor.alarm(3))
    ward.wait_for(b"\a", 4 + 2)
    ward.publisher.publish(monitor.alarm(3, "acknowledged"))
    ward.wait_for(b"ack'd")
    rung = ward.rings
    time.sleep(0.6)
    assert ward.rings == rung < 4 + 10
    for mark in (b"!   ", b"!!  ", b"!!! "):
        ward.wait_for(mark)
    assert b"38;5;" not in ward.terminal.written
    ward.type(b"\x03")
    assert ward.terminal.wait() == 130
    ward.terminal.assert_restored()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10)])
def test_an_asystole_is_seen_while_help_is_open_and_escape_closes_it(
    ward, monitor, ben, columns, rows
):
    ward = ward("--mute", snapshot=[monitor.opened(), monitor.window(0), ben.window(0)])
    ward.terminal.resize(columns, rows)
    ward.wait_for(f"\x1b[{rows};1H".encode())
    ward.wait_for(b"2 wearers")
    ward.type(b"j\n")
    ward.publisher.wait_for_topic("trace/ben")
    ward.type(b"?")
    ward.wait_for(b"Esc leaves this help")
    ward.publisher.publish(monitor.alarm(1), ben.alarm(1))
    ward.wait_for("!!! 203 asystole · ben asystole".encode())
    assert b"Esc leaves this help" in ward.terminal.frame()
    deadline = time.monotonic() + PATIENCE_S
    ward.type(b"\x1b")
    while b"Esc leaves this help" in (frame := ward.terminal.frame()) or b"ben" not in frame:
        assert time.monotonic() < deadline, frame
        time.sleep(0.05)
    assert b"!!! " in frame
    ward.publisher.publish(ben.alarm(1, "cleared"))
    ward.type(b"\x1b")  # back to all wearers
    ward.publisher.wait_for_topic("trace/ben", wanted=False)
    ward.wait_for(b"!!! 203 asystole  ")
    ward.type(b"q")
    assert ward.terminal.wait() == 0
    ward.terminal.assert_restored()


def test_a_monitor_that_hesitates_makes_the_view_forget_no_alarm(monitor, ben):
    snapshot = [monitor.opened(), monitor.alarm(1), ben.alarm(1)]
    with zmq.Context() as context, Publisher(snapshot=snapshot) as publisher:
        viewer = ViewerClient(context, publisher.endpoint, ALL)
        watch = Watch(viewer, "here", "ann", mute=True)
        deadline = time.monotonic() + PATIENCE_S

        def until(happens):
            while not happens():
                assert time.monotonic() < deadline
                viewer.socket.poll(20)
                for message in viewer.drain(100):
                    received.append(message)
                    watch.listen(message, time.monotonic())

        received = []
        until(lambda: messages.Subscribed() in received)
        publisher.snapshot = snapshot[:2]  # ben's alarm is cleared, and this message is lost
        received.clear()
        viewer.last_message = time.monotonic() - LIVE_S - 1
        viewer.want(ALL)  # as every two seconds: what is in force is only confirmed
        watch.picture(time.monotonic())
        assert not watch._live
        until(lambda: messages.Subscribed(repeated=True) in received)
        until(lambda: messages.Subscribed() in received)
        assert watch._snapshot.active() == {("203", 1): monitor.alarm(1)}
        viewer.close()


def test_the_view_of_a_replay_asks_again_after_a_loss(monitor):
    with zmq.Context() as context, Publisher(snapshot=[monitor.alarm(1)]) as publisher:
        viewer = ViewerClient(context, publisher.endpoint, topics(wearer="203"))
        view = _View(viewer, "203", Caption("203"), lambda: None, lambda _: None)
        deadline = time.monotonic() + PATIENCE_S

        def until(happens):
            while not happens():
                assert time.monotonic() < deadline
                viewer.socket.poll(20)
                for message in viewer.drain(100):
                    view.listen(message, time.monotonic())

        until(lambda: view._state.alarm_list.active)
        publisher.snapshot = [monitor.alarm(2)]  # the end of the first and the second are missing
        publisher.publish(messages.Dropped(count=2))
        until(lambda: [one.message.alarm for one in view._state.alarm_list.active] == [2])
        viewer.close()


def test_a_monitor_that_is_lost_rings_until_somebody_has_seen_it(ben):
    with zmq.Context() as context, Publisher() as publisher:
        viewer = ViewerClient(context, publisher.endpoint, ALL)
        watch = Watch(viewer, "here", "ann", mute=False)
        began = viewer.last_message = time.monotonic()
        watch.listen(ben.opened(), began)

        def rings(first, last):
            rung = 0
            for tick in range(round(8 * first), round(8 * last)):
                watch.picture(began + tick / 8)
                rung += watch.ring(began + tick / 8)
            return rung

        assert rings(0, LIVE_S) == 0
        assert rings(LIVE_S + 0.5, LIVE_S + 20) == 3  # as for medium priority
        watch.on_key("a")
        assert rings(LIVE_S + 20, LIVE_S + 60) == 0
        watch.listen(ben.alarm(1), began + LIVE_S + 60)
        viewer.last_message = began + LIVE_S + 60
        assert watch.ring(began + LIVE_S + 60)
        viewer.socket.close()
