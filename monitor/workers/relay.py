"""A worker's side of the link: what comes for its monitor, sorted; what its monitor says, sent."""

from collections import deque
from collections.abc import Callable
from typing import Final

from monitor.network.router import Received
from monitor.workers.link import WordLink
from monitor.workers.words import (
    Answers,
    Ask,
    Devices,
    News,
    Show,
    ToFront,
    ToldWord,
    Topics,
    ToWorker,
)

MAX_QUEUED: Final = 100_000
"""Messages of devices that wait here; while there are so many, no more are read."""


class Relay:
    """Reads the link once for the source and the publisher of a worker's monitor.

    Messages of devices are handed out by turns of their connections: one that catches up delays
    nobody else.

    Parameters
    ----------
    link : WordLink
        To the front.
    otherwise : callable
        Takes the words that are neither for the source nor for the publisher.

    Attributes
    ----------
    here, away : frozenset of str
        Topics of viewers who are here, and of those who may come back.
    shows, asks : deque
        What viewers want.
    """

    def __init__(self, link: WordLink[ToWorker], otherwise: Callable[[ToWorker], None]) -> None:
        self.link = link
        self._otherwise = otherwise
        self._of_peer: dict[bytes, deque[Received]] = {}
        self._turns: deque[bytes] = deque()
        self._queued = 0
        self._answers: list[tuple[bytes, bytes, str]] = []
        self.here: frozenset[str] = frozenset()
        self.away: frozenset[str] = frozenset()
        self.shows: deque[Show] = deque()
        self.asks: deque[Ask] = deque()

    def read(self) -> None:
        """Take what has come."""
        if self._queued >= MAX_QUEUED:
            return
        for word in self.link.hear():
            match word:
                case Devices(said=said):
                    for peer, user, data in said:
                        self._put(Received(peer, user, data))
                case Show():
                    self.shows.append(word)
                case Ask():
                    self.asks.append(word)
                case Topics(here=here, away=away):
                    self.here, self.away = frozenset(here), frozenset(away)
                case _:
                    self._otherwise(word)

    def next(self) -> Received | None:
        """Return a message of the device whose turn it is, None if there is none."""
        if not self._turns:
            return None
        peer = self._turns.popleft()
        waiting = self._of_peer[peer]
        received = waiting.popleft()
        self._queued -= 1
        if waiting:
            self._turns.append(peer)
        else:
            del self._of_peer[peer]
        return received

    def answer(self, peer: bytes, data: bytes, welcomed: str) -> None:
        """Answer a device with the next `flush`."""
        self._answers.append((peer, data, welcomed))

    def tell(self, told: list[ToldWord]) -> None:
        """Publish messages with the next `flush`; answers given before go before them."""
        if told:
            self.say(News(told))

    def say(self, word: ToFront) -> None:
        """Say something with the next `flush`."""
        self._say_answers()
        self.link.say(word)

    def flush(self) -> None:
        """Send what was said."""
        self._say_answers()
        self.link.flush()

    def _say_answers(self) -> None:
        if self._answers:
            self.link.say(Answers(self._answers))
            self._answers = []

    def _put(self, received: Received) -> None:
        waiting = self._of_peer.get(received.peer)
        if waiting is None:
            waiting = self._of_peer[received.peer] = deque()
            self._turns.append(received.peer)
        waiting.append(received)
        self._queued += 1
