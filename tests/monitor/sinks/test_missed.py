"""Each message to a viewer is received, or counted by the viewer, the metric and the log."""

import errno
from collections import deque

import zmq
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from ecgmon.wire import messages
from ecgmon.wire.numbering import numbering_of
from ecgmon.wire.viewer_client import ViewerClient
from monitor.network.access import Access
from monitor.network.router import Received
from monitor.sinks.publisher import SILENT_S, Publisher
from monitor.sinks.subscribers import AWAY_S, NAMELESS_S

STREAM = messages.stream_id(7)
WANTED = ["gap/"]


def gap(number):
    return messages.Gap(wearer="203", stream=STREAM, first=number, count=1)


class Wire:
    """Stands for a ROUTER socket and its inbox: connections that hold some messages each."""

    HOLDS = 5

    def __init__(self):
        self.socket = self
        self.pipes = {}
        self.asked = deque()
        self.to = None
        self.ends_in = None

    def send(self, part, flags):
        if self.to is not None:
            assert flags == zmq.DONTWAIT
            self.pipes[self.to].append(part)
            self.to = None
            return
        assert flags == zmq.DONTWAIT | zmq.SNDMORE
        if self.ends_in is not None:
            self.ends_in -= 1
            if self.ends_in < 0:
                self.pipes.pop(part, None)
                self.ends_in = None
        if part not in self.pipes:
            raise zmq.ZMQError(errno.EHOSTUNREACH)
        if len(self.pipes[part]) >= self.HOLDS:
            raise zmq.Again
        self.to = part

    def receive(self):
        return self.asked.popleft() if self.asked else None


