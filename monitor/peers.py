"""A ROUTER socket's peers: what they say, who they are, and answering without ever waiting."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import zmq

from ecgmon.errors import ProtocolError, UsageError
from ecgmon.keys import PrivateKey
from ecgmon.wire import messages
from monitor.access import guard, user_of

HIGH_WATER: Final = 10_000
"""Messages kept for a slow peer; further ones are dropped for it alone, and counted."""
LOGGED_S: Final = 1.0
"""Refusals are logged once in so long, with how many there were: a flood does not fill a log."""

_log = logging.getLogger(__name__)


def bind(
    socket: "zmq.Socket[bytes]", endpoints: Iterable[str], own: PrivateKey | None, most_bytes: int
) -> tuple[str, ...]:
    """Bind a ROUTER socket so that no peer can harm others, whatever it does.

    Parameters
    ----------
    socket : zmq.Socket
        The socket.
    endpoints : iterable of str
        Where.
    own : PrivateKey or None
        The monitor's own, for endpoints that the network can reach.
    most_bytes : int
        A longer message ends its connection.

    Returns
    -------
    tuple of str
        What was bound, with the ports that the system chose.

    Raises
    ------
    UsageError
        If an endpoint cannot be bound, or needs a key and there is none.
    """
    socket.maxmsgsize = most_bytes
    socket.sndhwm = HIGH_WATER
    # A dead peer is noticed, not kept for ever; what waits for it then is lost without an error.
    socket.set(zmq.HEARTBEAT_IVL, 2_000)
    socket.set(zmq.HEARTBEAT_TIMEOUT, 6_000)
    socket.linger = 500  # the last results still leave, a dead peer holds nobody up
    bound = []
    for endpoint in endpoints:
        guard(socket, endpoint, own)
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            why = zmq.strerror(error.errno or 0)
            raise UsageError(
                f"The endpoint {endpoint} cannot be bound ({why}): "
                "choose another one or stop what uses it."
            ) from error
        bound.append(str(socket.get_string(zmq.LAST_ENDPOINT)).rstrip("\0"))
    return tuple(bound)


@dataclass(frozen=True, eq=False, slots=True)
class Received:
    """A message as it came.

    Parameters
    ----------
    peer : bytes
        The connection's routing id.
    user : str
        Who was authenticated; nobody if it is empty.
    parts : list of bytes
        What was sent.
    """

    peer: bytes
    user: str
    parts: list[bytes]

    def data(self) -> bytes:
        """Return the message; raises `ProtocolError` if it is not of one part."""
        if len(self.parts) != 1:
            raise ProtocolError(f"A message has one part, not {len(self.parts)}.")
        return self.parts[0]


class Inbox:
    """Receives from a ROUTER socket and answers its peers.

    Parameters
    ----------
    socket : zmq.Socket
        The socket.
    """

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self.socket = socket
        self.socket.set(zmq.ROUTER_MANDATORY, 1)  # a full queue is an error, not a silence
        self._logged = float("-inf")
        self._refused = 0
        self._unsaid = 0

    def receive(self) -> Received | None:
        """Return the next message, None if there is none."""
        try:
            first, *others = self.socket.recv_multipart(zmq.DONTWAIT, copy=False)
        except zmq.Again:
            return None
        user = user_of(others[-1] if others else first)
        return Received(first.bytes, user, [part.bytes for part in others])

    def take_refused(self) -> int:
        """Return how often something was refused since the last call."""
        refused, self._refused = self._refused, 0
        return refused

    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> None:
        """Send an answer; a peer that is gone or does not read gets none."""
        try:
            self.socket.send_multipart([peer, messages.encode(message)], zmq.DONTWAIT)
        except zmq.ZMQError as error:
            _log.debug("peer=%s answer dropped error=%r", peer.hex(), str(error))

    def refuse(self, received: Received, reason: str, retry_s: float | None = None) -> None:
        """Say that a message is not accepted."""
        self.refuse_peer(received.peer, reason, retry_s, received.user)

    def refuse_peer(
        self, peer: bytes, reason: str, retry_s: float | None = None, user: str = ""
    ) -> None:
        """Say that something is not accepted."""
        self._refused += 1
        self._unsaid += 1
        now = time.monotonic()
        if now - self._logged >= LOGGED_S:
            _log.warning(
                "peer=%s user=%r refused=%r times=%d", peer.hex(), user, reason[:500], self._unsaid
            )
            self._logged, self._unsaid = now, 0
        self.answer(peer, messages.Refused(reason=reason[:500], retry_s=retry_s))
