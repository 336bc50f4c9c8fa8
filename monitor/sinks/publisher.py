"""The publisher: sends each viewer the messages of its topics over a ROUTER socket."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import zmq

from ecgmon.core.errors import EcgmonError, ProtocolError, RefusedError
from ecgmon.wire import messages
from ecgmon.wire.numbering import numbered
from monitor.network.access import LOCAL, Access
from monitor.network.host import Host
from monitor.network.rate_limits import RateLimit, RateLimiter
from monitor.network.router import Inbox, Received
from monitor.ops.logs import logger
from monitor.sinks.subscribers import Away, Subscriber
from monitor.sinks.viewers import Request, Told, wanted

MAX_REQUEST: Final = 8192
"""Bytes of the longest request that a viewer can make."""
MAX_VIEWERS: Final = 500
MAX_DRAINED: Final = 200
"""Requests taken in one tick."""
SILENT_S: Final = 10.0
"""A viewer repeats its subscription every 2 s; one that is silent for so long is gone."""
RATES: Final = RateLimit(messages=50.0, message_burst=500.0)
"""What viewers with a key may ask for: the past is looked up where alarms are written."""
About = tuple[str, str | None]
"""Subject and wearer of a message."""
_MORE: Final = zmq.DONTWAIT | zmq.SNDMORE
MAY_NOT: Final = "This key may not do that."

_log = logger(__name__)


class Publisher:
    """Sink that sends each viewer the messages of the topics it subscribed to.

    Parameters
    ----------
    inbox : Inbox
        Of a bound ROUTER socket.
    access : Access
        Who may hear and do what.
    """

    def __init__(self, inbox: Inbox, access: Access) -> None:
        self.inbox = inbox
        self._access = access
        self._limits = RateLimiter(RATES)
        self._subscribers: dict[bytes, Subscriber] = {}
        self._away = Away()
        self._topics: frozenset[str] = frozenset()
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
            if (received := self.inbox.receive()) is None:
                break
            try:
                if received.user != LOCAL:
                    self._limits.charge(received.user, now)
                message = messages.decode_from_viewer(received.data)
                if not isinstance(message, messages.Subscribe):
                    requests.append(self._request(received, message))
                elif self._subscribe(received, message, now):
                    newcomers.append(self._subscribers[received.peer])
            except EcgmonError as error:
                retry_s = error.retry_s if isinstance(error, RefusedError) else None
                self.inbox.refuse(received.peer, str(error), retry_s, received.user)
        return newcomers, requests

    def forget_silent(self, now: float) -> None:
        """Forget viewers that have shown no sign of life."""
        for subscriber in list(self._subscribers.values()):
            if now - subscriber.last_message > SILENT_S:
                self._leave(subscriber)
        self._away.forget(now)

    def take_dropped(self) -> int:
        """Return how many more messages are known not to have reached viewers that wanted them."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def subscribed(self, topic: str) -> bool:
        """Return whether any viewer is subscribed to a topic; traces are made only then."""
        subject, _, wearer = topic.partition("/")
        return wanted(self._topics, subject, wearer)

    @property
    def topics(self) -> tuple[frozenset[str], frozenset[str]]:
        """The topics of viewers who are here, and of those who may come back."""
        return self._topics, frozenset().union(*(one.topics for one in self._away.all()))

    def publish(self, published: Sequence[messages.Published]) -> None:
        """Send messages to all who listen; they are dropped for those who are too slow."""
        about = [(messages.subject(type(one)), one.wearer) for one in published]
        self._tell(about, lambda at: messages.encode(published[at]))

    def tell(self, told: Sequence[Told]) -> None:
        """Send messages that are encoded already; see `publish`."""
        self._tell([(one.subject, one.wearer) for one in told], lambda at: told[at].data)

    def _tell(self, about: Sequence[About], encode: Callable[[int], bytes]) -> None:
        """Send messages by what they are about.

        Each viewer is sent its messages in one go: ZeroMQ's thread then wakes once for many.
        """
        for subscriber in self._away.all():
            for _ in self._heard(subscriber, about):
                subscriber.skip()
        encoded: dict[int, bytes] = {}
        for subscriber in list(self._subscribers.values()):
            heard = self._heard(subscriber, about)
            for at in heard:
                encoded[at] = encoded.get(at) or encode(at)
            for at in heard:
                if not self._send(subscriber, encoded[at]):
                    subscriber.skip()  # it has gone meanwhile

    def flush(self) -> None:
        """Do nothing: ZeroMQ sends at once."""

    def close(self) -> None:
        """Let the inbox go; its socket still sends what it has."""
        self.inbox.close()

    def send_snapshot(self, subscriber: Subscriber, notice: list[messages.Published]) -> None:
        """Send a snapshot to one viewer: the messages of its topics, then `Subscribed`."""
        self.show(
            subscriber,
            [Told(messages.subject(type(m)), m.wearer, messages.encode(m)) for m in notice],
        )
        self.end_snapshot(subscriber)

    def show(self, subscriber: Subscriber, notice: Sequence[Told]) -> None:
        """Send a part of a snapshot to one viewer."""
        for at in self._heard(subscriber, [(one.subject, one.wearer) for one in notice]):
            self._send(subscriber, notice[at].data, snapshot=True)

    def end_snapshot(self, subscriber: Subscriber) -> None:
        """Say that the snapshot is whole."""
        self._send(subscriber, messages.encode(messages.Subscribed()), snapshot=True)

    def answer(self, request: Request, message: messages.ToViewer) -> None:
        """Answer a request."""
        self.inbox.answer(request.peer, message)

    def refuse(self, request: Request, reason: str) -> None:
        """Say that a request cannot be carried out."""
        self.inbox.refuse(request.peer, reason, user=request.user)

    def review(self) -> None:
        """Look again at who may listen, after keys have changed."""
        for subscriber in list(self._subscribers.values()):
            if not self._access.may_read(subscriber.user, None):
                del self._subscribers[subscriber.peer]
                self._note_topics()
                self.inbox.refuse(subscriber.peer, MAY_NOT, user=subscriber.user)

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

    def _subscribe(self, received: Received, message: messages.Subscribe, now: float) -> bool:
        """Note what a viewer wants; tells whether it is to be told how things stand."""
        peer, user, topics = received.peer, received.user, frozenset(message.topics)
        wearers = {topic.partition("/")[2] or None for topic in topics}
        if not all(self._access.may_read(user, wearer) for wearer in {None, *wearers}):
            raise ProtocolError(MAY_NOT)
        known = self._subscribers.get(peer)
        repeated = (
            known is not None
            and (known.user, known.topics) == (user, topics)
            and known.goes_on_as(message.session)
            and not message.again
        )
        if known is None or known.user != user or not known.goes_on_as(message.session):
            known = self._newcomer(peer, user, topics, message.session)
        known.topics = topics
        self._note_topics()
        known.sign_of_life(message.session, message.lost, now)
        self._count(known)
        if repeated:
            self._send(known, messages.encode(messages.Subscribed(repeated=True)))
        return not repeated

    def _newcomer(
        self, peer: bytes, user: str, topics: frozenset[str], session: str | None
    ) -> Subscriber:
        """Return who subscribes on a connection for the first time; perhaps it was here before."""
        for other in list(self._subscribers.values()):
            if (other.session, other.user) == (session, user):  # its former connection has ended
                self._leave(other)
        if peer not in self._subscribers and len(self._subscribers) >= MAX_VIEWERS:
            raise ProtocolError(f"{MAX_VIEWERS} viewers are connected already: try again later.")
        if (known := self._away.take(peer, user, session)) is not None:
            known.peer = peer
        else:
            known = Subscriber(peer, user, topics, 0.0)
            if session is None and (former := self._away.take_nameless(user, topics)):
                known.dropped = former.dropped
                self._count(former)
        self._subscribers[peer] = known
        return known

    def _count(self, subscriber: Subscriber) -> None:
        """Count what a viewer is known to have missed, and log what only the viewer knew of."""
        if count := subscriber.take_uncounted():
            self._dropped += count
            if subscriber.lost > subscriber.missed:
                _log.warning("lost-on-the-way", peer=subscriber.peer.hex(), dropped=count)

    def _note_topics(self) -> None:
        self._topics = frozenset().union(*(one.topics for one in self._subscribers.values()))

    def _heard(self, subscriber: Subscriber, about: Sequence[About]) -> list[int]:
        """Return which messages are for a viewer: of all wearers it hears of those it may."""
        topics, user, may_read = subscriber.topics, subscriber.user, self._access.may_read
        heard = []
        for at, (subject, wearer) in enumerate(about):
            if wanted(topics, subject, wearer or "") and may_read(user, wearer):
                heard.append(at)
        return heard

    def _send(self, subscriber: Subscriber, data: bytes, *, snapshot: bool = False) -> bool:
        """Send an encoded message with the viewer's next number, or drop and count it.

        Returns False, and does nothing, if the viewer has gone since.
        """
        if self._subscribers.get(subscriber.peer) is not subscriber:
            return False
        try:
            if subscriber.dropped:
                notice = messages.encode(messages.Dropped(count=subscriber.dropped))
                self._hand_over(subscriber, notice)
                _log.warning("dropped", peer=subscriber.peer.hex(), dropped=subscriber.dropped)
                subscriber.note_dropped_sent()
            self._hand_over(subscriber, data, snapshot=snapshot)
        except zmq.Again:
            subscriber.skip()
            self._count(subscriber)
        except zmq.ZMQError:  # its connection has ended
            subscriber.skip_unanswered()
            subscriber.skip()
            self._leave(subscriber)
        return True

    def _hand_over(self, subscriber: Subscriber, data: bytes, *, snapshot: bool = False) -> None:
        data = numbered(data, subscriber.session, subscriber.sent + 1, snapshot=snapshot)
        self.inbox.socket.send(subscriber.peer, _MORE)  # what `send_multipart` does, with checks
        self.inbox.socket.send(data, zmq.DONTWAIT)
        subscriber.sent += 1

    def _leave(self, subscriber: Subscriber) -> None:
        """Send a viewer nothing more until it is back."""
        _log.info(
            "viewer-gone",
            peer=subscriber.peer.hex(),
            user=subscriber.user,
            session=subscriber.session,
            sent=subscriber.sent,
            dropped=subscriber.dropped,
        )
        self._subscribers.pop(subscriber.peer, None)
        self._note_topics()
        self._away.put(subscriber)


def listen(endpoints: tuple[str, ...], host: Host) -> Publisher:
    """Open the endpoints of viewers; raises `UsageError` where one cannot be bound."""
    return Publisher(host.router(endpoints, MAX_REQUEST), host.access)
