"""The port of sources: what carries the messages of devices to the monitor and back."""

from typing import Any, Protocol

import msgspec
import zmq

from ecgmon.wire import messages
from monitor.network.router import Received


class Source(Protocol):
    """A source of samples: a transport that carries the messages of docs/wire.md.

    All is called from the monitor's one thread, so nothing here may wait. What a peer sends is
    hostile until `monitor.sources.ingest.Ingest` has decoded it: a source passes it on as it came,
    in messages of at most `ecgmon.wire.frame.MAX_BYTES`. A source that raises ends the monitor, as
    any fault of its loop does, and the service manager starts it again. Whoever implements this by
    `monitor.network.refusals.Refusing` writes the first five members alone.
    """

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Where it listens, with what the system chose: ``("tcp://127.0.0.1:5555",)``."""

    @property
    def readable(self) -> "zmq.Socket[Any] | int":
        """What a poller waits for until there is something to receive: ``listener.fileno()``."""

    def receive(self) -> Received | None:
        """Return the next message, None if there is none now: ``Received(peer, LOCAL, line)``."""

    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> bool:
        """Send ``messages.encode(message)``; False for a peer that is gone or does not read."""

    def close(self) -> None:
        """Let go of everything: ``listener.close()``."""

    def refuse(
        self, peer: bytes, reason: str, retry_s: float | None = None, user: str = ""
    ) -> None:
        """Tell a peer that something is not accepted: ``refuse(peer, "Say hello first.")``."""

    def take_refused(self) -> int:
        """Return how often something was refused since the last call: ``0``."""


class Peer(msgspec.Struct, frozen=True):
    """A device's connection, by the source that knows it and its id there."""

    source: Source
    id: bytes

    def answer(self, message: messages.ToDevice) -> bool:
        """Send an answer; see `Source.answer`."""
        return self.source.answer(self.id, message)

    def refuse(self, reason: str, retry_s: float | None = None, user: str = "") -> None:
        """Say that something is not accepted; see `Source.refuse`."""
        self.source.refuse(self.id, reason, retry_s, user)
