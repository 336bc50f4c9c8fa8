"""Several sources of one monitor: peers are not confused, and none is starved by another."""

from pathlib import Path

import numpy as np

from ecgmon.wire import Frame, messages
from monitor.network.access import LOCAL, Access
from monitor.network.rate_limits import RateLimit, RateLimiter
from monitor.network.refusals import Refusing
from monitor.network.router import Received
from monitor.sources.ingest import MAX_DRAINED, Ingest
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry

GENERIC = Path(__file__).parents[3] / "ecgmon" / "models" / "built_in" / "generic.onnx"
PEER = b"1"


class Queue(Refusing):
    """A source that holds what one peer has sent, who has the same id in each."""

    endpoints = ("queue://",)
    readable = 0

    def __init__(self):
        super().__init__()
        self.sent = []
        self.received = []

    def receive(self):
        return Received(PEER, LOCAL, self.sent.pop(0)) if self.sent else None

    def answer(self, peer, message):
        assert peer == PEER
        self.received.append(message)
        return True

    def close(self):
        pass


def ingest(*sources):
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC, capacity=4))
    return Ingest(sources, registry, Access(), RateLimiter(RateLimit()), lambda _: "")


def drain(one):
    batch = one.drain(0.0)
    for _, known in batch.lookups:
        known(None)
    return batch


def hello(wearer, number):
    stream = messages.stream_id(number)
    return messages.encode(messages.Hello(wearer=wearer, stream=stream, rate=360.0, leads=["II"]))


def samples(number, value):
    counts = np.full(36, value, dtype=np.int16)
    return Frame(number, 0, 0, 360_000, 200.0, "II", counts).encode()


def test_peers_of_equal_ids_and_streams_on_two_sources_are_two(tmp_path):
    left, right = Queue(), Queue()
    both = ingest(left, right)
    left.sent, right.sent = [hello("ann", 7)], [hello("bob", 7)]
    drain(both)
    assert [type(source.received[-1]) for source in (left, right)] == [messages.Welcome] * 2
    left.sent, right.sent = [samples(7, 1)], [samples(7, 2)]
    pieces = drain(both).pieces
    assert {wearer: int(piece.samples[0]) for wearer, piece in pieces} == {"ann": 1, "bob": 2}


def test_a_stream_that_is_open_at_one_source_is_not_at_another():
    left, right = Queue(), Queue()
    both = ingest(left, right)
    left.sent = [hello("ann", 7)]
    drain(both)
    right.sent = [samples(7, 1)]
    assert drain(both).pieces == []
    assert "say hello first" in right.received[-1].reason
    assert (left.take_refused(), right.take_refused()) == (0, 1)


def test_a_flood_at_one_source_does_not_keep_the_other_waiting():
    flood, calm = Queue(), Queue()
    both = ingest(flood, calm)
    flood.sent = [b"{}"] * (3 * MAX_DRAINED)
    calm.sent = [hello("ann", 7)]
    drain(both)
    assert isinstance(calm.received[-1], messages.Welcome)
    assert len(flood.sent) == 2 * MAX_DRAINED + 1
