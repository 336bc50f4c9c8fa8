import time

import pytest
import zmq

from ecgmon.errors import UsageError
from ecgmon.wire import messages
from ecgmon.wire.viewer import ALIVE_S, Viewer, topics
from tests.publisher import PATIENCE_S, Publisher

WINDOWS = topics([messages.Window])


@pytest.fixture
def viewer():
    made = []
    with zmq.Context() as context:

        def viewer(endpoint, wanted=WINDOWS, **given):
            made.append(Viewer(context, endpoint, wanted, **given))
            return made[-1]

        yield viewer
        for each in made:
            each.socket.close()


def until(happens, viewer):
    """Let a viewer go on until something has happened; returns what it heard."""
    heard, deadline = [], time.monotonic() + PATIENCE_S
    while not happens(heard):
        assert time.monotonic() < deadline
        viewer.socket.poll(5)
        heard += viewer.drain(100)
    return heard


def subscribed(heard):
    return messages.Subscribed() in heard


def test_it_knows_whether_there_is_a_monitor_and_finds_the_next_one(viewer):
    with Publisher() as publisher:
        viewer = viewer(publisher.endpoint)
        until(subscribed, viewer)
        assert viewer.connected
        assert viewer.say(messages.History(wearer=None))
    until(lambda _: not viewer.connected, viewer)
    assert not viewer.say(messages.History(wearer=None))
    viewer.want(topics([messages.Alarm]))  # said as soon as there is somebody to say it to
    before = time.monotonic()
    with Publisher(publisher.endpoint) as publisher:
        until(subscribed, viewer)
        assert time.monotonic() - before < ALIVE_S
        assert set(publisher.topics.values()) == {frozenset({"alarm/"})}


def test_it_is_given_keys_before_it_connects(viewer):
    seen = []
    viewer = viewer("tcp://127.0.0.1:9", secure=seen.append)
    assert seen == [viewer.socket]
    with pytest.raises(UsageError, match="nowhere is no endpoint to connect to"):
        Viewer(viewer.socket.context, "nowhere", WINDOWS)


def test_what_cannot_be_read_is_counted(viewer):
    with Publisher() as publisher:
        viewer = viewer(publisher.endpoint)
        until(subscribed, viewer)
        publisher.publish(b"{}", b"\xff", messages.Dropped(count=1))
        assert until(lambda heard: messages.Dropped(count=1) in heard, viewer)
        assert viewer.unreadable == 2
