import time

import pytest
import zmq

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from ecgmon.wire.numbering import numbered
from ecgmon.wire.viewer_client import ALIVE_S, ViewerClient, topics
from tests.support.publisher import PATIENCE_S, Publisher

WINDOWS = topics([messages.Window])


@pytest.fixture
def viewer():
    made = []
    with zmq.Context() as context:

        def viewer(endpoint, wanted=WINDOWS, **given):
            made.append(ViewerClient(context, endpoint, wanted, **given))
            return made[-1]

        yield viewer
        for each in made:
            each.socket.close()


def until(happens, viewer):
    """Let a viewer go on until something has happened; return the messages received."""
    received, deadline = [], time.monotonic() + PATIENCE_S
    while not happens(received):
        assert time.monotonic() < deadline
        viewer.socket.poll(5)
        received += viewer.drain(100)
    return received


def subscribed(received):
    return messages.Subscribed() in received


def test_it_knows_whether_there_is_a_monitor_and_finds_the_next_one(viewer):
    with Publisher() as publisher:
        viewer = viewer(publisher.endpoint)
        until(subscribed, viewer)
        assert viewer.connected
        assert viewer.say(messages.History(wearer=None))
    until(lambda _: not viewer.connected, viewer)
    assert not viewer.say(messages.History(wearer=None))
    viewer.want(topics([messages.Alarm]))  # sent as soon as there is a publisher
    before = time.monotonic()
    with Publisher(publisher.endpoint) as publisher:
        until(subscribed, viewer)
        assert time.monotonic() - before < ALIVE_S
        assert set(publisher.topics.values()) == {frozenset({"alarm/"})}


def test_what_had_come_before_the_monitor_went_is_read(viewer):
    gaps = [messages.Gap(wearer="203", stream="0" * 16, first=at, count=1) for at in range(20)]
    with Publisher() as publisher:
        viewer = viewer(publisher.endpoint, topics([messages.Gap]))
        until(subscribed, viewer)
        publisher.publish(*gaps)
        assert viewer.socket.poll(1000 * PATIENCE_S)
        publisher.sent_all()
    deadline = time.monotonic() + PATIENCE_S
    while viewer.connected:
        assert time.monotonic() < deadline
    assert list(viewer.drain(100)) == gaps


def test_a_context_that_is_destroyed_with_its_clients_ends():
    for _ in range(30):
        context = zmq.Context()
        monitor = context.socket(zmq.ROUTER)
        port = monitor.bind_to_random_port("tcp://127.0.0.1")
        clients = [ViewerClient(context, f"tcp://127.0.0.1:{port}", WINDOWS) for _ in range(5)]
        while not monitor.poll(5):
            for client in clients:
                client.keep_alive()
        context.destroy(linger=0)


def test_it_is_given_keys_before_it_connects(viewer):
    seen = []
    viewer = viewer("tcp://127.0.0.1:9", secure=seen.append)
    assert seen == [viewer.socket]
    with pytest.raises(UsageError, match="nowhere is no endpoint to connect to"):
        ViewerClient(viewer.socket.context, "nowhere", WINDOWS)


def test_what_cannot_be_read_is_counted(viewer):
    with Publisher() as publisher:
        viewer = viewer(publisher.endpoint)
        until(subscribed, viewer)
        publisher.publish(b"{}", b"\xff", messages.Dropped(count=1))
        assert until(lambda received: messages.Dropped(count=1) in received, viewer)
        assert viewer.unreadable == 2


def test_missing_messages_are_yielded_in_their_place_and_logged(viewer):
    def gap(session, seq):
        message = messages.encode(messages.Gap(wearer="203", stream="0" * 16, first=seq, count=1))
        return numbered(message, session * 16, seq)

    message = numbered(messages.encode(messages.Dropped(count=5)), "a" * 16, 13)
    with Publisher() as publisher:
        viewer = viewer(publisher.endpoint)
        until(subscribed, viewer)
        publisher.publish(
            *(gap("a", seq) for seq in (2, 3, 7)),
            message,  # reports the loss that the numbers show, too
            numbered(b'{"type":"of a later version"}', "a" * 16, 14),
            *(gap("a", seq) for seq in (16, 15, 4, 17)),
            *(gap("b", seq) for seq in (1, 2)),
            gap("a", 18),  # of a monitor that is no more
            b'{"type":"done","session":"A"}',
            messages.Done(),
        )
        received = until(lambda received: messages.Done() in received, viewer)
    found = [m.first if isinstance(m, messages.Gap) else m for m in received]
    missing = [messages.Dropped(count=count) for count in (1, 3, 5, 1, 0)]
    one, three, five, again, unknown = missing
    assert found == [one, 2, 3, three, 7, five, again, 16, 17, unknown, 1, 2, messages.Done()]
    assert viewer.unreadable == 2


def test_it_says_its_session_and_its_loss_and_takes_leave(viewer):
    sent = []
    with Publisher() as publisher:
        take = publisher._take
        publisher._take = lambda peer, message: (sent.append(message), take(peer, message))
        viewer = viewer(publisher.endpoint)
        until(subscribed, viewer)
        done = numbered(messages.encode(messages.Done()), "a" * 16, 3)
        publisher.publish(done)
        until(lambda received: messages.Done() in received, viewer)
        viewer.ask_again()
        until(subscribed, viewer)
        viewer.close()
        viewer.close()
        publisher.wait_for_topic("window/", wanted=False)
    first, again, leave = sent
    assert (first.session, first.lost, first.again) == (None, 0, False)
    assert (again.session, again.lost, again.again) == ("a" * 16, 2, True)
    assert (leave.topics, leave.session) == ([], "a" * 16)
