"""A source of lines over TCP, for devices that can do no more than open a socket and print.

A line is a message of docs/wire.md, a frame in base64. As there are no keys, only this machine can
connect: ``lines://127.0.0.1:5557``.
"""

import base64
import binascii
import contextlib
import ipaddress
import itertools
import selectors
import socket
from collections import deque
from typing import Final

from ecgmon.core.errors import UsageError
from ecgmon.wire import frame, messages
from monitor.network.access import LOCAL
from monitor.network.host import Host
from monitor.network.refusals import Refusing
from monitor.network.router import Received

MAX_LINE: Final = 2 * max(frame.MAX_BYTES, messages.MAX_BYTES)
"""Bytes of a line; whoever sends more without an end of line is cut off."""
MAX_PEERS: Final = 64
"""Connections at once; further ones are closed."""


class Lines(Refusing):
    """Listens on TCP; a connection is a peer.

    Parameters
    ----------
    addresses : list of (str, int)
        Hosts and ports of this machine alone; port 0 takes a free one.
    """

    def __init__(self, addresses: list[tuple[str, int]]) -> None:
        super().__init__()
        self._selector = selectors.EpollSelector()
        self._listeners = [socket.create_server(address) for address in addresses]
        for listener in self._listeners:
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ)
        self._ids = itertools.count(1)
        self._peers: dict[bytes, socket.socket] = {}
        self._unfinished: dict[bytes, bytes] = {}
        self._received: deque[Received] = deque()

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Where it listens."""
        names = [listener.getsockname() for listener in self._listeners]
        return tuple(f"lines://{host}:{port}" for host, port in names)

    @property
    def readable(self) -> int:
        """What a poller waits for: all sockets at once."""
        return self._selector.fileno()

    def receive(self) -> Received | None:
        """Return the next line's message."""
        if not self._received:
            for key, _ in self._selector.select(0):
                if key.data:
                    self._read(key.data)
            self._accept()
        return self._received.popleft() if self._received else None

    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> bool:
        """Send a line; who does not read it is cut off."""
        connection = self._peers.get(peer)
        if connection is None:
            return False
        try:
            connection.sendall(messages.encode(message) + b"\n")
        except OSError:  # it has gone, or has filled its buffer
            self._cut_off(peer)
            return False
        return True

    def close(self) -> None:
        """Close all sockets."""
        for peer in list(self._peers):
            self._cut_off(peer)
        for listener in self._listeners:
            listener.close()
        self._selector.close()

    def _accept(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):  # nobody has come, or is gone again
                connection, _ = listener.accept()
                if len(self._peers) >= MAX_PEERS:
                    connection.close()
                    continue
                connection.setblocking(False)
                peer = b"line %d" % next(self._ids)
                self._peers[peer], self._unfinished[peer] = connection, b""
                self._selector.register(connection, selectors.EVENT_READ, peer)

    def _read(self, peer: bytes) -> None:
        try:
            data = self._peers[peer].recv(MAX_LINE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, rest = (self._unfinished[peer] + data).split(b"\n")
        self._unfinished[peer] = rest
        for line in lines:
            try:
                message = line if line.startswith(b"{") else base64.b64decode(line, validate=True)
            except binascii.Error:
                self.refuse(peer, "A line is JSON or a frame in base64.")
            else:
                self._received.append(Received(peer, LOCAL, message))
        if peer in self._peers and (not data or len(rest) > MAX_LINE):
            self._cut_off(peer)

    def _cut_off(self, peer: bytes) -> None:
        connection = self._peers.pop(peer)
        del self._unfinished[peer]
        self._selector.unregister(connection)
        connection.close()


def listen(endpoints: tuple[str, ...], host: Host) -> Lines:
    """Open endpoints such as ``lines://127.0.0.1:5557``."""
    try:
        return Lines([_address(endpoint) for endpoint in endpoints])
    except OSError as error:
        raise UsageError(
            f"{' and '.join(endpoints)} cannot be listened at ({error.strerror}): choose another "
            "or stop what uses it."
        ) from error


def _address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.removeprefix("lines://").rpartition(":")
    try:
        if ipaddress.IPv4Address(host).is_loopback and 0 <= int(port) < 65536:
            return host, int(port)
    except ValueError:
        pass
    raise UsageError(f"{endpoint} is no place for lines: give one such as lines://127.0.0.1:5557.")
