"""A gateway that numbers its streams: two wearers with one stream id on one connection."""

import numpy as np

from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from tests.support.rig import Rig

ANN, BOB = np.arange(3600) % 20_000, -np.arange(3600) % 20_000 - 1


def in_turn(gateway, folder, ids, refused):
    """Send ann's and bob's signal by turns, bob's under his second id."""
    for first in range(0, 3600, 180):
        for stream, samples in zip(ids, (ANN, BOB), strict=True):
            gateway.stream = stream
            gateway.send(first, samples[first : first + 180])
    received = dict.fromkeys(ids, 0)
    while min(received.values()) < 3600:
        answer = gateway.hear()
        assert isinstance(answer, messages.Ack), (answer, refused)
        received[int(answer.stream, 16)] = answer.next
    for wearer, stream, samples in zip(("ann", "bob"), ids, (ANN, BOB), strict=True):
        assert {one.stream for one in captures(folder, wearer)} == {messages.stream_id(stream)}
        found = captured.read(folder, wearer, messages.stream_id(stream), 0, 3600).samples
        np.testing.assert_array_equal(found, samples)


def test_the_second_wearer_is_asked_to_use_another_id_and_both_signals_are_stored(tmp_path):
    folder = tmp_path / "captured"
    with Rig(tmp_path / "rig", captured=folder) as rig:
        gateway = rig.device()
        gateway.greet("ann", 1)
        gateway.hello("bob", 1)
        refused = gateway.hear()
        assert isinstance(refused, messages.Refused)
        assert "choose another stream id for bob" in refused.reason
        gateway.greet("bob", 2)
        in_turn(gateway, folder, (1, 2), refused)


def test_goodbyes_end_what_is_open_and_nothing_else(tmp_path):
    with Rig(tmp_path / "rig", captured=tmp_path / "captured") as rig:
        listener, gateway = rig.listener("closed/"), rig.device()
        for wearer in ("ann", "bob", "ann", "bob"):
            gateway.hello(wearer, 1)
            answer = gateway.hear()
            assert isinstance(answer, messages.Welcome if wearer == "ann" else messages.Refused)
        gateway.finish(0)
        gateway.bye(0)
        gateway.is_refused("say hello first")
        gateway.greet("bob", 1)  # nobody has the id any more
        gateway.finish(0)
        listener.until(messages.Closed, "bob")
        assert [m.wearer for m in listener.received if isinstance(m, messages.Closed)] == [
            "ann",
            "bob",
        ]
