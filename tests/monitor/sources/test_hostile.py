"""The monitor refuses hostile bytes of any kind, and a good stream beside is unaffected."""

import socket
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
import zmq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.wire import Frame, messages
from monitor.network.access import Access, authenticated, guard
from monitor.network.rate_limits import RateLimit, RateLimiter
from monitor.network.router import Inbox
from monitor.sinks.publisher import MAX_REQUEST
from monitor.sources import ingest as ingest_module
from monitor.sources.ingest import Ingest
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC, PATIENCE_S, Rig, Wearable, assert_same, output_of

RECORD = simulate("premature", duration_s=30).record
SAMPLES = RECORD.samples
SENTINEL = b"ECGF"
IDS = {"wearer": "bad", "stream": messages.stream_id(1)}
HELLO = messages.encode(messages.Hello(**IDS, rate=360.0, leads=["II"]))
VALID = [
    HELLO,
    Frame(1, 0, 0, 360_000, 200.0, "II", np.arange(50, dtype=np.int16)).encode(),
    messages.encode(messages.Heartbeat(stream=IDS["stream"])),
    messages.encode(messages.Bye(stream=IDS["stream"], end=5)),
]

REQUESTS = [
    '{"type":"subscribe","topics":["trace/","window/good"]}',
    '{"type":"subscribe","topics":["trace/' + 300 * "x" + '"]}',
    '{"type":"acknowledge","wearer":"good","alarm":99,"by":"x"}',
    '{"type":"pause","wearer":"nobody","kind":"asystole","seconds":60,"by":"x"}',
    '{"type":"pause","wearer":null,"kind":"nonsense","seconds":60,"by":"x"}',
    '{"type":"history","wearer":"good","before":0,"limit":50}',
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
    """A monitor that has to bear all examples, a good device, a bad one and one half good."""
    with Rig(tmp_path_factory.mktemp("monitor")) as rig:
        good, bad, half = rig.device(), rig.device(), rig.device()
        good.greet("good", 7)
        yield good, bad, half, rig


def answers(bad):
    """Return what the monitor answers until it has refused the sentinel."""
    bad.socket.send(SENTINEL)
    received = []
    while "cannot have 4 bytes" not in getattr(answer := bad.hear(), "reason", ""):
        received.append(answer)
    return received


def assert_still_serves(good):
    good.say(messages.Heartbeat(stream=messages.stream_id(7)))
    assert good.hear() == messages.Ack(stream=messages.stream_id(7), next=0, seen=0)


@given(st.lists(st.binary(max_size=200).filter(SENTINEL.__ne__), min_size=1, max_size=5))
@example([b""])
@example([b"{}", b"null", b"[" * 10_000, b'{"type":"hello"}', b"\xff\xfe"])
@example([b'{"type":"acknowledge","v":1,"wearer":"bad","alarm":' + b"9" * 5000 + b',"by":""}'])
def test_garbage_is_refused_with_a_reason(shared, garbage):
    good, bad, *_ = shared
    for data in garbage:
        bad.socket.send(data)
    received = answers(bad)
    assert [type(answer) for answer in received] == [messages.Refused] * len(garbage)
    assert all(answer.reason for answer in received)
    assert_still_serves(good)


@given(st.lists(st.sampled_from(VALID) | mutations, min_size=1, max_size=8))
def test_nearly_valid_messages_never_stop_the_monitor(shared, garbage):
    good, _, half, _ = shared
    for data in garbage:
        half.socket.send(data)
    known = messages.Refused | messages.Welcome | messages.Ack
    assert all(isinstance(answer, known) for answer in answers(half))
    assert_still_serves(good)


@settings(max_examples=8)
@given(st.lists(st.binary(max_size=50), min_size=1, max_size=50))
def test_a_message_of_many_parts_ends_its_connection(shared, parts):
    rig, good = shared[3], shared[0]
    bad = rig.device()
    events = bad.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    bad.socket.send_multipart([HELLO, *parts])
    assert events.poll(1000 * PATIENCE_S), "the connection is not ended"
    bad.socket.disable_monitor()
    events.close()
    assert all("one part" in answer.reason for answer in answers(bad))
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


def test_hours_of_signal_sent_at_once_are_read_in_bounded_parts():
    """The work of one tick is bounded, because all other wearers' alarms wait for it."""
    context, access = zmq.Context(), Access()
    with authenticated(context, access), context.socket(zmq.ROUTER) as desk:
        guard(desk, "tcp://127.0.0.1:*", None)
        port = desk.bind_to_random_port("tcp://127.0.0.1")
        registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
        limits = RateLimiter(RateLimit())
        ingest = Ingest([Inbox(desk, ())], registry, access, limits, lambda _: "")
        device = Wearable(context, f"tcp://127.0.0.1:{port}")
        device.hello("203", 7)
        while not device.socket.poll(10):
            for _, then in ingest.drain(time.monotonic()).lookups:
                then(None)
        assert isinstance(device.hear(), messages.Welcome)
        for number in range(200):
            device.send(4096 * number, np.zeros(4096))
        received, ticks = 0, 0
        while received < 200 * 4096:
            assert desk.poll(1000 * PATIENCE_S)
            time.sleep(0.1)  # nearly all of it waits by now
            ingest.drain(time.monotonic())
            assert registry.streams[0].received - received < 100_000 + 4096
            received, ticks = registry.streams[0].received, ticks + 1
        assert ticks >= 8
        device.socket.close()
    context.term()


def undisturbed(folder):
    with Rig(folder) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("good", 7)
        device.send_all(SAMPLES)
        device.finish(len(SAMPLES))
        listener.until_over("good")
        return output_of(listener.received, "good")


def flood(rig):
    """Yield again and again after some abuse."""
    rng = np.random.default_rng(1)
    bad = rig.device()
    host, port = urlsplit(rig.monitor.ingest).netloc.split(":")
    viewer = rig.context.socket(zmq.DEALER)
    viewer.linger = 0
    viewer.connect(rig.monitor.publish)
    for _ in range(12):
        for _ in range(30):
            bad.socket.send(rng.bytes(int(rng.integers(0, 300))))
        bad.socket.send_multipart([rng.bytes(10)] * 20)
        bad.socket.send(bytes(200_000))  # larger than any message: the connection is cut
        bad = rig.device()
        bad.greet("bad", 9)
        bad.send(int(rng.integers(0, 2**60)), rng.integers(-32768, 32768, 500), gain=0.01)
        bad.send(0, rng.integers(-32768, 32768, 4000))
        with socket.create_connection((host, int(port))) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n" + rng.bytes(1000))
        for _ in range(20):
            viewer.send(rng.bytes(int(rng.integers(1, 30))))
            viewer.send_multipart([b"{}", rng.bytes(5), b"\0"])
            viewer.send(str(rng.choice(REQUESTS)).encode())
        viewer.send(bytes(MAX_REQUEST + 1))  # the connection is cut here, too
        yield
    viewer.close()


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
        listener.until_over("good")
        disturbed = output_of(listener.received, "good")
    alone = undisturbed(tmp_path / "alone")
    assert_same(disturbed, alone)
    assert len([m for m in alone if m["type"] == "Window"]) == 29
    assert {m["kind"] for m in alone if m["type"] == "Alarm"} == {"abnormal"}


@pytest.mark.parametrize("ends", ["with a frame", "with a goodbye"])
def test_the_last_index_of_the_slowest_device_is_borne_at_360_hz(tmp_path, ends):
    last = 2**60
    with Rig(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.hello("203", 7, rate=100.0)
        assert device.hear().next == 0
        if ends == "with a frame":
            device.send(last - 200, np.zeros(200), rate_mhz=100_000)
            device.until_acked(last)
        device.finish(last)
        assert listener.until(messages.Closed, "203").end == -(-last * 18 // 5)


def test_a_key_that_leaves_out_hours_again_and_again_is_refused(tmp_path, monkeypatch):
    """Each gap is published second by second, up to ten minutes, and stored in the journal."""
    monkeypatch.setattr(ingest_module, "LOCAL", "somebody else")  # this machine has no limits
    with Rig(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        for hour in range(30):
            device.send(hour * 3600 * 360, SAMPLES[:100])
        while isinstance(answer := device.hear(), messages.Ack):
            pass
        assert answer.reason == "This connection sends more than it may."
        assert 0 < answer.retry_s <= 5
        listener.until(messages.Gap, "203")
        listener.drain()
        assert len(listener.all(messages.Gap, "203")) <= 2
        assert len(listener.all(messages.Window, "203")) <= 2 * 601
