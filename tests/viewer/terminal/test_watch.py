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
        options = (self.publisher.endpoint, "--by", "ann", *options)
        self.terminal = Terminal(folder, PROGRAM, *options)
        self.type, self.wait_for = self.terminal.type, self.terminal.wait_for

    def close(self):
        self.terminal.close()
        self.publisher.close()

    @property
    def rings(self):
        return self.terminal.written.count(b"\a")


@pytest.fixture
def registry(tmp_path):
    wards = []

    def registry(*options, **given):
        wards.append(Ward(tmp_path, *options, **given))
        return wards[-1]

    yield registry
    for each in wards:
        each.close()


@pytest.fixture
def ben(monitor):
    return type(monitor)("ben")


def test_a_session(registry, monitor, ben):
    standing = [
        ben.opened(),
        ben.window(0, heart_rate=144),
        ben.link(),
        ben.alarm(1, time=time.time()),
        monitor.opened(),
        monitor.window(0),
        monitor.link(),
        monitor.alarm(7, "latched", kind="noisy", priority="low", time=time.time()),
    ]
    registry = registry(snapshot=standing)
    for text in ("2 wearers", "ben", "144", "!!!  0:0", "latched", "acknowledge 1 alarm"):
        registry.wait_for(text.encode())
    registry.type(b"a")
    assert registry.publisher.request() == messages.Acknowledge(wearer="ben", alarm=1, by="ann")
    registry.publisher.publish(ben.alarm(1, "acknowledged", time=time.time()))
    registry.wait_for(b"ack'd")

    registry.type(b"p")
    paused = registry.publisher.request()
    assert paused == messages.Pause(wearer="ben", kind="asystole", seconds=120, by="ann")
    registry.publisher.publish(ben.paused("asystole", time.time() + 120))
    registry.wait_for("‖1:5".encode())
    registry.type(b"p")
    assert 238 <= registry.publisher.request().seconds <= 240
    registry.type(b"r")
    assert registry.publisher.request().seconds == 0

    assert not any("trace/" in str(topics) for topics in registry.publisher.topics.values())
    registry.type(b"j\n")
    registry.publisher.wait_for_topic("trace/203")
    registry.publisher.publish(*monitor.seconds(1, 3))
    registry.wait_for(b"abnormal probability")
    registry.wait_for("╵00:03".encode())
    told = {"stream": None, "event": "bye", "time": 0.0, "who": "watch-7"}
    registry.publisher.publish(messages.Event(wearer="203", text="the device leaves", **told))
    registry.wait_for(b"bye: the device leaves (203 watch-7)")
    registry.type(b"p")
    assert registry.publisher.request().kind == "noisy"
    registry.type(b"\x1b")
    registry.publisher.wait_for_topic("trace/203", wanted=False)

    registry.publisher.answer = lambda _: messages.Refused(reason="this key only looks on")
    registry.type(b"a")
    assert registry.publisher.request().wearer == "203"
    registry.wait_for(b"REFUSED: this key only looks on")
    registry.publisher.snapshot = standing[:-1]  # what was dropped was the end of an alarm
    registry.publisher.publish(messages.Dropped(count=1234))
    registry.wait_for(b"1,234 messages were dropped")
    registry.wait_for(b"alarms of 203: none standing")

    past = [ben.alarm(n, "cleared", time=0.0, text=f"past-{n}") for n in range(40, 0, -1)]
    pages = {None: messages.Past(entries=past[:20], before=21), 21: None}
    pages[21] = messages.Past(entries=past[20:], before=None)
    registry.publisher.answer = lambda request: pages[request.before]
    registry.type(b"h")
    assert registry.publisher.request() == messages.History(wearer=None)
    registry.wait_for(b"past-40")
    assert registry.publisher.request() == messages.History(wearer=None, before=21)
    registry.type(b"   ")
    registry.wait_for(b"past-1 ")
    drawn = registry.terminal.written.count(b"2 wearers")
    registry.type(b"b?")
    registry.wait_for(b"2 wearers", drawn + 1)
    registry.wait_for(b"Esc leaves this help")
    registry.type(b"q")
    assert registry.terminal.wait() == 0
    registry.terminal.assert_restored()
    assert registry.terminal.process.stderr.read() == b""


def test_a_restart_of_the_monitor_is_told_and_outlived(registry, monitor, ben):
    opened = [ben.opened(), ben.window(0, heart_rate=144), ben.link()]
    nobody = Publisher()
    nobody.close()
    registry = registry("--mute", publisher=nobody)
    endpoint = nobody.endpoint
    registry.wait_for(f"NO MONITOR ANSWERS at {endpoint}: is ecgmon serve running".encode())
    ended = monitor.alarm(2, priority="low")
    registry.publisher = Publisher(endpoint, [*opened, ben.alarm(1), ended])
    registry.wait_for(b"2 wearers")
    registry.wait_for(b"144")
    registry.type(b"j")
    registry.wait_for(b"alarms of 203: 1 standing")
    registry.publisher.close()
    registry.wait_for(b"NOT LIVE: the monitor has not been heard of for", 3)
    _, *frames, _ = registry.terminal.written.split(b"NOT LIVE")
    assert frames
    for frame in frames:
        assert b" --" in frame
        assert b"144" not in frame
    registry.publisher = Publisher(endpoint, [*opened, ben.alarm(1, "acknowledged")])
    live = registry.terminal.written.count(b"144")
    registry.wait_for(b"144", live + 1)
    assert b"NOT LIVE" not in registry.terminal.written.rpartition(b" 2 wearers")[2]
    registry.wait_for(b"alarms of 203: none standing")  # what stood and is not told again is over
    registry.wait_for(b"ack'd")
    registry.type(b"q")
    assert registry.terminal.wait() == 0
    assert registry.rings == 0


