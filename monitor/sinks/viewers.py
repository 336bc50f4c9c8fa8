"""The conversation with viewers as the monitor sees it, whoever carries it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import zmq

from ecgmon.wire import messages
from monitor.sinks.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Request:
    """A viewer's request that the monitor carries out."""

    peer: bytes
    user: str
    message: messages.Acknowledge | messages.Pause | messages.History


class Told(NamedTuple):
    """A published message that is encoded already.

    Parameters
    ----------
    subject : str
        The first part of its topic.
    wearer : str or None
        Whom it is about.
    data : bytes
        The message.
    """

    subject: str
    wearer: str | None
    data: bytes


class Door(Protocol):
    """Where viewers come in; see `monitor.network.router.Inbox`."""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Where viewers connect."""

    @property
    def readable(self) -> "zmq.Socket[Any] | int":
        """What a poller waits for until a viewer has said something."""

    def take_refused(self) -> int:
        """Return how often something was refused since the last call."""


class Viewers(Protocol):
    """The sink that viewers talk to; see `monitor.sinks.publisher.Publisher`."""

    @property
    def inbox(self) -> Door:
        """Where they come in."""

    def publish(self, published: Sequence[messages.Published]) -> None:
        """Take the next messages."""

    def flush(self) -> None:
        """Pass on what was taken since the last call."""

    def close(self) -> None:
        """Let go of everything."""

    def drain(self, now: float) -> tuple[list[Subscriber], list[Request]]:
        """Take what viewers say: who is to be told how things stand, and what is asked for."""

    def subscribed(self, topic: str) -> bool:
        """Return whether any viewer is subscribed to a topic."""

    def send_snapshot(self, subscriber: Subscriber, notice: list[messages.Published]) -> None:
        """Tell a viewer how things stand."""

    def answer(self, request: Request, message: messages.ToViewer) -> None:
        """Answer a request."""

    def refuse(self, request: Request, reason: str) -> None:
        """Say that a request cannot be carried out."""

    def review(self) -> None:
        """Look again at who may listen, after keys have changed."""

    def forget_silent(self, now: float) -> None:
        """Forget viewers that have shown no sign of life."""

    def take_dropped(self) -> int:
        """Return how many more messages are known not to have reached viewers."""


def wanted(topics: frozenset[str], subject: str, wearer: str) -> bool:
    """Tell whether a topic, or that of all wearers, is among those that are wanted."""
    return f"{subject}/" in topics or f"{subject}/{wearer}" in topics
