"""A viewer at a real socket that stops reading until its connection ends knows what it missed."""

import time

import zmq

from ecgmon.wire import messages
from ecgmon.wire import viewer_client as viewer
from ecgmon.wire.viewer_client import ViewerClient
from tests.support.rig import PATIENCE_S

STREAM = messages.stream_id(7)


def test_a_stalled_viewer_whose_connection_ends_by_itself_knows_all_it_missed(
    desk, monkeypatch, caplog
):
    """A real socket that reads nothing until the library has given up its connection."""
    monkeypatch.setattr(viewer, "ALIVE_S", 0.05)

    def small(socket):
        socket.rcvbuf = 4096
        socket.set(zmq.HEARTBEAT_IVL, 100)
        socket.set(zmq.HEARTBEAT_TIMEOUT, 300)

    stalled = ViewerClient(desk.context, desk.endpoint, ["trace/"], queued=5, secure=small)
    desk.sockets.append(stalled.socket)
    received, lost, published_count, connections = [], 0, 0, set()
    deadline = time.monotonic() + PATIENCE_S

    def turn(*, reads):
        nonlocal lost
        stalled.keep_alive()
        newcomers, _ = desk.publisher.drain(time.monotonic())
        for newcomer in newcomers:
            connections.add(newcomer.peer)
            desk.publisher.send_snapshot(newcomer, [])
        for message in stalled.drain(50) if reads else ():
            if isinstance(message, messages.Dropped):
                lost += message.count
            elif isinstance(message, messages.Trace):
                received.append(message.first)
        time.sleep(0.005)

    def say():
        nonlocal published_count
        published_count += 1
        trace = messages.Trace(
            wearer="203", stream=STREAM, first=published_count, samples=bytes(900)
        )
        desk.publisher.publish([trace])

    while not connections:
        assert time.monotonic() < deadline
        turn(reads=True)
    while len(connections) < 3:  # it stalls until it has been lost twice
        assert time.monotonic() < deadline
        say()
        turn(reads=published_count < 10)
    counted = desk.publisher.take_dropped()
    say()
    while not received or received[-1] < published_count or counted < lost:
        assert time.monotonic() < deadline
        turn(reads=True)
        counted += desk.publisher.take_dropped()
    assert received == sorted(set(received))
    missing = published_count - len(received)
    assert 0 < missing <= lost == counted
    logged = [int(text) for text in _after("dropped=", caplog.text)]
    assert max(logged) > 0
    (session,) = {one.session for one in desk.publisher._subscribers.values()}
    assert session == stalled._sequence.session


def _after(word, text):
    return [part.split()[0] for part in text.split(word)[1:]]
