"""A frame names only its stream: whatever devices do, no sample becomes another wearer's."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured.reader import captures, read
from ecgmon.wire import Frame, messages
from monitor.network.access import LOCAL, Access
from monitor.network.rate_limits import RateLimit, RateLimiter
from monitor.network.router import Received
from monitor.sources.ingest import Ingest
from monitor.storage.capture import Capture
from monitor.storage.recovery import recover_stream
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import TAKEOVER_S, WearerRegistry
from tests.support.keyring import PAIRS, device
from tests.support.rig import GENERIC

WEARERS = ("ann", "bob", "cid")
STREAMS = (1, 2)
GATEWAY, OTHER, KEYED = b"gateway", b"other", b"keyed"
"""Two connections of the monitor's machine, and one with a device's key."""
PEERS = (GATEWAY, OTHER, KEYED)
KEY = PAIRS[0].public
SIZE = 36


def values(wearer, stream, first, n):
    """Samples whose values encode the wearer, the stream and the index."""
    whose = 6 * WEARERS.index(wearer) + stream
    return (whose * 1000 + np.arange(first, first + n) % 1000).astype(np.int16)


class Desk:
    """A desk that holds the devices' messages and the answers to them."""

    def __init__(self):
        self.queue = []
        self.answers = {peer: [] for peer in PEERS}

    def receive(self):
        return self.queue.pop(0) if self.queue else None

    def answer(self, peer, message):
        self.answers[peer].append(message)

    def refuse(self, peer, reason, retry_s=None, user=""):
        self.answer(peer, messages.Refused(reason=reason, retry_s=retry_s))


class NoJournal:
    def next_window(self, wearer, stream):
        return 0


