"""Source and sink of a worker's monitor: devices and viewers are connected to the front."""

from collections.abc import Callable, Sequence

from ecgmon.core.errors import EcgmonError
from ecgmon.wire import messages
from monitor.network.refusals import Refusing
from monitor.network.router import Received
from monitor.sinks.subscribers import Subscriber
from monitor.sinks.viewers import Request, wanted
from monitor.workers.relay import Relay
from monitor.workers.words import Replied, Shown, ToldWord


class RelayedSource(Refusing):
    """Source of what devices say to the front.

    Parameters
    ----------
    relay : Relay
        To the front.
    endpoints : tuple of str
        Where the front listens.
    """

    def __init__(self, relay: Relay, endpoints: tuple[str, ...]) -> None:
        super().__init__()
        self._relay = relay
        self.endpoints = endpoints

    @property
    def readable(self) -> int:
        """What a poller waits for until there is something to receive."""
        return self._relay.link.fileno()

    def receive(self) -> Received | None:
        """Return the next message, None if there is none now."""
        return self._relay.next()

    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> bool:
        """Let the front answer a device."""
        welcomed = message.stream if isinstance(message, messages.Welcome) else ""
        self._relay.answer(peer, messages.encode(message), welcomed)
        return True

    def close(self) -> None:
        """Let go of nothing: the relay is closed by who made it."""


class RelayedPublisher:
    """Sink that hands the front what viewers listen to, and takes from it what they ask for.

    Parameters
    ----------
    relay : Relay
        To the front.
    inbox : RelayedSource
        Where viewers come in: the same link.
    settled : callable
        Tells whether all wearers that were taken over are known: no snapshot is whole before.
    """

    def __init__(self, relay: Relay, inbox: RelayedSource, settled: Callable[[], bool]) -> None:
        self._relay = relay
        self._settled = settled
        self.inbox = inbox

    def drain(self, now: float) -> tuple[list[Subscriber], list[Request]]:
        """Take what viewers say; see `monitor.sinks.publisher.Publisher`."""
        relay = self._relay
        relay.read()
        relay.flush()
        newcomers = []
        while relay.shows and self._settled():
            show = relay.shows.popleft()
            topics = frozenset(show.topics)
            newcomers.append(Subscriber(str(show.number).encode(), "", topics, now))
        requests = []
        while relay.asks:
            ask = relay.asks.popleft()
            try:
                message = messages.decode_from_viewer(ask.message)
            except EcgmonError as error:
                relay.say(Replied(ask.number, str(error)))
                continue
            if not isinstance(message, messages.Subscribe):
                requests.append(Request(str(ask.number).encode(), ask.user, message))
        return newcomers, requests

    def subscribed(self, topic: str) -> bool:
        """Return whether any viewer is subscribed to a topic."""
        subject, _, wearer = topic.partition("/")
        return wanted(self._relay.here, subject, wearer)

    def publish(self, published: Sequence[messages.Published]) -> None:
        """Hand over messages that any viewer wants, or would want if it were back."""
        relay = self._relay
        topics = relay.here | relay.away
        if topics:
            relay.tell(_told(published, topics))

    def flush(self) -> None:
        """Send what was handed over."""
        self._relay.flush()

    def send_snapshot(self, subscriber: Subscriber, notice: list[messages.Published]) -> None:
        """Say how the wearers of this worker are."""
        self._relay.say(Shown(int(subscriber.peer), _told(notice, subscriber.topics)))
        self._relay.flush()

    def answer(self, request: Request, _message: messages.ToViewer) -> None:
        """Say that a request is carried out."""
        self._relay.say(Replied(int(request.peer), None))

    def refuse(self, request: Request, reason: str) -> None:
        """Say that a request cannot be carried out."""
        self._relay.say(Replied(int(request.peer), reason))

    def review(self) -> None:
        """Do nothing: the front looks who may listen."""

    def forget_silent(self, now: float) -> None:
        """Do nothing: the front hears of viewers."""

    def take_dropped(self) -> int:
        """Return 0: the front counts."""
        return 0

    def close(self) -> None:
        """Let go of nothing: the relay is closed by who made it."""


def _told(published: Sequence[messages.Published], topics: frozenset[str]) -> list[ToldWord]:
    """Return the messages of some topics, encoded."""
    about = [(messages.subject(type(one)), one.wearer, one) for one in published]
    return [
        (subject, wearer, messages.encode(one))
        for subject, wearer, one in about
        if wanted(topics, subject, wearer or "")
    ]
