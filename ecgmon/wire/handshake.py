"""Whether a ZeroMQ socket is connected, or why it is refused, from the events of handshakes."""

from typing import Final, cast

import zmq
from zmq.utils.monitor import parse_monitor_message

UNEXPLAINED: Final = 3
"""Handshakes in a row that break off without a reason, from which on the key is to blame.

A monitor hangs up on what was encrypted for another one, and may do so, before this side has read
why, where one side has a key and the other asks for none; so does one that ends."""
_EVENTS: Final = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
)


class WatchedSocket(zmq.Socket[bytes]):
    """A socket whose handshakes are watched until it is closed; then its context may end."""

    @classmethod
    def of(cls, context: "zmq.Context[zmq.Socket[bytes]]") -> "WatchedSocket":
        """Make a client's socket."""
        return cast(WatchedSocket, context.socket(zmq.DEALER, socket_class=cls))

    def watch(self, events: int) -> "zmq.Socket[bytes]":
        """Return a socket that tells of some events of this one, which closes it.

        The context does not know it: one that is destroyed closes its sockets in any order, and
        libzmq waits for ever where it has to tell of an event and nobody is there to be told.
        """
        address = f"inproc://watched-{self.FD}"
        self.monitor(address, events)
        told: zmq.Socket[bytes] = zmq.Socket(self.context, zmq.PAIR)
        told.linger = 0
        told.connect(address)
        self._monitor_socket = told
        return told

    def close(self, linger: int | None = None) -> None:
        """Close it, and what tells of its handshakes."""
        events = self._monitor_socket
        if events is not None and not self.closed:
            self.disable_monitor()
            events.close()
        super().close(linger)


class Handshakes:
    """Watches the handshakes of a client's sockets, one socket after the other.

    Such a socket keeps the defaults of ``ZMQ_IMMEDIATE`` and of ``ZMQ_RECONNECT_IVL``, or sets a
    later time: with an immediate one, and with one that never reconnects, libzmq drops what has
    come and is not read yet once the connection ends (``findings/``), such as a last alarm.

    Parameters
    ----------
    endpoint : str
        Where they connect to.

    Attributes
    ----------
    suspicion : str or None
        Why the monitor may not let this client in, where it only hangs up, again and again; so does
        a proxy whose monitor is not there.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._events: zmq.Socket[bytes] | None = None
        self._unexplained = 0
        self._connected = False
        self._refusal: str | None = None
        self.suspicion: str | None = None

    def watch(self, socket: WatchedSocket) -> None:
        """Watch a `WatchedSocket` that has its keys and is not yet connected; no other any more."""
        self._has_key = socket.mechanism == zmq.CURVE
        self._events = socket.watch(_EVENTS)
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether the connection stands; what came over it before may still wait to be read."""
        self._take_events()
        return self._connected

    def refusal(self) -> str | None:
        """Return in a sentence why the monitor does not let this client in, if it is known."""
        self._take_events()
        return self._refusal

    def _take_events(self) -> None:
        while self._events is not None and not self._events.closed and self._events.poll(0):
            update = parse_monitor_message(self._events.recv_multipart())
            self._take(update["event"], update["value"])

    def _take(self, event: int, value: int) -> None:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._unexplained, self._refusal, self.suspicion = 0, None, None
            self._connected = True
        elif event == zmq.EVENT_DISCONNECTED:
            self._connected = False
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self._refusal = (
                "The monitor does not accept this key: it is not known there, or revoked; let its "
                "operator make another one with ecgmon keys make."
            )
        elif event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self._unexplained += 1
            if self._unexplained >= UNEXPLAINED:
                self.suspicion = (
                    "The monitor does not accept this key: it was made for another monitor, or "
                    f"none is asked for at {self._endpoint}; its line server must be what ecgmon "
                    "keys server prints there."
                    if self._has_key
                    else f"The monitor asks for a key at {self._endpoint}, or lets nobody in now: "
                    "give one with --key FILE or $ECGMON_KEY."
                )
        elif value == zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            self._refusal = (
                f"The monitor takes no key at {self._endpoint}: leave the key out, or give the "
                "endpoint for other machines."
                if self._has_key
                else f"The monitor asks for a key at {self._endpoint}: give one with --key FILE or "
                "$ECGMON_KEY."
            )
