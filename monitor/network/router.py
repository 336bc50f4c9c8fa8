"""A ROUTER socket's peers: what they say, who they are, and answering without ever waiting."""

import time
from collections.abc import Iterable
from typing import Final

import msgspec
import zmq

from ecgmon.core.errors import UsageError
from ecgmon.keys import PrivateKey
from ecgmon.wire import messages
from monitor.network.access import guard, user_of
from monitor.network.connections import Handle, end, own_handle
from monitor.network.refusals import Refusing
from monitor.ops.logs import logger

SCHEMES: Final = ("tcp", "ipc")
"""Of the endpoints that a ROUTER socket is bound to."""
HIGH_WATER: Final = 10_000
"""Messages kept for a slow peer; further ones are dropped for it alone, and counted."""
MAX_PARTS: Final = 2000
"""Parts of a message that are passed over in one turn, some milliseconds of work."""
END_S: Final = 0.2
"""Who sends several parts is not heard any more, and its connection ends so much later."""
_ONE_PART: Final = "A message has one part: this connection is ended."

_log = logger(__name__)


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


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message as it came.

    Parameters
    ----------
    peer : bytes
        The connection's routing id.
    user : str
        Who was authenticated; nobody if it is empty.
    data : bytes
        What was sent.
    """

    peer: bytes
    user: str
    data: bytes


class Inbox(Refusing):
    """Receives from a ROUTER socket and answers its peers.

    Parameters
    ----------
    socket : zmq.Socket
        The socket.
    endpoints : tuple of str
        Where it is bound.
    """

    def __init__(self, socket: "zmq.Socket[bytes]", endpoints: tuple[str, ...]) -> None:
        super().__init__()
        self.socket = socket
        self.endpoints = endpoints
        self._passing_over = False
        self._ending: dict[bytes, tuple[float, Handle]] = {}
        self.socket.set(zmq.ROUTER_MANDATORY, 1)  # a full queue is an error, not a silence

    @property
    def readable(self) -> "zmq.Socket[bytes]":
        """What a poller waits for until there is something to receive."""
        return self.socket

    def receive(self) -> Received | None:
        """Return the next message, None if there is none now.

        A message has one part. A peer that sends more is not heard any more, and its connection is
        ended; the parts are not kept, and passed over in as many turns as it takes.
        """
        if self._ending:
            self._end_due(time.monotonic())
        receive = self.socket.recv
        for _ in range(MAX_PARTS):
            try:
                if self._passing_over:
                    self._passing_over = receive(zmq.DONTWAIT, copy=False).more
                    continue
                peer = receive(zmq.DONTWAIT)
            except zmq.Again:
                return None
            message = receive(copy=False)  # libzmq has the whole of it, or none
            if message.more:
                self._passing_over = True
                self._cut_off(peer, message)
            elif peer not in self._ending:
                return Received(peer, user_of(message), message.bytes)
        return None

    def _cut_off(self, peer: bytes, message: zmq.Frame) -> None:
        """Hear a peer no more, and let its connection end."""
        if peer in self._ending:
            return
        self.note(peer, user_of(message), _ONE_PART)
        connection = own_handle(int(message.get(zmq.SRCFD)), self.endpoints)
        if connection is not None:
            self._ending[peer] = time.monotonic(), connection

    def _end_due(self, now: float) -> None:
        """End connections whose time has come.

        When a message is read its connection may be gone, and the number of its file handle another
        peer's. Only if the peer is there so much later was it the peer's when the handle was taken.
        """
        for peer, (since, connection) in list(self._ending.items()):
            if now - since >= END_S:
                del self._ending[peer]
                with connection:
                    if self.answer(peer, messages.Refused(reason=_ONE_PART, retry_s=None)):
                        end(connection)

    def close(self) -> None:
        """Let go of what is to be ended; the socket ends it."""
        for _, connection in self._ending.values():
            connection.close()

    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> bool:
        """Send an answer; False for a peer that is gone or does not read: it gets none."""
        return self.send(peer, messages.encode(message))

    def send(self, peer: bytes, data: bytes) -> bool:
        """Send an answer that is encoded already; as `answer`."""
        try:
            self.socket.send(peer, zmq.DONTWAIT | zmq.SNDMORE)
            self.socket.send(data, zmq.DONTWAIT)
        except zmq.ZMQError as error:
            _log.debug("answer-dropped", peer=peer.hex(), error=error)
            return False
        return True
