import io
import json
import re

import pytest
import zmq

from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from tests.support.publisher import Publisher
from viewer.terminal.lines import LINE_KINDS, line, run_lines

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
    assert line(monitor.alarm(7, "acknowledged", at=720, by="ward 3")) == (
        "00:00:02.000 wearer=203 event=alarm alarm=7 state=acknowledged priority=high"
        ' kind=asystole text="no beat for 4 seconds" by="ward 3" count=1'
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


def test_any_message_stays_one_line_of_fields(monitor):
    hostile = '\x1b[2J "quoted" a=b\nevent=alarm \x9b心'
    text = line(monitor.alarm(1, text=hostile, kind=hostile))
    assert text.isascii()
    assert text.isprintable()
    fields = parse(text)
    assert (fields["event"], fields["state"]) == ("alarm", "raised")
    assert json.loads(fields["text"]) == json.loads(fields["kind"]) == hostile


def test_what_has_no_place_in_the_signal_has_the_time_of_day(monitor, own):
    text = line(own(time=1_700_000_000.5))
    assert text.startswith("22:13:20.500Z wearer=null event=alarm alarm=1 state=raised")
    paused = line(monitor.paused("noisy", 1_700_000_120.0, time=1_700_000_000.0))
    assert paused == "22:13:20.000Z wearer=203 event=paused kind=noisy seconds=120 by=null"
    assert "event=re-armed kind=noisy" in line(monitor.paused("noisy", None))
    event = messages.Event(
        wearer="203", stream=None, event="refused", text="no such key", time=0.0, who="x"
    )
    assert line(event) == ('00:00:00.000Z wearer=203 event=refused text="no such key" who=x')


@pytest.fixture
def written():
    """Write lines of a publisher's messages until the test has enough; return them parsed."""

    def written(publisher, enough, say=lambda: None):
        out = io.StringIO()
        with zmq.Context() as context:
            viewer = ViewerClient(context, publisher.endpoint, topics(LINE_KINDS))
            published = []

            def done():
                if not published and publisher.topics:
                    published.append(True)
                    say()
                return enough in out.getvalue()

            run_lines(viewer, out=out, done=done)
            viewer.socket.close()
        return [parse(text) for text in out.getvalue().splitlines()]

    return written


def test_lines_are_written_until_done_and_what_is_repeated_only_once(monitor, written):
    with Publisher(snapshot=[monitor.opened(), monitor.alarm(1)]) as publisher:
        windows = [monitor.window(n, probability=float(n == 7)) for n in range(61)]

        def say():
            publisher.snapshot = [monitor.alarm(2)]  # its beginning is among what was dropped
            publisher.publish(
                *windows[:30],
                # As published again after a restart of the monitor.
                monitor.opened(),
                monitor.alarm(1),
                *windows[30:],
                b"{}",
                monitor.alarm(1, "acknowledged"),
                monitor.alarm(1, "acknowledged"),
                monitor.alarm(1, "cleared"),
                messages.Dropped(count=3),
                monitor.closed(61 * 360),
            )

        events = written(publisher, "alarm=2", say)
    kinds = [event["event"] for event in events]
    assert kinds.count("opened") == kinds.count("closed") == kinds.count("window") == 1
    states = [event["state"] for event in events if event["event"] == "alarm"]
    assert states == ["raised", "acknowledged", "cleared", "raised"]
    assert [event["messages"] for event in events if event["event"] == "dropped"] == ["3"]
    assert [event["messages"] for event in events if event["event"] == "unreadable"] == ["1"]
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
