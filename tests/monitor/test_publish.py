"""The publisher knows what anybody listens to."""

import time

import pytest
import zmq

from ecgmon.wire import messages
from monitor.publish import Publisher
from tests.monitor.rig import PATIENCE_S

GAP = messages.Gap(wearer="203", stream="0000000000000007", first=5, count=7)


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def publisher(context):
    socket = context.socket(zmq.XPUB)
    socket.bind("tcp://127.0.0.1:*")
    yield Publisher(socket)
    socket.close(0)


@pytest.fixture
def subscriber(context, publisher):
    sockets = []

    def subscriber(*topics):
        socket = context.socket(zmq.SUB)
        sockets.append(socket)
        socket.connect(publisher.socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0"))
        for topic in topics:
            socket.subscribe(topic)
        return socket

    yield subscriber
    for socket in sockets:
        socket.close(0)


def settled(publisher, condition):
    """Take subscriptions until a condition holds; returns whether a newcomer was among them."""
    deadline, newcomer = time.monotonic() + PATIENCE_S, False
    while not condition():
        assert time.monotonic() < deadline
        newcomer |= publisher.take_subscriptions()
    return newcomer


@pytest.mark.parametrize("topic", ["", "o", "opened", "opened/", "opened/203"])
def test_who_begins_to_listen_to_streams_being_opened_is_a_newcomer(publisher, subscriber, topic):
    subscriber(topic, "zz")
    assert settled(publisher, lambda: publisher.wanted(b"zz"))


@pytest.mark.parametrize("topic", ["window/203", "openedx", "closed/", "x"])
def test_who_listens_to_something_else_is_no_newcomer(publisher, subscriber, topic):
    subscriber(topic, "zz")
    assert not settled(publisher, lambda: publisher.wanted(b"zz"))


def test_every_newcomer_is_noticed_though_another_listens_to_the_same(publisher, subscriber):
    for number in range(3):
        marker = f"zz{number}"
        subscriber("opened/203", marker)
        assert settled(publisher, lambda marker=marker: publisher.wanted(marker.encode()))


def test_a_topic_is_wanted_while_anybody_listens_to_a_beginning_of_it(publisher, subscriber):
    assert not publisher.wanted(b"trace/203")
    first, second = subscriber("trace/20"), subscriber("trace/20", "zz")
    settled(publisher, lambda: publisher.wanted(b"zz") and publisher.wanted(b"trace/203"))
    assert not publisher.wanted(b"trace/119")
    first.unsubscribe("trace/20")
    first.subscribe("yy")
    settled(publisher, lambda: publisher.wanted(b"yy"))
    assert publisher.wanted(b"trace/203")
    second.close()
    settled(publisher, lambda: not publisher.wanted(b"trace/203"))
    assert publisher.wanted(b"yy")


def test_a_message_is_sent_under_its_topic(publisher, subscriber):
    listening, other = subscriber("gap/203"), subscriber("gap/119", "window/")
    settled(publisher, lambda: publisher.wanted(b"gap/203") and publisher.wanted(b"window/"))
    publisher.send(GAP)
    assert listening.poll(1000 * PATIENCE_S)
    topic, payload = listening.recv_multipart()
    assert topic == b"gap/203"
    assert messages.decode_published(payload) == GAP
    assert not other.poll(100)


def test_a_subscriber_that_never_reads_stops_nobody(publisher, subscriber):
    slow, fast = subscriber("trace/"), subscriber("trace/", "zz")
    settled(publisher, lambda: publisher.wanted(b"zz"))
    trace = messages.Trace(wearer="203", stream=GAP.stream, first=0, samples=bytes(8000))
    for _ in range(5000):
        publisher.send(trace)
        assert fast.poll(1000 * PATIENCE_S)
        fast.recv_multipart()
    received = 0
    while slow.poll(200):
        slow.recv_multipart()
        received += 1
    assert 0 < received < 5000  # the rest was dropped, for this one alone
