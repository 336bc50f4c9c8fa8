"""The front's conversation with viewers: snapshots and requests that workers have to answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ecgmon.wire import messages
from monitor.sinks.publisher import Publisher
from monitor.sinks.subscribers import Subscriber
from monitor.sinks.viewers import Request, Told
from monitor.workers.placement import WearerPlacement
from monitor.workers.words import Ask, FromFront, Show, ToldWord, Topics

LATER: Final = "The process that watches this wearer has ended: try again."

Say = Callable[[int, FromFront], None]
"""Takes a worker's number and a word for it."""


@dataclass(eq=False, slots=True)
class OpenSnapshot:
    """A viewer who is being told how things stand, and the workers who have not said it yet."""

    viewer: Subscriber
    missing: set[int] = field(default_factory=set)


class Audience:
    """Asks workers what viewers want to know, and passes on what they answer.

    Parameters
    ----------
    publisher : Publisher
        Talks to viewers.
    placement : WearerPlacement
        Which worker has which wearer.
    say : callable
        Takes a worker's number and a word for it.
    """

    def __init__(self, publisher: Publisher, placement: WearerPlacement, say: Say) -> None:
        self._publisher = publisher
        self._placement = placement
        self._say = say
        self._number = 0
        self._snapshots: dict[int, OpenSnapshot] = {}
        self._asked: dict[int, tuple[int, Request]] = {}
        self._topics: tuple[frozenset[str], frozenset[str]] = frozenset(), frozenset()

    def send_snapshot(self, subscriber: Subscriber, notice: list[messages.Published]) -> None:
        """Tell a viewer how things stand: at once of the monitor itself, later of the wearers."""
        told = [Told(messages.subject(type(m)), m.wearer, messages.encode(m)) for m in notice]
        self._publisher.show(subscriber, told)
        self._number += 1
        self._snapshots[self._number] = snapshot = OpenSnapshot(subscriber)
        self._ask(self._number, snapshot)

    def look(self) -> None:
        """Tell the workers what viewers listen to, where that has changed."""
        if (topics := self._publisher.topics) != self._topics:
            self._topics = topics
            for worker in self._placement.loads:
                self._say_topics(worker)

    def request(self, request: Request) -> None:
        """Hand a request to the worker of its wearer."""
        wearer = request.message.wearer or ""
        worker = self._placement.of(wearer)
        if worker is None:
            known = wearer in self._placement.orphans
            self._publisher.refuse(request, LATER if known else f"{wearer} is not watched.")
            return
        self._number += 1
        self._asked[self._number] = worker, request
        self._say(worker, Ask(self._number, request.user, messages.encode(request.message)))

    def shown(self, worker: int, number: int, told: list[ToldWord]) -> None:
        """Pass on how the wearers of a worker are."""
        if snapshot := self._snapshots.get(number):
            self._publisher.show(snapshot.viewer, [Told(*one) for one in told])
            snapshot.missing.discard(worker)
            self._end_if_whole(number, snapshot)

    def replied(self, number: int, refused: str | None) -> None:
        """Pass on what became of a request."""
        if asked := self._asked.pop(number, None):
            _, request = asked
            if refused is None:
                self._publisher.answer(request, messages.Done())
            else:
                self._publisher.refuse(request, refused)

    def join(self, worker: int) -> None:
        """Take a worker that has started, with the wearers that it was given."""
        self._say_topics(worker)
        self._ask_again()

    def leave(self, worker: int) -> None:
        """Forget a worker that has ended; its wearers have been given to others by now."""
        for number, (asked, request) in list(self._asked.items()):
            if asked == worker:
                del self._asked[number]
                self._publisher.refuse(request, LATER)
        self._ask_again()

    def _ask_again(self) -> None:
        """Ask anew for the snapshots that are not whole: wearers have another worker now."""
        for number, snapshot in list(self._snapshots.items()):
            self._ask(number, snapshot)

    def _ask(self, number: int, snapshot: OpenSnapshot) -> None:
        snapshot.missing = set(self._placement.loads)
        for worker in snapshot.missing:
            self._say(worker, Show(number, sorted(snapshot.viewer.topics)))

    def _end_if_whole(self, number: int, snapshot: OpenSnapshot) -> None:
        if not snapshot.missing and not self._placement.orphans:
            del self._snapshots[number]
            self._publisher.end_snapshot(snapshot.viewer)

    def _say_topics(self, worker: int) -> None:
        here, away = self._topics
        self._say(worker, Topics(sorted(here), sorted(away)))
