import time

import pytest
import zmq

from ecgmon.wire import messages
from ecgmon.wire.device_client import DeviceClient

HELLO = messages.Hello(wearer="203", stream="0" * 16, rate=360.0, leads=["II"])
PATIENCE_S = 10


@pytest.fixture
def monitor():
    """A ROUTER socket: what a monitor says is up to the test."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.linger = 500
        yield socket


@pytest.fixture
def device(monitor):
    """A device that has said hello."""
    port = monitor.bind_to_random_port("tcp://127.0.0.1")
    with zmq.Context() as context:
        device = DeviceClient(HELLO, patience_s=PATIENCE_S)
        device.connect(f"tcp://127.0.0.1:{port}", context)
        while not monitor.poll(5):
            device.keep(owed=True)
        yield device
        device.close()


def test_what_had_come_before_the_monitor_went_is_read(device, monitor):
    peer, _ = monitor.recv_multipart()
    welcome = messages.Welcome(stream=HELLO.stream, next=0, lead="II", publish="")
    acks = [messages.Ack(stream=HELLO.stream, next=at) for at in range(1, 20)]
    for answer in (welcome, *acks):
        monitor.send_multipart([peer, messages.encode(answer)])
    monitor.close()
    deadline = time.monotonic() + PATIENCE_S
    while device._handshakes.connected:
        assert time.monotonic() < deadline
    device.keep(owed=True)
    assert list(device.receive()) == [welcome, *acks]
    device.keep(owed=True)
    assert device.socket is None
    assert not device.say(messages.Heartbeat(stream=HELLO.stream))
