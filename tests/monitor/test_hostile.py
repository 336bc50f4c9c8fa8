"""Whatever bytes come in, the monitor refuses them, and a good stream beside is unaffected."""

import socket
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
import zmq
from hypothesis import example, given
from hypothesis import strategies as st

from ecgmon.wire import Frame, messages
from monitor.alerts import AlertRules
from monitor.ingest import Ingest
from monitor.ward import Ward
from replay.simulated import simulate
from tests.monitor.rig import GENERIC, PATIENCE_S, Rig, Wearable, assert_same, said

RECORD = simulate("premature", duration_s=30).record
SAMPLES = RECORD.samples
SENTINEL = b"ECGF"
IDS = {"wearer": "bad", "stream": messages.stream_id(1)}
HELLO = messages.encode(messages.Hello(**IDS, rate=360.0, lead="II"))
VALID = [
    HELLO,
    Frame(1, 0, 0, 360_000, 200.0, "II", np.arange(50, dtype=np.int16)).encode(),
    messages.encode(messages.Heartbeat(stream=IDS["stream"])),
    messages.encode(messages.Bye(stream=IDS["stream"], end=5)),
    messages.encode(messages.Acknowledge(**IDS, alert=1, by="x")),
]

mutations = st.builds(
    lambda data, at, cut, new: data[: at % len(data)] + new + data[at % len(data) + cut :],
    st.sampled_from(VALID),
    st.integers(0, 10_000),
    st.integers(0, 8),
    st.binary(max_size=8),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A monitor that has to bear all examples, with a good and a bad device."""
    with Rig(tmp_path_factory.mktemp("monitor")) as rig:
        good, bad = rig.device(), rig.device()
        good.greet("good", 7)
        yield good, bad


def answers(bad):
    """Return what the monitor answers until it has refused the sentinel."""
    bad.socket.send(SENTINEL)
    heard = []
    while "cannot have 4 bytes" not in getattr(answer := bad.hear(), "reason", ""):
        heard.append(answer)
    return heard


def assert_still_serves(good):
    good.say(messages.Heartbeat(stream=messages.stream_id(7)))
    assert good.hear() == messages.Ack(stream=messages.stream_id(7), next=0)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
@example([b""])
@example([b"{}", b"null", b"[" * 10_000, b'{"type":"hello"}', b"\xff\xfe"])
@example([b'{"type":"acknowledge","v":1,"wearer":"bad","alert":' + b"9" * 5000 + b',"by":""}'])
def test_garbage_is_refused_with_a_reason(shared, garbage):
    good, bad = shared
    for data in garbage:
        bad.socket.send(data)
    heard = answers(bad)
    assert [type(answer) for answer in heard] == [messages.Refused] * len(garbage)
    assert all(answer.reason for answer in heard)
    assert_still_serves(good)


@given(st.lists(st.sampled_from(VALID) | mutations, min_size=1, max_size=8))
def test_nearly_valid_messages_never_stop_the_monitor(shared, garbage):
    good, bad = shared
    for data in garbage:
        bad.socket.send(data)
    known = messages.Refused | messages.Welcome | messages.Ack
    assert all(isinstance(answer, known) for answer in answers(bad))
    assert_still_serves(good)


@given(st.lists(st.binary(max_size=50), min_size=2, max_size=10))
def test_a_message_of_many_parts_is_refused_whole(shared, parts):
    good, bad = shared
    bad.socket.send_multipart([HELLO, *parts])
    (answer,) = answers(bad)
    assert f"one part, not {len(parts) + 1}" in answer.reason
    assert_still_serves(good)


def test_a_message_larger_than_any_cuts_the_connection_and_the_device_may_come_back(tmp_path):
    with Rig(tmp_path) as rig:
        good, bad = rig.device(), rig.device()
        good.greet("good", 7)
        bad.greet("bad", 9)
        bad.socket.send(HELLO + bytes(messages.MAX_BYTES))
        while True:  # ZeroMQ connects again; what it sends on the way may be lost
            bad.hello("bad", 9)
            if bad.socket.poll(50):
                break
        assert isinstance(bad.hear(), messages.Welcome)
        good.send(0, SAMPLES[:100])
        good.until_acked(100)


def test_a_device_that_sends_hours_at_once_is_taken_bit_by_bit():
    """What one tick takes bounds how long every other wearer's alerts may wait."""
    context = zmq.Context()
    with context.socket(zmq.ROUTER) as desk:
        port = desk.bind_to_random_port("tcp://127.0.0.1")
        ward = Ward(lambda _: GENERIC, AlertRules())
        ingest = Ingest(desk, ward, "")
        device = Wearable(context, f"tcp://127.0.0.1:{port}")
        device.hello("203", 7)
        for number in range(200):
            device.send(4096 * number, np.zeros(4096))
        received, ticks = 0, 0
        while received < 200 * 4096:
            assert desk.poll(1000 * PATIENCE_S)
            time.sleep(0.1)  # nearly all of it waits by now
            ingest.drain()
            assert ward.streams[0].received - received < 100_000 + 4096
            received, ticks = ward.streams[0].received, ticks + 1
        assert ticks >= 8
        device.socket.close()
    context.term()


def undisturbed(folder):
    with Rig(folder) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("good", 7)
        device.send_all(SAMPLES)
        device.finish(len(SAMPLES))
        listener.until(messages.Closed, "good")
        return said(listener.heard, "good")


def flood(rig):
    """Yield again and again after some abuse."""
    rng = np.random.default_rng(1)
    bad = rig.device()
    host, port = urlsplit(rig.monitor.ingest).netloc.split(":")
    subscriber = rig.context.socket(zmq.XSUB)
    subscriber.linger = 0
    subscriber.connect(rig.monitor.publish)
    for _ in range(12):
        for _ in range(30):
            bad.socket.send(rng.bytes(int(rng.integers(0, 300))))
        bad.socket.send_multipart([rng.bytes(10)] * 20)
        bad.socket.send(bytes(200_000))  # larger than any message: the connection is cut
        bad = rig.device()
        bad.greet("bad", 9)
        bad.send(int(rng.integers(0, 2**62)), rng.integers(-32768, 32768, 500), gain=0.01)
        bad.send(0, rng.integers(-32768, 32768, 4000))
        with socket.create_connection((host, int(port))) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n" + rng.bytes(1000))
        for _ in range(20):
            subscriber.send(b"\1" + rng.bytes(int(rng.integers(0, 30))))
            subscriber.send(rng.bytes(int(rng.integers(1, 30))))
            subscriber.send_multipart([b"\1", rng.bytes(5), b"\0"])
        subscriber.send(b"\1" + bytes(5000))
        yield
    subscriber.close()


def test_a_good_stream_beside_every_abuse_is_judged_as_if_alone(tmp_path, caplog):
    caplog.set_level("CRITICAL")
    with Rig(tmp_path / "disturbed") as rig:
        listener, good = rig.listener(), rig.device()
        good.greet("good", 7)
        end = 0
        for _ in flood(rig):
            good.send_all(SAMPLES[end : end + 900], first=end, size=36)
            end += 900
        assert end == len(SAMPLES)
        good.finish(end)
        listener.until(messages.Closed, "good")
        disturbed = said(listener.heard, "good")
    alone = undisturbed(tmp_path / "alone")
    assert_same(disturbed, alone)
    assert len([m for m in alone if m["type"] == "Window"]) == 29
    assert [m["kind"] for m in alone if m["type"] == "Alert"] == ["abnormal"]
