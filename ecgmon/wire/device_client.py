"""The device's end of the protocol: one connection that reconnects until the monitor answers."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Final

import zmq

from ecgmon.core.errors import AccessError, EcgmonError, UsageError
from ecgmon.wire import messages
from ecgmon.wire.handshake import Handshakes, WatchedSocket

PATIENCE_S: Final = 10.0
"""Seconds after which a monitor that has never answered counts as unreachable."""
SILENCE_S: Final = 5.0
"""A connection on which no answer comes for so long, though one is owed, is given up.

One that breaks is noticed at once; this is for a monitor that hangs.
"""
FIRST_RETRY_S: Final = 0.25
LAST_RETRY_S: Final = 2.0
"""How long a connection may take, and how soon another follows: longer after every failure."""
NEVER_MS: Final = 3_600_000
"""A socket is closed long before it reconnects: the next connection has a new one."""
QUEUED: Final = 10_000
"""Messages that may wait here: more than what may be in flight, in frames however short."""

_log = logging.getLogger(__name__)

Context = zmq.Context[zmq.Socket[bytes]]
Secure = Callable[[zmq.Socket[bytes]], None]
"""Makes a socket that is not yet connected use a client's key."""


def plain(_: "zmq.Socket[bytes]") -> None:
    """Leave a socket as it is: no key."""


class DeviceClient:
    """A device's connection to a monitor. Each attempt has its own socket: no answer is mixed up.

    Parameters
    ----------
    hello : Hello
        How each conversation begins.
    patience_s : float
        For how long a monitor that has answered before may be away.

    Attributes
    ----------
    socket : zmq.Socket or None
        To be polled; another one after each loss.
    open : bool
        Whether the monitor has welcomed this conversation.
    welcomed : int
        How many it has.
    """

    def __init__(self, hello: messages.Hello, patience_s: float) -> None:
        self._hello = hello
        self._patience_s = patience_s
        self._refusal: str | None = None
        self._greeted = self._away = False
        self._failures = 0
        self._retry_at = 0.0
        self.socket: zmq.Socket[bytes] | None = None
        self.open = False
        self.welcomed = 0

    def connect(self, endpoint: str, context: Context, secure: Secure = plain) -> None:
        """Begin; raises `UsageError` if the endpoint is none."""
        self._endpoint, self._context, self._secure = endpoint, context, secure
        self._handshakes = Handshakes(endpoint)
        self.content()
        self._connect(self._good)

    def content(self) -> None:
        """Note that all is well: nothing is owed, or what was owed has come."""
        self._good = self._since = time.monotonic()

    def keep(self, *, owed: bool) -> None:
        """Look after the connection, a few times a second.

        Parameters
        ----------
        owed : bool
            Whether the monitor still has to answer something.

        Raises
        ------
        AccessError
            If the monitor does not let this device in.
        EcgmonError
            If it has been away for too long.
        """
        if refusal := self._handshakes.refusal():
            raise AccessError(refusal)
        now = time.monotonic()
        if self.open and not owed:
            self.content()
        if now - self._good > self._limit:
            if not self.welcomed and self._handshakes.suspicion:
                raise AccessError(self._handshakes.suspicion)
            raise EcgmonError(self._despair())
        if self.socket is None:
            if now >= self._retry_at:
                self._connect(now)
        elif not self._handshakes.connected:  # it broke, or does not stand yet
            unread = self.socket.poll(0, zmq.POLLIN)
            if not unread and (self._greeted or now - self._since > self._retry_s):
                self.lose("it broke")
        elif not self._greeted:
            self._greeted = True
            self._since = now
            self.say(self._hello)
        elif now - self._since > SILENCE_S:
            self.lose("no answer came")

    def receive(self) -> Iterator[messages.ToDevice]:
        """Yield what the monitor says of this stream; raises `EcgmonError` if it refuses it."""
        while self.socket is not None:
            try:
                data = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._since = time.monotonic()
            message = messages.decode_to_device(data)
            if isinstance(message, messages.Refused):
                self._refused(message)
            elif message.stream == self._hello.stream:
                if isinstance(message, messages.Welcome):
                    self._welcome()
                else:
                    self._failures, self._refusal = 0, None
                    self.content()
                yield message

    def say(self, message: messages.FromDevice) -> bool:
        """Send a message; tells whether there is a connection to take it."""
        return self.send(messages.encode(message))

    def send(self, data: bytes) -> bool:
        """Send a frame; tells whether there is a connection to take it."""
        try:
            if self.socket is not None:
                self.socket.send(data, zmq.DONTWAIT)
        except zmq.Again:
            self.lose("it broke")
        return self.socket is not None

    def lose(self, why: str, retry_s: float = 0.0) -> None:
        """Give this conversation up; another one begins before long."""
        if self.open and not self._away:
            self._away = True
            _log.warning(
                "wearer=%s connection to the monitor lost (%s), trying again for %g s",
                self._hello.wearer,
                why,
                self._patience_s,
            )
        self._close(linger_ms=0)
        again = self._since + self._retry_s if self._failures else 0.0
        self._retry_at = max(again, time.monotonic() + retry_s)
        self._failures += 1

    def close(self) -> None:
        """End it for good; what was said last still leaves."""
        self._close(linger_ms=500)
        self._retry_at = float("inf")

    @property
    def _limit(self) -> float:
        return self._patience_s if self.welcomed or self._refusal else PATIENCE_S

    @property
    def _retry_s(self) -> float:
        return min(FIRST_RETRY_S * 2.0 ** min(self._failures, 10), LAST_RETRY_S)

    def _connect(self, now: float) -> None:
        socket = WatchedSocket.of(self._context)
        socket.maxmsgsize = messages.MAX_BYTES
        socket.linger = 0
        socket.sndhwm = QUEUED
        socket.set(zmq.RECONNECT_IVL, NEVER_MS)
        socket.set(zmq.HEARTBEAT_IVL, 2_000)
        socket.set(zmq.HEARTBEAT_TIMEOUT, 6_000)
        try:
            self._secure(socket)
            self._handshakes.watch(socket)
            socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            socket.close()
            raise UsageError(
                f"{self._endpoint} is no endpoint to connect to: give one such as "
                "tcp://127.0.0.1:5555."
            ) from error
        self.socket = socket
        self._greeted, self._since = False, now

    def _welcome(self) -> None:
        if self._away:
            self._away = False
            _log.warning("wearer=%s connected to the monitor again", self._hello.wearer)
        if not self.welcomed:
            self.content()
        self.open = True
        self.welcomed += 1

    def _refused(self, refused: messages.Refused) -> None:
        """Begin again later; a hello that is refused for good is the end."""
        if not self.open and refused.retry_s is None:
            raise EcgmonError(f"The monitor refused the stream: {refused.reason}")
        self._refusal = refused.reason
        self.lose(refused.reason, min(max(refused.retry_s or 0.0, 0.0), self._patience_s))

    def _despair(self) -> str:
        if self._refusal:
            return f"The monitor refused the stream: {self._refusal}"
        if not self.welcomed:
            return "The monitor does not answer: check the endpoint and its log."
        return (
            f"The monitor has not answered for {self._patience_s:g} s: check whether it still runs."
        )

    def _close(self, linger_ms: int) -> None:
        self.open = self._greeted = False
        if self.socket is not None:
            self._handshakes.refusal()  # what became of this one counts
            self.socket.close(linger=linger_ms)
            self.socket = None
