"""The viewer's end of the protocol: it subscribes to topics and keeps the subscription alive."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, get_args

import zmq

from ecgmon.core.errors import AccessError, ProtocolError, UsageError
from ecgmon.wire import messages
from ecgmon.wire.handshake import Handshakes, WatchedSocket
from ecgmon.wire.numbering import Sequence, numbering_of

KINDS: Final[tuple[type[messages.Published], ...]] = get_args(messages.Published)
"""All that a monitor publishes."""
ALIVE_S: Final = 2.0
"""Seconds between two subscriptions: a sign of life, and the first one for a new monitor."""
QUEUED: Final = 2000
"""Most messages that wait for a busy viewer; the monitor drops further ones and reports it."""


def topics(
    kinds: Iterable[type[messages.Published]] = KINDS, wearer: str | None = None
) -> list[str]:
    """Return the topics of these messages, of one wearer or of all."""
    return [f"{one}/{wearer or ''}" for one in dict.fromkeys(map(messages.subject, kinds))]


class ViewerClient:
    """A viewer's connection to a monitor; it survives restarts of the monitor.

    Parameters
    ----------
    context : zmq.Context
        Of its socket.
    endpoint : str
        Where the monitor publishes.
    subscribed : list of str
        Topics, from `topics`.
    queued : int, optional
        Messages that may wait here; 0 for any number.
    secure : callable, optional
        Called with the socket before it connects, to give it keys.

    Attributes
    ----------
    socket : zmq.Socket
        Socket to poll for messages; `close` closes it.
    unreadable : int
        Number of invalid messages, which are skipped.
    last_message : float
        Monotonic time of the monitor's last message; a live monitor sends one every `ALIVE_S`.

    What the monitor sent and what has not come, for whatever reason, `drain` yields as `Dropped`
    where it is missing, with a count of 0 where nobody knows how much it was.

    Raises
    ------
    UsageError
        If the endpoint is none.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        endpoint: str,
        subscribed: list[str],
        *,
        queued: int = QUEUED,
        secure: Callable[["zmq.Socket[bytes]"], None] = lambda _: None,
    ) -> None:
        self.socket = WatchedSocket.of(context)
        self.socket.linger = 500  # a last acknowledgement still leaves
        self.socket.rcvhwm = queued
        self.socket.maxmsgsize = messages.MAX_BYTES
        self.socket.set(zmq.HEARTBEAT_IVL, 2_000)
        self.socket.set(zmq.HEARTBEAT_TIMEOUT, 6_000)
        secure(self.socket)
        self._handshakes = Handshakes(endpoint)
        self._handshakes.watch(self.socket)
        try:
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.socket.close()
            raise UsageError(
                f"{endpoint} is no endpoint to connect to: give one such as tcp://127.0.0.1:5556."
            ) from error
        self.unreadable = 0
        self.last_message = time.monotonic()
        self._ever = False
        self._complained = float("-inf")
        self._subscribed_at = float("-inf")
        self._subscribed = subscribed
        self._again = False
        self._sequence = Sequence()

    @property
    def connected(self) -> bool:
        """Whether there is a monitor to talk to."""
        return self._handshakes.connected

    def want(self, subscribed: list[str]) -> None:
        """Subscribe to these topics instead."""
        self._subscribed = subscribed
        self._subscribed_at = float("-inf")
        self.keep_alive()

    def ask_again(self) -> None:
        """Ask how things stand: the answer ends with a `Subscribed` that is not *repeated*."""
        self._again = True
        self.want(self._subscribed)

    def close(self) -> None:
        """Say that nothing is wanted any more, and close the socket; once more is no harm."""
        if self.socket.closed:
            return
        self.say(messages.Subscribe(topics=[], session=self._sequence.session))
        self.socket.close()

    def keep_alive(self) -> None:
        """Say again what is wanted, if it is time to; call it a few times a second.

        Raises
        ------
        AccessError
            If the monitor has never let this viewer in: says why.
        """
        if not self._ever and (why := self._handshakes.refusal() or self._handshakes.suspicion):
            raise AccessError(why)
        now = time.monotonic()
        if now - self._subscribed_at < ALIVE_S:
            return
        subscribe = messages.Subscribe(
            topics=self._subscribed,
            session=self._sequence.session,
            lost=self._sequence.lost,
            again=self._again,
        )
        if self.say(subscribe):
            self._subscribed_at, self._again = now, False

    def turned_away(self) -> messages.Refused | None:
        """Return, every `ALIVE_S`, why a monitor that had let this viewer in does so no longer."""
        now = time.monotonic()
        if now - self._complained < ALIVE_S or not (refusal := self._handshakes.refusal()):
            return None
        self._complained = now
        return messages.Refused(reason=refusal)

    def say(self, message: messages.FromViewer) -> bool:
        """Send a request; tells whether a monitor is there to take it: nothing waits for one."""
        if not self.connected:
            return False
        try:
            self.socket.send(messages.encode(message), zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def drain(self, limit: int) -> Iterator[messages.ToViewer]:
        """Yield what has arrived, but read no more than ``limit`` messages; never wait.

        Raises `AccessError` as `keep_alive` does.
        """
        self.keep_alive()
        for _ in range(limit):
            try:
                data = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                return
            yield from self._take(data)

    def _take(self, data: bytes) -> Iterator[messages.ToViewer]:
        """Yield what is missing before a message, and the message."""
        before = self._sequence.session
        try:
            numbering = numbering_of(data)
            lost = self._sequence.take(numbering)
            if lost or before not in (None, self._sequence.session):
                yield messages.Dropped(count=lost or 0)
            message = messages.decode_to_viewer(data)
        except ProtocolError:
            self.unreadable += 1
            return
        self._ever = True
        if not isinstance(message, messages.Refused):  # who is refused hears nothing
            self.last_message = time.monotonic()
        # What is numbered and dropped has been yielded already.
        if lost is not None and (
            numbering.seq is None or not isinstance(message, messages.Dropped)
        ):
            yield message
