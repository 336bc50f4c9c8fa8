"""Connections to a monitor: how many there may be, of all and of one address.

libzmq accepts whoever comes and asks nobody, but it tells of each connection. What is one too many
is shut down at once, so that there are always file handles left for the monitor itself.
"""

import contextlib
import os
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import zmq
from zmq.utils.monitor import parse_monitor_message

from monitor.ops.logs import logger

MOST: Final = 4096
"""Connections at once; a ward has at most 1,024 devices and 500 viewers."""
OWN_HANDLES: Final = 200
"""File handles that the monitor needs for itself: journal, records, models, keys, libzmq's own."""
WANTED_HANDLES: Final = 65_536
"""Nobody gains by a higher limit."""
LOGGED_S: Final = 1.0
"""Connections that are shut down are logged once in so long, with how many there were."""
CLOSE_S: Final = 1.0
"""Longest wait for the thread at the end."""
Handle = socket.socket
_EVENTS: Final = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_MONITOR_STOPPED

_log = logger(__name__)


def raise_limit() -> None:
    """Let this process open as many files as it may, up to `WANTED_HANDLES`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    handles = WANTED_HANDLES if hard == resource.RLIM_INFINITY else min(hard, WANTED_HANDLES)
    if soft != resource.RLIM_INFINITY and soft < handles:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (handles, hard))


def most() -> int:
    """Return how many connections leave enough file handles for the monitor itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - OWN_HANDLES))


def own_handle(number: int, endpoints: Iterable[str]) -> socket.socket | None:
    """Return another handle of a connection, None if the number is none of these endpoints' by now.

    libzmq closes file handles when it likes, and the system gives their numbers to others: what is
    not a connection to one of these endpoints is left alone.
    """
    try:
        copy = os.dup(number)
    except OSError:
        return None
    try:
        connection = socket.socket(fileno=copy)
    except OSError:  # it is a file
        os.close(copy)
        return None
    with contextlib.suppress(OSError):
        here = connection.getsockname()
        ours = (
            f"ipc://{here}"
            if connection.family == socket.AF_UNIX
            else f":{here[1]}"
            if connection.family in (socket.AF_INET, socket.AF_INET6)
            else "nowhere"
        )
        connection.getpeername()  # a socket that listens has no peer
        if any(endpoint.endswith(ours) for endpoint in endpoints):
            return connection
    connection.close()
    return None


def end(connection: socket.socket) -> None:
    """Shut a connection down; libzmq sees that its peer has gone."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Connections(threading.Thread):
    """Counts the connections of sockets, and shuts down what is one too many.

    Parameters
    ----------
    most : int
        Connections at once, of all sockets; one address has at most half of them.

    Attributes
    ----------
    open : int
        Connections now.
    """

    def __init__(self, most: int) -> None:
        super().__init__(name="connections", daemon=True)
        self._sockets: list[zmq.Socket[Any]] = []
        self._events: list[zmq.Socket[Any]] = []
        self._most = most
        self._most_of_one = max(1, most // 2)
        self._known: dict[tuple[int, int], tuple[str, str]] = {}
        """Address and endpoint, by the socket's place and the number of the file handle."""
        self._of_one: Counter[str] = Counter()
        self._refused = 0
        self._unsaid = 0
        self._logged = float("-inf")

    def watch(self, socket: "zmq.Socket[Any]") -> None:
        """Count a socket's connections, too: before it is bound, so that none is missed."""
        self._sockets.append(socket)
        self._events.append(socket.get_monitor_socket(_EVENTS))

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._known)

    @property
    def refused(self) -> int:
        """Connections shut down so far."""
        return self._refused

    def close(self) -> None:
        """Count no longer; call it before the sockets are closed."""
        for one in self._sockets:
            one.disable_monitor()  # the thread must read until then: libzmq waits for it
        if self.ident is not None:
            self.join(CLOSE_S)
        else:  # it was never started
            for events in self._events:
                events.close()

    def run(self) -> None:
        """Read what libzmq tells, until `close`."""
        poller = zmq.Poller()
        for events in self._events:
            poller.register(events, zmq.POLLIN)
        while poller.sockets:
            for events, _ in poller.poll():
                update = parse_monitor_message(events.recv_multipart())
                if update["event"] == zmq.EVENT_MONITOR_STOPPED:
                    poller.unregister(events)
                    events.close()
                    continue
                try:
                    self._take(self._events.index(events), update)
                except Exception:  # noqa: BLE001 - libzmq waits for this thread
                    _log.exception("connections-not-counted")

    def _take(self, which: int, update: Mapping[str, Any]) -> None:
        if update["event"] == zmq.EVENT_DISCONNECTED:
            self._gone(which, update["value"])
        else:
            self._come(which, update["value"], update["endpoint"].decode())

    def _gone(self, which: int, number: int) -> None:
        if (known := self._known.pop((which, number), None)) is not None:
            address, _ = known
            self._of_one[address] -= 1
            if not self._of_one[address]:
                del self._of_one[address]

    def _come(self, which: int, number: int, endpoint: str) -> None:
        self._gone(which, number)  # the number was another connection's, whose end went unheard
        connection = own_handle(number, [endpoint])
        if connection is None:
            return  # it has gone again
        with connection:
            address = _address(connection)
            if self.open >= self._most or self._of_one[address] >= self._most_of_one:
                end(connection)
                self._say(address)
            self._known[which, number] = address, endpoint
            self._of_one[address] += 1

    def _say(self, address: str) -> None:
        self._refused += 1
        self._unsaid += 1
        now = time.monotonic()
        if now - self._logged >= LOGGED_S:
            _log.warning(
                "too-many-connections",
                address=address,
                of_address=self._of_one[address],
                open=self.open,
                shut_down=self._unsaid,
            )
            self._logged, self._unsaid = now, 0
            self._audit()

    def _audit(self) -> None:
        """Forget what is no connection any more, should its end have gone unheard."""
        for (which, number), (address, endpoint) in list(self._known.items()):
            connection = own_handle(number, [endpoint])
            same = connection is not None and _address(connection) == address
            if connection is not None:
                connection.close()
            if not same:
                self._gone(which, number)


def _address(connection: socket.socket) -> str:
    """Return where a connection comes from, without the port."""
    with contextlib.suppress(OSError):
        if connection.family != socket.AF_UNIX:
            return str(connection.getpeername()[0])
    return "this machine"
