"""Intruders get no access, and a good stream beside them is judged as if alone."""

import logging
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest
import zmq

from ecgmon.keys import Device, KeyStore, PrivateKey, Viewer
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import topics
from monitor.network.rate_limits import RateLimit
from tests.support.rig import PATIENCE_S, QUIET_MS, Listener, Rig, Wearable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANYWHERE = ("tcp://0.0.0.0:*",)
"""The network can reach it, so that it demands keys."""
RATES = RateLimit(messages=50, message_burst=300, samples=20_000, sample_burst=100_000)


class Ward:
    """A monitor that the network can reach, with keys for devices and viewers."""

    def __init__(self, folder):
        self.store = KeyStore(folder / "keys")
        self.own = own = self.store.own()
        self.rig = Rig(
            folder / "rig",
            ingest=ANYWHERE,
            publish=ANYWHERE,
            keys=self.store,
            own=own,
            rates=RATES,
            captured=folder / "captured",
        )

    def pair(self):
        return PrivateKey.generate().to(self.own)

    def add(self, kind, name, **granted):
        """Make a key that the monitor knows."""
        pair = self.pair()
        self.store.add(kind(name=name, public=pair.public, made=NOW, **granted))
        return pair

    def device(self, pair):
        secure = pair.secure if pair else lambda _: None
        return self.rig.keep(Wearable(self.rig.context, reach(self.rig.monitor.ingest), secure))

    def viewer(self, pair, *wanted):
        secure = pair.secure if pair else lambda _: None
        endpoint = reach(self.rig.monitor.publish)
        return self.rig.keep(Listener(self.rig.context, endpoint, list(wanted), secure))


def reach(endpoint):
    return endpoint.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - where it is bound


@pytest.fixture
def registry(tmp_path):
    registry = Ward(tmp_path)
    registry.good = registry.add(Device, "good", wearer="ann")
    registry.bad = registry.add(Device, "bad", wearer="bob")
    registry.reads = registry.add(Viewer, "reads", wearers=("ann",))
    registry.acts = registry.add(Viewer, "acts", wearers=("ann",), acknowledge=True)
    registry.everyone = registry.add(Viewer, "everyone", wearers="*")
    with registry.rig:
        yield registry


def assert_refused(client, why):
    """A client receives a refusal with its reason."""
    answer = client.hear()
    assert isinstance(answer, messages.Refused), answer
    assert why in answer.reason, answer.reason


def test_without_a_key_with_a_wrong_one_and_for_another_server_nobody_gets_in(registry, caplog):
    caplog.set_level(logging.WARNING)
    elsewhere = PrivateKey.generate().to(PrivateKey.generate())
    unknown = registry.pair()
    for pair in (None, unknown, elsewhere):
        device, viewer = registry.device(pair), registry.viewer(pair)
        device.hello("ann", 5)
        assert device.hears_nothing()
        assert not viewer.drain()
    device = registry.device(registry.good)
    assert device.greet("ann", 7).next == 0
    assert any(unknown.public in record.getMessage() for record in caplog.records)
    assert all(unknown.secret not in record.getMessage() for record in caplog.records)


def test_a_device_may_write_its_wearer_and_nothing_else(registry, caplog):
    caplog.set_level(logging.WARNING)
    bad = registry.device(registry.bad)
    good = registry.device(registry.good)
    good.greet("ann", 7)
    bad.hello("ann", 8)
    assert_refused(bad, "not one of ann's device")
    bad.stream = 7  # claims the other one's stream
    bad.send(0, [1, 2, 3])
    assert_refused(bad, "say hello first")
    bad.say(messages.Bye(stream=messages.stream_id(7), end=0))
    assert_refused(bad, "say hello first")
    bad.greet("bob", 9)
    good.send_all(np.zeros(100))
    good.until_acked(100)
    assert "not one of ann's device" in caplog.text
    viewer = registry.viewer(registry.good)  # nor may it read
    assert_viewer_is_refused(viewer)


def assert_viewer_is_refused(viewer):
    deadline = time.monotonic() + PATIENCE_S
    while not viewer.received:
        assert time.monotonic() < deadline
        viewer.socket.poll(20)
        viewer.take()
    assert all(isinstance(m, messages.Refused) and "may not" in m.reason for m in viewer.received)
    viewer.received.clear()


