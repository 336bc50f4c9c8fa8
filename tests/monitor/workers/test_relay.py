"""The pair of sockets between the front and a worker, and what each makes of what comes."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from monitor.sinks.viewers import Request
from monitor.workers.link import WordLink
from monitor.workers.relay import Relay
from monitor.workers.relayed_ports import RelayedPublisher, RelayedSource
from monitor.workers.words import (
    FROM_WORKER,
    TO_WORKER,
    Answers,
    Ask,
    Devices,
    News,
    Replied,
    Room,
    Show,
    Shown,
    Topics,
)


@pytest.fixture
def ends():
    """The front's end of a link, and a worker's relay."""
    ours, theirs = socket.socketpair()
    rest = []
    front, relay = WordLink(ours, FROM_WORKER), Relay(WordLink(theirs, TO_WORKER), rest.append)
    relay.rest = rest
    yield front, relay
    front.close()
    relay.link.close()


def sent(front, relay, *words):
    for word in words:
        front.say(word)
    while front.waiting:
        front.flush()
        relay.read()
    relay.read()


def received(relay):
    found = []
    while (one := relay.next()) is not None:
        found.append((one.peer, one.user, one.data))
    return found


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.binary(max_size=9)), max_size=40))
def test_each_connection_s_messages_come_in_order_and_none_waits_for_another(said):
    ours, theirs = socket.socketpair()
    front, relay = WordLink(ours, FROM_WORKER), Relay(WordLink(theirs, TO_WORKER), lambda _: None)
    sent(front, relay, Devices([(peer, "anonymous", data) for peer, data in said]))
    got = [(peer, data) for peer, _, data in received(relay)]
    for one in b"abc":
        of = bytes([one])
        assert [m for m in got if m[0] == of] == [m for m in said if m[0] == of]
    turns = len({peer for peer, _ in said})
    assert len({peer for peer, _ in got[:turns]}) == turns
    front.close()
    relay.link.close()


def test_a_word_longer_than_the_socket_s_buffer_comes_whole(ends):
    front, relay = ends
    said = [(b"peer", "user", bytes(60_000)) for _ in range(50)]
    sent(front, relay, Devices(said), Room(3))
    assert received(relay) == said
    assert relay.rest == [Room(3)]


def test_the_end_of_the_other_side_is_seen(ends):
    front, relay = ends
    relay.link.close()
    assert front.hear() == []
    assert front.ended


def window(wearer):
    return messages.Window(
        wearer=wearer,
        stream="00" * 8,
        first=0,
        state="absent",
        probability=None,
        abnormal=None,
        heart_rate=None,
        model="none",
    )


def test_only_what_viewers_want_is_handed_over_and_answers_keep_their_place(ends):
    front, relay = ends
    source = RelayedSource(relay, ("tcp://127.0.0.1:1",))
    publisher = RelayedPublisher(relay, source, lambda: True)
    publisher.publish([window("ann")])
    sent(front, relay, Topics(["window/ann"], ["window/eve"]))
    assert publisher.subscribed("window/ann")
    assert not publisher.subscribed("window/eve"), "nobody looks now"
    source.answer(b"peer", messages.Ack(stream="00" * 8, next=1))
    publisher.publish([window("ann"), window("bob"), window("eve")])
    publisher.flush()
    answers, news = front.hear()
    assert isinstance(answers, Answers)
    assert isinstance(news, News)
    assert [(subject, wearer) for subject, wearer, _ in news.told] == [
        ("window", "ann"),
        ("window", "eve"),
    ]
    assert messages.decode_to_viewer(news.told[0][2]) == window("ann")


def test_no_snapshot_is_given_before_all_wearers_are_known(ends):
    front, relay = ends
    settled = []
    publisher = RelayedPublisher(relay, RelayedSource(relay, ()), lambda: bool(settled))
    sent(front, relay, Show(7, ["window/"]))
    assert publisher.drain(0.0) == ([], [])
    settled.append(True)
    ((newcomer,), _) = publisher.drain(0.0)
    publisher.send_snapshot(newcomer, [window("ann")])
    (shown,) = front.hear()
    assert isinstance(shown, Shown)
    assert (shown.number, len(shown.told)) == (7, 1)


def test_requests_are_answered_by_their_number(ends):
    front, relay = ends
    publisher = RelayedPublisher(relay, RelayedSource(relay, ()), lambda: True)
    ask = messages.Acknowledge(wearer="ann", alarm=1, by="nurse")
    sent(front, relay, Ask(5, "user", messages.encode(ask)), Ask(6, "user", b"nonsense"))
    _, requests = publisher.drain(0.0)
    assert requests == [Request(b"5", "user", ask)]
    publisher.answer(requests[0], messages.Done())
    publisher.flush()
    wrong, done = front.hear()
    assert wrong.number == 6
    assert wrong.refused
    assert done == Replied(5, None)
