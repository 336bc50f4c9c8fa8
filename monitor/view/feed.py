"""Subscribing to what a monitor publishes, and reading it without ever falling behind for good."""

from collections.abc import Iterable, Iterator
from typing import Final, get_args

import zmq

from ecgmon.errors import ProtocolError
from ecgmon.wire import messages

KINDS: Final[tuple[type[messages.Published], ...]] = get_args(messages.Published)
"""All that a monitor publishes."""
BATCH: Final = 200
"""Messages read between two looks at anything else."""
QUEUED: Final = 2000
"""Messages that wait while the view draws; beyond them the publisher drops, by its design."""


def subscribe(
    context: zmq.Context[zmq.Socket[bytes]],
    endpoint: str,
    wearer: str | None,
    kinds: Iterable[type[messages.Published]] = KINDS,
) -> zmq.Socket[bytes]:
    """Return a socket that is connected and subscribed.

    ZeroMQ connects in the background: what is published before the subscription has arrived
    there is not received, so subscribe before the stream starts.

    Parameters
    ----------
    context : zmq.Context
        Whose socket it is.
    endpoint : str
        Where the monitor publishes.
    wearer : str, optional
        Whose messages; without it, everyone's.
    kinds : iterable of message types, optional
        Which messages.
    """
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, QUEUED)
    socket.setsockopt(zmq.MAXMSGSIZE, messages.MAX_BYTES)
    for kind in kinds:
        socket.subscribe(f"{kind.__name__.lower()}/{wearer or ''}")
    socket.connect(endpoint)
    return socket


class Feed:
    """The messages of one wearer, or of all, that wait in a subscribed socket.

    Parameters
    ----------
    socket : zmq.Socket
        A subscribed socket.
    wearer : str, optional
        Whose messages to yield; without it, everyone's.

    Attributes
    ----------
    unreadable : int
        Messages that were not valid, and were left out.
    """

    def __init__(self, socket: zmq.Socket[bytes], wearer: str | None) -> None:
        self.socket = socket
        self.unreadable = 0
        self._wearer = wearer

    def drain(self, limit: int) -> Iterator[messages.Published]:
        """Yield what has arrived, but read no more than ``limit`` messages; never wait."""
        for _ in range(limit):
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                message = messages.decode_published(parts[-1])
            except ProtocolError:
                self.unreadable += 1
                continue
            # A topic is only a prefix: who subscribes to 203 also receives 2031.
            if self._wearer in (None, message.wearer):
                yield message