class Ownership(RuleBasedStateMachine):
    """Devices that know only what they were answered, and the records that come of it."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.desk, self.access = Desk(), Access()
        self.bind_key("ann")
        self.registry = WearerRegistry(WearerPolicy(lambda _: GENERIC, capacity=len(WEARERS)))
        self.limits = RateLimiter(RateLimit(streams=1))
        self.ingest = Ingest([self.desk], self.registry, self.access, self.limits, lambda _: "")
        self.capture = Capture(self.folder, 24)
        self.now = 0.0
        self.unwritten = []
        self.believed = {}
        """Wearer by peer and stream, as the peer was welcomed."""
        self.holders = {}
        """Peer and stream that were welcomed last, by wearer."""
        self.sent = {(w, s): 0 for w in WEARERS for s in STREAMS}
        self.accepted = {(w, s): set() for w in WEARERS for s in STREAMS}
        self.acknowledged = {(w, s): 0 for w in WEARERS for s in STREAMS}

    def teardown(self):
        self.write()
        self.look_at_records()
        shutil.rmtree(self.folder)

    def bind_key(self, wearer):
        self.access._live = {KEY: device("watch", PAIRS[0], wearer)}
        self.key_of = wearer

    def say(self, peer, data):
        """Let a peer send a message; return whether it was refused at once."""
        user = KEY if peer is KEYED else LOCAL
        before = len(self.desk.answers[peer])
        self.desk.queue.append(Received(peer, user, data))
        self.unwritten.append(self.ingest.drain(self.now))
        answers = self.desk.answers[peer][before:]
        self.hear(peer, answers)
        return any(isinstance(answer, messages.Refused) for answer in answers)

    def hear(self, peer, answers):
        for answer in answers:
            if isinstance(answer, messages.Ack):
                number = int(answer.stream, 16)
                wearer = self.believed[peer, number]
                known = self.acknowledged[wearer, number]
                self.acknowledged[wearer, number] = max(known, answer.next)

    def welcomed(self, peer, wearer, stream):
        self.believed[peer, stream] = wearer
        self.holders[wearer] = peer, stream

    @rule(
        peer=st.sampled_from(PEERS),
        wearer=st.sampled_from(WEARERS),
        stream=st.sampled_from(STREAMS),
    )
    def hello(self, peer, wearer, stream):
        before = len(self.desk.answers[peer])
        text = messages.stream_id(stream)
        hello = messages.Hello(wearer=wearer, stream=text, rate=360.0, leads=["II"])
        refused = self.say(peer, messages.encode(hello))
        others = peer is KEYED and wearer != self.key_of
        mine = [w for w, at in self.holders.items() if at == (peer, stream) and w != wearer]
        assert refused or not (others or mine)
        if mine and not others:
            assert "choose another stream id" in self.desk.answers[peer][-1].reason
        if any(isinstance(a, messages.Welcome) for a in self.desk.answers[peer][before:]):
            self.welcomed(peer, wearer, stream)

    @rule(
        peer=st.sampled_from(PEERS),
        stream=st.sampled_from(STREAMS),
        n=st.integers(1, SIZE),
        skip=st.sampled_from([0, 0, 0, 20]),
    )
    def frame(self, peer, stream, n, skip):
        """A device sends what it measures of the wearer that it was welcomed for."""
        wearer = self.believed.get((peer, stream))
        whose = wearer or "nobody"
        first = self.sent.get((whose, stream), 0) + skip
        samples = values(whose, stream, first, n) if wearer else np.full(n, 30_000, np.int16)
        data = Frame(stream, first, 0, 360_000, 200.0, "II", samples).encode()
        refused = self.say(peer, data)
        if wearer is None:
            assert refused
        elif refused:
            assert self.holders.get(wearer) != (peer, stream)
        else:
            self.accepted[wearer, stream] |= set(range(first, first + n))
            self.sent[wearer, stream] = first + n

    @rule(peer=st.sampled_from(PEERS), stream=st.sampled_from(STREAMS))
    def heartbeat(self, peer, stream):
        number = messages.stream_id(stream)
        refused = self.say(peer, messages.encode(messages.Heartbeat(stream=number)))
        assert refused or (peer, stream) in self.believed

    @rule(peer=st.sampled_from(PEERS), stream=st.sampled_from(STREAMS), twice=st.booleans())
    def bye(self, peer, stream, twice):
        wearer = self.believed.get((peer, stream))
        bye = messages.Bye(
            stream=messages.stream_id(stream), end=self.sent.get((wearer, stream), 0)
        )
        for _ in range(1 + twice):
            refused = self.say(peer, messages.encode(bye))
            assert refused or wearer is not None
            if not refused and self.holders.get(wearer) == (peer, stream):
                del self.holders[wearer]

    @rule(wearer=st.sampled_from(WEARERS), looked=st.booleans())
    def rebind(self, wearer, looked):
        """The key is another wearer's from now on, whether the loop has looked or not."""
        if wearer != self.key_of:
            self.holders = {w: at for w, at in self.holders.items() if at[0] is not KEYED}
        self.bind_key(wearer)
        if looked:
            self.ingest.connections.detach_revoked()

    @precondition(lambda self: self.unwritten)
    @rule()
    def write(self):
        """The disk has done what was handed over."""
        while self.unwritten:
            batch = self.unwritten.pop(0)
            self.capture.append(batch.pieces)
            self.capture.flush()
            before = {peer: len(answers) for peer, answers in self.desk.answers.items()}
            self.ingest.connections.acknowledge(batch.acks)
            for peer in PEERS:
                self.hear(peer, self.desk.answers[peer][before[peer] :])
            self.ingest.end(batch.ends)
            for hello, then in batch.lookups:
                before = {peer: len(answers) for peer, answers in self.desk.answers.items()}
                then(recover_stream(self.folder, NoJournal(), hello.wearer, hello.stream))
                for peer in PEERS:
                    for answer in self.desk.answers[peer][before[peer] :]:
                        if isinstance(answer, messages.Welcome):
                            self.welcomed(peer, hello.wearer, int(answer.stream, 16))
            self.registry.advance(lambda _: False)

    @rule(seconds=st.sampled_from([0.5, TAKEOVER_S + 1]))
    def wait(self, seconds):
        self.now += seconds
        self.registry.check(self.now)
        self.ingest.forget_closed()
        self.unwritten.append(self.ingest.drain(self.now))

    @invariant()
    def each_key_has_only_its_own_streams(self):
        known = self.limits._known.get(KEY)
        assert known is None or len(known.streams) <= 1

    def look_at_records(self):
        for (wearer, stream), accepted in self.accepted.items():
            text = messages.stream_id(stream)
            held = [one for one in captures(self.folder, wearer) if one.stream == text]
            found = set()
            for one in held:
                samples = read(self.folder, wearer, text, one.first, one.stop).samples
                present = np.flatnonzero(samples != NO_VALUE)
                expected = values(wearer, stream, one.first, one.length)
                np.testing.assert_array_equal(samples[present], expected[present])
                found |= set((one.first + present).tolist())
            assert found <= accepted, "nobody of this wearer sent it"
            end = self.acknowledged[wearer, stream]
            assert {index for index in accepted if index < end} <= found


Ownership.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestOwnership = Ownership.TestCase
