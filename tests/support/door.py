"""A socket of the monitor with its clients, some of which do not speak ZeroMQ."""

import contextlib
import socket as sockets
import time

import zmq
from zmq.utils.monitor import parse_monitor_message

from monitor.network.access import authenticated, guard, user_of
from tests.support.keyring import OWN

PATIENCE_MS = 20_000
"""For what must come; only a failing test waits so long."""
SOON_S = 4
"""Shorter than what the monitor itself allows for a handshake."""
MAX_BYTES = 1000
FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class Desk:
    """One ROUTER socket, bound to a plain and to an encrypted endpoint."""

    def __init__(self, context, **options):
        self.context = context
        self.router = context.socket(zmq.ROUTER)
        self.router.linger = 0
        self.router.maxmsgsize = MAX_BYTES
        self.plain = self._bind("tcp://127.0.0.1:*", options)
        everywhere = self._bind("tcp://*:*", options)
        self.encrypted = f"tcp://127.0.0.1:{everywhere.rpartition(':')[2]}"
        self.events = self.router.get_monitor_socket(FAILED | zmq.EVENT_DISCONNECTED)
        self.clients = []

    def _bind(self, endpoint, options):
        guard(self.router, endpoint, OWN)
        for option, value in options.items():
            setattr(self.router, option, value)
        self.router.bind(endpoint)
        return self.router.last_endpoint.decode()

    def client(self, endpoint, key=None):
        client = self.context.socket(zmq.DEALER)
        client.linger = 0
        if key is not None:
            key.secure(client)
        client.connect(endpoint)
        self.clients.append(client)
        return client

    def knock(self, endpoint, key, sent):
        """Send as a client that is not let in: it may have no connection left to wait for."""
        client = self.client(endpoint, key)
        with contextlib.suppress(zmq.Again):
            client.send(sent, zmq.DONTWAIT)

    def raw(self, endpoint, sent):
        """Connect without ZeroMQ, and send."""
        host, port = endpoint.removeprefix("tcp://").split(":")
        raw = sockets.create_connection((host, int(port)), timeout=PATIENCE_MS / 1000)
        raw.sendall(sent)
        self.clients.append(raw)
        return raw

    def shaken(self, **properties):
        """Connect without ZeroMQ to the plain endpoint, up to the end of the handshake."""
        raw = self.raw(self.plain, greeting() + ready(**properties))
        received = b""
        while b"Identity" not in received:
            received += raw.recv(1000)
        return raw

    def take(self):
        """Return the user of the next message, and the message."""
        assert self.router.poll(PATIENCE_MS), "nothing came"
        _, message = self.router.recv_multipart(copy=False)
        return user_of(message), message.bytes

    def failure(self):
        """Wait for a handshake to fail, and make sure that it brought nothing."""
        assert self.events.poll(PATIENCE_MS), "no handshake failed"
        event = parse_monitor_message(self.events.recv_multipart())["event"]
        assert not self.router.poll(0)
        return event

    def close(self):
        for client in self.clients:
            client.close()
        self.events.close()
        self.router.close()


@contextlib.contextmanager
def open_desk(access, **options):
    context = zmq.Context()
    with authenticated(context, access):
        desk = Desk(context, **options)
        try:
            yield desk
        finally:
            desk.close()
    context.term()


def greeting(mechanism=b"NULL"):
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes(32)


def ready(**properties):
    body = b"\x05READY"
    for name, value in {"Socket-Type": b"DEALER", **properties}.items():
        spelt = name.replace("_", "-").encode()
        body += bytes([len(spelt)]) + spelt + len(value).to_bytes(4, "big") + value
    return b"\x04" + bytes([len(body)]) + body


def message(data):
    return b"\x00" + bytes([len(data)]) + data


def until_closed(raw):
    """Return how long the other side keeps a connection."""
    began = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while raw.recv(1000):
            pass
    return time.monotonic() - began
