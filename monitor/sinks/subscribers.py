"""Viewers: connected, gone and perhaps coming back, with the count of what each has missed."""

import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

AWAY_S: Final = 600.0
"""A viewer that comes back within it is told how many messages it has missed."""
NAMELESS_S: Final = 15.0
"""The same for a viewer that names no session: only its user and its topics tell which it is."""
MAX_AWAY: Final = 32
"""More viewers that have gone are not remembered; for each one every message is looked at."""
UNANSWERED_S: Final = 8.0
"""A connection ends after up to so long without an answer (`monitor.network.router.bind`): what was
sent within it may not have arrived."""
_SIGNS: Final = 6


@dataclass(eq=False, slots=True)
class Subscriber:
    """A connected viewer, with the count of messages it has missed.

    Parameters
    ----------
    peer : bytes
        The connection's routing id.
    user : str
        Who, as the connection was authenticated.
    topics : frozenset of str
        Topics it is subscribed to.
    last_message : float
        Monotonic time of its latest sign of life.
    session : str
        Its name for this subscription; it outlives connections.
    sent : int
        Number of its latest message, whether it was handed over or not.
    dropped : int
        Messages not handed over that it has not been told of.
    missed : int
        All messages not handed over.
    lost : int
        Messages that have not come, as it says; those not handed over are among them.
    counted : int
        Lost messages that the metric knows of.
    names_session : bool
        Whether it says which session it belongs to; older viewers do not.
    """

    peer: bytes
    user: str
    topics: frozenset[str]
    last_message: float
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    sent: int = 0
    dropped: int = 0
    missed: int = 0
    lost: int = 0
    counted: int = 0
    names_session: bool = False
    _dropped_notices: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_SIGNS))
    _signs: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_SIGNS))

    def sign_of_life(self, session: str | None, lost: int, now: float) -> None:
        """Take that it has been heard of, and what it says it has missed."""
        self.last_message = now
        self._signs.append((now, self.sent))
        if session == self.session:
            self.names_session = True
            self.lost = max(self.lost, min(lost, self.sent))

    def skip(self) -> None:
        """Give a number to a message that is not handed over."""
        self.sent += 1
        self.dropped += 1
        self.missed += 1

    def take_uncounted(self) -> int:
        """Return how many messages it has missed that were not returned before."""
        known = max(self.missed, self.lost)
        uncounted, self.counted = known - self.counted, known
        return uncounted

    def note_dropped_sent(self) -> None:
        """Take that its latest message has told it of those dropped."""
        self._dropped_notices.append((self.sent, self.dropped))
        self.dropped = 0

    def skip_unanswered(self) -> None:
        """Take that its connection has ended, where it will not say what has not arrived."""
        if not self.names_session:
            before = [sent for at, sent in self._signs if at <= self.last_message - UNANSWERED_S]
            arrived = before[-1] if before else 0
            unanswered = max(self.sent - arrived - self.dropped, 0)
            self.missed += unanswered
            self.dropped += unanswered + sum(n for at, n in self._dropped_notices if at > arrived)

    def goes_on_as(self, session: str | None) -> bool:
        """Tell whether who names this session may be the same viewer, and not one in its place."""
        return session == self.session or not self.names_session


class Away:
    """Viewers whose connection has ended, or who are silent; what is said meanwhile is counted."""

    def __init__(self) -> None:
        self._gone: list[Subscriber] = []

    def put(self, subscriber: Subscriber) -> None:
        """Take a viewer that has gone; one that wants nothing has taken leave."""
        if subscriber.topics:
            self._gone = [*self._gone, subscriber][-MAX_AWAY:]

    def all(self) -> list[Subscriber]:
        """Return those who may come back."""
        return self._gone

    def forget(self, now: float) -> None:
        """Forget those who have been away for long."""
        self._gone = [
            one
            for one in self._gone
            if now - one.last_message <= (AWAY_S if one.names_session else NAMELESS_S)
        ]

    def take(self, peer: bytes, user: str, session: str | None) -> Subscriber | None:
        """Return the viewer that is back on a connection, if it is one of these."""
        return self._pop(
            one
            for one in self._gone
            if one.user == user
            and (one.session == session or (one.peer == peer and one.goes_on_as(session)))
        )

    def take_nameless(self, user: str, topics: frozenset[str]) -> Subscriber | None:
        """Return a viewer that never named its session and is like a new one, if there is any."""
        return self._pop(
            one
            for one in self._gone
            if not one.names_session and (one.user, one.topics) == (user, topics)
        )

    def _pop(self, found: Iterator[Subscriber]) -> Subscriber | None:
        if (one := next(found, None)) is not None:
            self._gone.remove(one)
        return one
