"""The publisher: a ROUTER socket that knows what each viewer listens to."""

import logging
from dataclasses import dataclass
from typing import Final

import msgspec
import zmq

from ecgmon.errors import EcgmonError, ProtocolError, RefusedError
from ecgmon.wire import messages
from monitor.access import LOCAL, Access
from monitor.limits import Limits, Rates
from monitor.peers import Inbox, Received

MAX_VIEWERS: Final = 500
MAX_DRAINED: Final = 200
"""Requests taken in one tick."""
SILENT_S: Final = 10.0
"""A viewer repeats its subscription every 2 s; one that is silent for so long is gone."""
RATES: Final = Rates(messages=50.0, message_burst=500.0)
"""What viewers with a key may ask for: the past is looked up where alarms are written."""
MAY_NOT: Final = "This key may not do that."

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Subscriber:
    """Somebody who listens.

    Parameters
    ----------
    peer : bytes
        The connection's routing id.
    user : str
        Who, as the connection was authenticated.
    topics : frozenset of str
        What it wants to hear of.
    heard : float
        Monotonic time of its latest sign of life.
    dropped : int
        Messages dropped for it that it has not been told of.
    """

    peer: bytes
    user: str
    topics: frozenset[str]
    heard: float
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What a viewer asks for."""

    peer: bytes
    user: str
    message: messages.Acknowledge | messages.Pause | messages.History


class Publisher:
    """Sends each viewer what it subscribed to, as its topics say.

    Parameters
    ----------
    inbox : Inbox
        Of a bound ROUTER socket.
    access : Access
        Who may hear and do what.
    """

    def __init__(self, inbox: Inbox, access: Access) -> None:
        self._inbox = inbox
        self._access = access
        self._limits = Limits(RATES)
        self._subscribers: dict[bytes, Subscriber] = {}
        self._dropped = 0

    def drain(self, now: float) -> tuple[list[Subscriber], list[Request]]:
        """Take what viewers say.

        Returns
        -------
        list of Subscriber
            Those with new topics, to be told how things stand.
        list of Request
            What else is asked for, by those who may.
        """
        newcomers: list[Subscriber] = []
        requests: list[Request] = []
        for _ in range(MAX_DRAINED):
            if (received := self._inbox.receive()) is None:
                break
            try:
                if received.user != LOCAL:
                    self._limits.charge(received.user, now)
                message = messages.decode_from_viewer(received.data)
                if not isinstance(message, messages.Subscribe):
                    requests.append(self._request(received, message))
                elif self._subscribe(received, frozenset(message.topics), now):
                    newcomers.append(self._subscribers[received.peer])
            except EcgmonError as error:
                retry_s = error.retry_s if isinstance(error, RefusedError) else None
                self._inbox.refuse(received, str(error), retry_s)
        return newcomers, requests

    def forget_silent(self, now: float) -> None:
        """Forget viewers that have shown no sign of life."""
        for subscriber in list(self._subscribers.values()):
            if now - subscriber.heard > SILENT_S:
                self._forget(subscriber)

    def take_dropped(self) -> int:
        """Return how many messages were dropped for slow viewers since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def wanted(self, topic: str) -> bool:
        """Tell whether anybody listens to a topic, so that traces need not be made for nobody."""
        return any(_wants(subscriber, topic) for subscriber in self._subscribers.values())

    def publish(self, message: messages.Published) -> None:
        """Send a message to all who listen; it is dropped for those who are too slow."""
        topic, data = messages.topic(message), messages.encode(message)
        for subscriber in list(self._subscribers.values()):
            if self._hears(subscriber, topic, message.wearer):
                self._send(subscriber, data)

    def tell(self, subscriber: Subscriber, told: list[messages.Published]) -> None:
        """Send one viewer what it listens to of these, and that this was all."""
        for message in told:
            if self._hears(subscriber, messages.topic(message), message.wearer):
                self._send(subscriber, messages.encode(message))
        self._send(subscriber, messages.encode(messages.Subscribed()))

    def answer(self, request: Request, message: messages.ToViewer) -> None:
        """Answer a request."""
        self._inbox.answer(request.peer, message)

    def refuse(self, request: Request, reason: str) -> None:
        """Say that a request cannot be carried out."""
        self._inbox.refuse_peer(request.peer, reason, user=request.user)

    def review(self) -> None:
        """Look again at who may listen, after keys have changed."""
        for subscriber in list(self._subscribers.values()):
            if not self._access.may_read(subscriber.user, None):
                self._forget(subscriber)
                self._inbox.refuse_peer(subscriber.peer, MAY_NOT, user=subscriber.user)

    def _request(
        self,
        received: Received,
        message: messages.Acknowledge | messages.Pause | messages.History,
    ) -> Request:
        """Check whether a viewer may ask for this, and who it is."""
        user, name = received.user, self._access.name_of(received.user)
        if isinstance(message, messages.History):
            may = self._access.may_read(user, message.wearer)
        else:
            may = self._access.may_act(user, message.wearer)
            if may and user != LOCAL:  # the key says who it is, whatever the message says
                message = msgspec.structs.replace(message, by=f"{name}: {message.by}"[:64])
        if not may:
            raise ProtocolError(MAY_NOT)
        return Request(received.peer, user, message)

    def _subscribe(self, received: Received, topics: frozenset[str], now: float) -> bool:
        """Note what a viewer wants; tells whether that is news."""
        peer, user = received.peer, received.user
        wearers = {topic.partition("/")[2] or None for topic in topics}
        if not all(self._access.may_read(user, wearer) for wearer in {None, *wearers}):
            raise ProtocolError(MAY_NOT)
        known = self._subscribers.get(peer)
        if known is not None and (known.user, known.topics) == (user, topics):
            known.heard = now
            self._send(known, messages.encode(messages.Subscribed()))
            return False
        if known is None and len(self._subscribers) >= MAX_VIEWERS:
            raise ProtocolError(f"{MAX_VIEWERS} viewers are connected already: try again later.")
        self._subscribers[peer] = Subscriber(peer, user, topics, now)
        return True

    def _hears(self, subscriber: Subscriber, topic: str, wearer: str | None) -> bool:
        """Tell whether a message is for a viewer: of all wearers it hears of those it may."""
        return _wants(subscriber, topic) and self._access.may_read(subscriber.user, wearer)

    def _send(self, subscriber: Subscriber, data: bytes) -> None:
        try:
            if subscriber.dropped:
                told = messages.encode(messages.Dropped(count=subscriber.dropped))
                self._inbox.socket.send_multipart([subscriber.peer, told], zmq.DONTWAIT)
                _log.warning("peer=%s dropped=%d", subscriber.peer.hex(), subscriber.dropped)
                subscriber.dropped = 0
            self._inbox.socket.send_multipart([subscriber.peer, data], zmq.DONTWAIT)
        except zmq.Again:
            subscriber.dropped += 1
            self._dropped += 1
        except zmq.ZMQError:  # it has gone
            self._forget(subscriber)

    def _forget(self, subscriber: Subscriber) -> None:
        if subscriber.dropped:
            _log.warning("peer=%s dropped=%d gone", subscriber.peer.hex(), subscriber.dropped)
        self._subscribers.pop(subscriber.peer, None)


def _wants(subscriber: Subscriber, topic: str) -> bool:
    return topic in subscriber.topics or f"{topic.partition('/')[0]}/" in subscriber.topics