class Bedside(RuleBasedStateMachine):
    """A viewer that reads, stalls, loses its connection, falls silent and comes back."""

    def __init__(self):
        super().__init__()
        self.wire, self.now = Wire(), 0.0
        self.publisher = Publisher(self.wire, Access())
        self.context = zmq.Context()
        self.viewer = ViewerClient(self.context, "tcp://127.0.0.1:9", WANTED)
        self.peers, self.peer, self.late = 0, None, deque()
        self.published_count = self.lost = 0
        self.read_gaps, self.read_numbers = [], []
        self.subscribe()
        self.read(Wire.HOLDS)
        self.subscribe()

    def subscribe(self):
        """Say what is wanted, over a new connection where the old one has ended."""
        if self.peer not in self.wire.pipes:
            self.peers += 1
            self.peer = bytes([self.peers // 256, self.peers % 256])
            self.wire.pipes[self.peer] = deque()
        sequence = self.viewer._sequence
        published_count = messages.Subscribe(
            topics=WANTED, session=sequence.session, lost=sequence.lost
        )
        self.wire.asked.append(Received(self.peer, "anonymous", messages.encode(published_count)))
        newcomers, _ = self.publisher.drain(self.now)
        for newcomer in newcomers:
            self.publisher.send_snapshot(newcomer, [gap(0)])

    @rule()
    def a_sign_of_life(self):
        self.subscribe()

    @rule(count=st.integers(1, 8), together=st.booleans())
    def say(self, count, together=False):
        before = self.published_count
        self.published_count += count
        said = [gap(before + 1 + number) for number in range(count)]
        for batch in [said] if together else [[one] for one in said]:
            self.publisher.publish(batch)

    @rule(arrived=st.integers(0, 4))
    def the_connection_ends_while_much_is_said(self, arrived):
        self.wire.ends_in = arrived
        self.say(5, together=True)
        self.wire.ends_in = None

    @rule(count=st.integers(1, 20), late_first=st.booleans())
    def read(self, count, late_first=True):
        for _ in range(count):
            pipes = [self.late, self.wire.pipes.get(self.peer, ())]
            found = [pipe for pipe in (pipes if late_first else pipes[::-1]) if pipe]
            if not found:
                return
            seen = self.viewer._sequence._seen
            for message in self.viewer._take(found[0].popleft()):
                if isinstance(message, messages.Dropped):
                    self.lost += message.count
                elif isinstance(message, messages.Gap) and message.first:
                    self.read_gaps.append(message.first)
            if self.viewer._sequence._seen != seen:
                self.read_numbers.append(self.viewer._sequence._seen)

    @rule(arrived=st.integers(0, 3))
    def the_connection_ends(self, arrived):
        """Some of what was under way has arrived, and is read later."""
        pipe = self.wire.pipes.pop(self.peer, deque())
        self.late.extend(list(pipe)[:arrived])

    @rule(arrived=st.integers(1, 3), new=st.integers(1, 3))
    def what_was_late_is_read_after_what_is_new(self, arrived, new):
        self.say(4)
        self.the_connection_ends(arrived)
        self.subscribe()
        self.read(new, late_first=False)
        self.read(20)

    @rule(seconds=st.sampled_from([0.5, 2.0, SILENT_S + 1]))
    def time_goes_by(self, seconds):
        self.now = min(self.now + seconds, AWAY_S / 2)
        self.publisher.forget_silent(self.now)

    def teardown(self):
        try:
            self.comes_back()
        finally:
            self.viewer.socket.close()
            self.context.term()

    def comes_back(self):
        """Connect, read all, and report the number of missing messages."""
        for _ in range(3):
            self.subscribe()
            self.say(1)
            self.read(1000)
        self.subscribe()
        numbers = self.read_numbers
        assert numbers == sorted(set(numbers)), "none is believed twice or late"
        assert len(numbers) + self.lost == numbers[-1]
        assert self.viewer._sequence.lost == self.lost
        assert self.publisher.take_dropped() == self.lost
        assert self.read_gaps == sorted(set(self.read_gaps))
        assert self.read_gaps[-1] == self.published_count
        assert self.published_count - len(self.read_gaps) <= self.lost


def test_whatever_happens_each_message_is_received_or_counted():
    run_state_machine_as_test(Bedside, settings=settings(max_examples=30, deadline=None))


def test_a_viewer_that_names_no_session_receives_an_estimate_of_what_it_missed():
    wire = Wire()
    wire.HOLDS = 1000
    publisher = Publisher(wire, Access())
    subscribe = messages.encode(messages.Subscribe(topics=WANTED))

    def hear(peer, now):
        wire.asked.append(Received(peer, "anonymous", subscribe))
        for newcomer in publisher.drain(now)[0]:
            publisher.send_snapshot(newcomer, [])

    def dropped(peer):
        received = [messages.decode_to_viewer(data) for data in wire.pipes[peer]]
        return [message.count for message in received if isinstance(message, messages.Dropped)]

    published_count = 0
    for life, peer in enumerate((b"1", b"2", b"3")):
        wire.pipes[peer] = deque()
        for second in range(0, 8 if life else 12, 2):  # of the first, two seconds have arrived
            hear(peer, 20.0 * life + second)
            for _ in range(10):
                published_count += 1
                publisher.publish([gap(published_count)])
        if life == 1:
            assert dropped(peer) == [5 * 11 + 1]
        if life < 2:
            del wire.pipes[peer]
            publisher.publish([gap(published_count := published_count + 1)])
    # Messages sent on a connection that ended have not arrived either.
    assert dropped(b"3") == [5 * 11 + 1 + 4 * 11 + 2]
    assert publisher.take_dropped() == 5 * 11 + 1 + 4 * 11 + 2
    del wire.pipes[b"3"]
    publisher.publish([gap(published_count)])
    publisher.forget_silent(50.0 + NAMELESS_S + 1)
    wire.pipes[b"4"] = deque()
    hear(b"4", 50.0 + NAMELESS_S + 2)
    assert dropped(b"4") == [], "another one of its kind"


def test_a_viewer_that_unsubscribes_or_may_read_nothing_is_not_counted():
    wire = Wire()
    publisher = Publisher(wire, Access())
    wire.pipes[b"1"] = deque()
    for topics in (WANTED, []):
        subscribe = messages.Subscribe(topics=topics)
        wire.asked.append(Received(b"1", "anonymous", messages.encode(subscribe)))
        for newcomer in publisher.drain(0.0)[0]:
            publisher.send_snapshot(newcomer, [])
    session = numbering_of(wire.pipes[b"1"][0]).session
    del wire.pipes[b"1"]
    publisher.forget_silent(SILENT_S + 1)
    publisher.publish([gap(1)])
    assert publisher._away.all() == []
    wire.pipes[b"2"] = deque()
    subscribe = messages.Subscribe(topics=WANTED, session=session, lost=5)
    wire.asked.append(Received(b"2", "anonymous", messages.encode(subscribe)))
    publisher.drain(0.0)
    assert publisher.take_dropped() == 0


def test_nobody_takes_over_the_session_of_another_user(monkeypatch):
    monkeypatch.setattr(Access, "may_read", lambda *_: True)
    wire = Wire()
    publisher = Publisher(wire, Access())

    def hear(peer, user, session=None):
        wire.pipes.setdefault(peer, deque())
        subscribe = messages.encode(messages.Subscribe(topics=WANTED, session=session, lost=1))
        wire.asked.append(Received(peer, user, subscribe))
        for newcomer in publisher.drain(0.0)[0]:
            publisher.send_snapshot(newcomer, [])
        return numbering_of(wire.pipes[peer][-1]).session

    session = hear(b"1", "ann")
    assert hear(b"2", "ben", session) != session
    publisher.publish([gap(1)])
    assert messages.decode_to_viewer(wire.pipes[b"1"][-1]) == gap(1)
    assert hear(b"3", "ann", session) == session