def test_a_viewer_reads_what_it_was_granted_and_acts_only_if_granted(registry):
    good = registry.device(registry.good)
    viewer = registry.viewer(registry.reads, *topics()).subscribed()
    nosy = registry.viewer(registry.reads, "window/bob")
    assert_viewer_is_refused(nosy)
    good.greet("ann", 7)
    good.send_all(np.full(4 * 360, 5))  # flat: no signal
    raised = viewer.until(messages.Alarm, "ann")
    acknowledge = messages.Acknowledge(wearer="ann", alarm=raised.alarm, by="a visitor")
    assert isinstance(viewer.asks(acknowledge), messages.Refused)
    pause = messages.Pause(wearer="ann", kind="no-signal", seconds=60, by="a visitor")
    assert isinstance(viewer.asks(pause), messages.Refused)
    bob = messages.Acknowledge(wearer="bob", alarm=1, by="a nurse")
    nurse = registry.viewer(registry.acts, *topics()).subscribed()
    assert isinstance(nurse.asks(bob), messages.Refused)
    assert isinstance(nurse.asks(acknowledge), messages.Done)
    seen = viewer.until(messages.Alarm, "ann", state="acknowledged")
    assert seen.by == "acts: a visitor"  # the key's name cannot be forged
    viewer.socket.send(good.frame(0, [1, 2, 3]))  # a viewer that writes
    assert viewer.socket.poll(5000)
    viewer.take()
    assert any(isinstance(m, messages.Refused) for m in viewer.received)
    writer = registry.device(registry.reads)
    writer.hello("ann", 9)
    assert_refused(writer, "not one of ann's device")


def test_a_revoked_key_is_out_within_two_seconds_though_it_is_connected(registry):
    bad, good = registry.device(registry.bad), registry.device(registry.good)
    viewer = registry.viewer(registry.everyone, *topics()).subscribed()
    bad.greet("bob", 8)
    good.greet("ann", 7)
    bad.send_all(np.zeros(100))
    bad.until_acked(100)
    registry.store.revoke("bad")
    registry.store.revoke("everyone")
    began, first = time.monotonic(), 100
    while True:
        bad.send(first, np.zeros(36))
        first += 36
        answer = bad.hear()
        if isinstance(answer, messages.Refused):
            break
        assert time.monotonic() - began < 2
        time.sleep(0.05)
    assert time.monotonic() - began < 2
    while not any(isinstance(m, messages.Refused) for m in viewer.received):
        assert time.monotonic() - began < 3
        viewer.socket.poll(100)
        viewer.take()
    viewer.received.clear()
    good.send_all(np.zeros(720))
    good.until_acked(720)
    viewer.drain()
    assert all(isinstance(m, messages.Refused) for m in viewer.received)
    again = registry.device(registry.bad)
    again.hello("bob", 8)
    assert again.hears_nothing()


def test_a_key_that_floods_is_asked_to_wait_and_nobody_else_notices(registry):
    bad, good = registry.device(registry.bad), registry.device(registry.good)
    bad.greet("bob", 8)
    good.greet("ann", 7)
    for _ in range(2000):
        bad.say(messages.Heartbeat(stream=messages.stream_id(8)))
    good.send_all(np.zeros(3600))
    good.until_acked(3600)
    refused = [answer for answer in bad.hear_all() if isinstance(answer, messages.Refused)]
    assert 1500 < len(refused) < 2000
    assert all(0 < answer.retry_s <= 60 for answer in refused)


@pytest.mark.thorough
def test_half_messages_huge_ones_and_plain_connections_harm_nobody(registry):
    good = registry.device(registry.good)
    good.greet("ann", 7)
    port = int(registry.rig.monitor.ingest.rpartition(":")[2])
    plain = [socket.create_connection(("127.0.0.1", port)) for _ in range(30)]
    for i, one in enumerate(plain):
        one.sendall(b"\xff\0\0\0\0\0\0\0\1\x7f"[: i % 11] + bytes(i))
    bad = registry.device(registry.bad)
    bad.greet("bob", 8)
    bad.socket.send(bytes(200_000))  # larger than any message: the connection is cut
    for first in range(0, 3600, 360):
        good.send(first, np.zeros(360))
        good.until_acked(first + 360)
    time.sleep(0.1)
    deadline = time.monotonic() + 15
    for one in plain:  # the monitor closes them: none has authenticated
        one.settimeout(max(deadline - time.monotonic(), 0.1))
        with one, suppress(ConnectionResetError):
            while one.recv(1000):
                pass


def test_an_endpoint_that_the_network_can_reach_needs_a_key_of_the_monitor(tmp_path):
    from ecgmon.core.errors import AccessError

    with pytest.raises(AccessError, match="ecgmon keys"), Rig(tmp_path, ingest=ANYWHERE):
        pass


def test_a_socket_that_nobody_authenticates_lets_nobody_in(registry):
    """The monitor's context has one door-keeper; a user that is not known may nothing."""
    with registry.rig.context.socket(zmq.DEALER) as inside:
        inside.linger = 0
        inside.connect(reach(registry.rig.monitor.ingest))
        hello = messages.Hello(wearer="ann", stream=messages.stream_id(1), rate=360, leads=["II"])
        inside.send(messages.encode(hello))
        assert not inside.poll(QUIET_MS)