def test_a_small_terminal_without_colour_has_marks_and_a_bell(registry, monitor, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    registry = registry(snapshot=[monitor.opened(), monitor.window(0)])
    registry.terminal.resize(60, 15)
    registry.wait_for(b"\x1b[15;1H")
    registry.wait_for(b"1 wearer ")
    registry.publisher.publish(monitor.alarm(1, kind="noisy", priority="low"))
    registry.wait_for(b"\a")
    registry.publisher.publish(monitor.alarm(2, kind="abnormal", priority="medium"))
    registry.wait_for(b"\a", 1 + 3)
    time.sleep(0.6)
    assert registry.rings == 4
    registry.publisher.publish(monitor.alarm(3))
    registry.wait_for(b"\a", 4 + 2)
    registry.publisher.publish(monitor.alarm(3, "acknowledged"))
    registry.wait_for(b"ack'd")
    rung = registry.rings
    time.sleep(0.6)
    assert registry.rings == rung < 4 + 10
    for mark in (b"!   ", b"!!  ", b"!!! "):
        registry.wait_for(mark)
    assert b"38;5;" not in registry.terminal.written
    registry.type(b"\x03")
    assert registry.terminal.wait() == 130
    registry.terminal.assert_restored()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10)])
def test_an_asystole_is_seen_while_help_is_open_and_escape_closes_it(
    registry, monitor, ben, columns, rows
):
    registry = registry("--mute", snapshot=[monitor.opened(), monitor.window(0), ben.window(0)])
    registry.terminal.resize(columns, rows)
    registry.wait_for(f"\x1b[{rows};1H".encode())
    registry.wait_for(b"2 wearers")
    registry.type(b"j\n")
    registry.publisher.wait_for_topic("trace/ben")
    registry.type(b"?")
    registry.wait_for(b"Esc leaves this help")
    registry.publisher.publish(monitor.alarm(1), ben.alarm(1))
    registry.wait_for("!!! 203 asystole · ben asystole".encode())
    assert b"Esc leaves this help" in registry.terminal.frame()
    deadline = time.monotonic() + PATIENCE_S
    registry.type(b"\x1b")
    while b"Esc leaves this help" in (frame := registry.terminal.frame()) or b"ben" not in frame:
        assert time.monotonic() < deadline, frame
        time.sleep(0.05)
    assert b"!!! " in frame
    registry.publisher.publish(ben.alarm(1, "cleared"))
    registry.type(b"\x1b")  # back to all wearers
    registry.publisher.wait_for_topic("trace/ben", wanted=False)
    registry.wait_for(b"!!! 203 asystole  ")
    registry.type(b"q")
    assert registry.terminal.wait() == 0
    registry.terminal.assert_restored()


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
                    heard.append(message)
                    watch.listen(message, time.monotonic())

        heard = []
        until(lambda: messages.Subscribed() in heard)
        publisher.snapshot = snapshot[:2]  # ben's alarm is cleared, and this message is lost
        heard.clear()
        viewer.heard = time.monotonic() - LIVE_S - 1
        viewer.want(ALL)  # as every two seconds: what is in force is only confirmed
        watch.picture(time.monotonic())
        assert not watch._live
        until(lambda: messages.Subscribed(repeated=True) in heard)
        until(lambda: messages.Subscribed() in heard)
        assert watch._snapshot.standing() == {("203", 1): monitor.alarm(1)}
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

        until(lambda: view._state.book.standing)
        publisher.snapshot = [monitor.alarm(2)]  # the end of the first and the second are missing
        publisher.publish(messages.Dropped(count=2))
        until(lambda: [one.message.alarm for one in view._state.book.standing] == [2])
        viewer.close()


def test_a_monitor_that_is_lost_rings_until_somebody_has_seen_it(ben):
    with zmq.Context() as context, Publisher() as publisher:
        viewer = ViewerClient(context, publisher.endpoint, ALL)
        watch = Watch(viewer, "here", "ann", mute=False)
        began = viewer.heard = time.monotonic()
        watch.listen(ben.opened(), began)

        def rings(first, last):
            rung = 0
            for tick in range(round(8 * first), round(8 * last)):
                watch.picture(began + tick / 8)
                rung += watch.ring(began + tick / 8)
            return rung

        assert rings(0, LIVE_S) == 0
        assert rings(LIVE_S + 0.5, LIVE_S + 20) == 3  # as for medium priority
        watch.obey("a")
        assert rings(LIVE_S + 20, LIVE_S + 60) == 0
        watch.listen(ben.alarm(1), began + LIVE_S + 60)
        viewer.heard = began + LIVE_S + 60
        assert watch.ring(began + LIVE_S + 60)
        viewer.socket.close()
