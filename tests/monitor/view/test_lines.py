import io
import json
import re

import pytest
import zmq

from ecgmon.wire import messages
from monitor.view.feed import Feed, subscribe
from monitor.view.lines import LINE_KINDS, line, run_lines

FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


def parse(text):
    time, rest = text.split(" ", 1)
    assert " ".join(match.group() for match in FIELD.finditer(rest)) == rest
    return {"time": time, **dict(FIELD.findall(rest))}


def test_each_event_has_its_line(monitor):
    assert line(monitor.opened(model="generic-3")) == (
        "00:00:00.000 wearer=203 event=opened stream=00000000000000aa lead=MLII rate=360.0"
        " model=generic-3 threshold=0.5 look_ahead_s=0.5"
    )
    assert line(monitor.closed(3_600 * 360 + 90)) == (
        "01:00:00.250 wearer=203 event=closed stream=00000000000000aa"
    )
    assert line(monitor.swap(360)) == (
        "00:00:01.000 wearer=203 event=swap model=203-2 threshold=0.4 refused=null"
    )
    assert line(monitor.gap(360, 540)) == (
        "00:00:01.000 wearer=203 event=gap samples=540 seconds=1.5"
    )
    assert line(monitor.alert(7, "acknowledged", at=720, by="ward 3")) == (
        "00:00:02.000 wearer=203 event=alert alert=7 state=acknowledged priority=high"
        ' kind=asystole text="no beat for 4 seconds" by="ward 3"'
    )
    assert line(monitor.window(61, probability=0.91234, heart_rate=71.96)) == (
        "00:01:01.000 wearer=203 event=window verdict=abnormal probability=0.912 heart_rate=72.0"
        " model=generic"
    )


def test_calm_seconds_traces_and_the_link_have_none(monitor):
    assert line(monitor.window(1, probability=0.2)) is None
    assert line(monitor.trace(0, [1, 2])) is None
    assert line(monitor.link()) is None


@pytest.mark.parametrize(
    ("state", "verdict"), [("signal", "unclassified"), ("noisy", "noisy"), ("absent", "absent")]
)
def test_a_second_without_a_verdict_has_one(monitor, state, verdict):
    text = line(monitor.window(1, state, None, heart_rate=None))
    assert f"event=window verdict={verdict} probability=null heart_rate=null" in text


def test_whatever_is_said_stays_one_line_of_fields(monitor):
    hostile = '\x1b[2J "quoted" a=b\nevent=alert \x9b心'
    text = line(monitor.alert(1, text=hostile, kind=hostile))
    assert text.isascii()
    assert text.isprintable()
    fields = parse(text)
    assert (fields["event"], fields["state"]) == ("alert", "raised")
    assert json.loads(fields["text"]) == json.loads(fields["kind"]) == hostile


@pytest.fixture
def context():
    with zmq.Context() as context:
        yield context


@pytest.fixture
def publisher(context):
    """An XPUB socket on loopback; `connected` waits until a subscription has arrived."""
    with context.socket(zmq.XPUB) as socket:
        socket.linger = 0
        socket.bind("tcp://127.0.0.1:*")
        yield socket


def connected(context, publisher, wearer, kinds):
    socket = subscribe(context, publisher.last_endpoint.decode(), wearer, kinds)
    for _ in kinds:
        assert publisher.poll(5000)
        publisher.recv()
    return socket


def publish(publisher, *published):
    for message in published:
        publisher.send_multipart([messages.topic(message), messages.encode(message)])


def test_lines_are_written_until_done_and_none_is_lost(context, publisher, monitor):
    socket = connected(context, publisher, "203", LINE_KINDS)
    stranger = type(monitor)(wearer="2031")
    out, asked = io.StringIO(), []

    def done():
        asked.append(len(out.getvalue().splitlines()))
        if len(asked) == 3:
            windows = [monitor.window(n, probability=float(n == 7)) for n in range(61)]
            # *opened* comes again whenever somebody else begins to listen.
            publish(publisher, stranger.opened(), *windows[:30], monitor.opened(), *windows[30:])
            publisher.send_multipart([b"window/203", b"{}"])
            publish(publisher, monitor.closed(61 * 360))
        return len(asked) == 3

    publish(publisher, monitor.opened())
    run_lines(socket, wearer="203", out=out, done=done)
    socket.close()
    assert asked[-1] == 1
    events = [parse(text) for text in out.getvalue().splitlines()]
    assert {event["wearer"] for event in events} == {"203"}
    assert sorted(event["event"] for event in events) == [
        "closed",
        "minute",
        "opened",
        "unreadable",
        "window",
    ]
    (minute,) = (event for event in events if event["event"] == "minute")
    assert minute == {
        "time": "00:01:00.000",
        "wearer": "203",
        "event": "minute",
        "windows": "60",
        "normal": "59",
        "abnormal": "1",
        "heart_rate": "72.0",
    }


def test_a_feed_yields_its_wearer_only_and_no_more_than_asked(context, publisher, monitor):
    socket = connected(context, publisher, "203", [messages.Window])
    feed = Feed(socket, "203")
    stranger = type(monitor)(wearer="2031")
    publish(publisher, *(m.window(second) for second in range(3) for m in (stranger, monitor)))
    assert socket.poll(5000)
    heard = []
    while len(heard) < 3:
        batch = list(feed.drain(2))
        assert len(batch) <= 2
        heard += batch
    assert heard == [monitor.window(second) for second in range(3)]
    assert (list(feed.drain(9)), feed.unreadable) == ([], 0)
    socket.close()


def test_a_subscriber_refuses_what_no_monitor_publishes(context, publisher, monitor):
    socket = connected(context, publisher, None, [messages.Window])
    assert (socket.maxmsgsize, socket.linger) == (messages.MAX_BYTES, 0)
    assert 0 < socket.rcvhwm <= 10_000
    socket.close()
