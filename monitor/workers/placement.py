"""Which worker has which wearer, and how many places are taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MAX_KNOWN: Final = 10_000
"""Wearers without a place of whom it is remembered which worker has their alarms."""
UNDER_WAY_S: Final = 4.0
"""A hello counts as a place that is taken for so long, in seconds, until the worker says so."""


@dataclass(eq=False, slots=True)
class WorkerLoad:
    """What is known of a worker.

    Parameters
    ----------
    placed : set of str
        Wearers with a place, as it says.
    under_way : dict of str to float
        Wearers whose hello it was given, and when, monotonic time in seconds.
    closed : bool
        Whether it is overloaded.
    said_elsewhere : int
        Places taken elsewhere that it was told of.
    """

    placed: set[str] = field(default_factory=set)
    under_way: dict[str, float] = field(default_factory=dict)
    closed: bool = False
    said_elsewhere: int = 0

    @property
    def taken(self) -> int:
        """Places that count as taken."""
        return len(self.placed | self.under_way.keys())


class WearerPlacement:
    """Gives each wearer to one worker; who has one keeps it as long as it lives.

    Attributes
    ----------
    loads : dict of int to WorkerLoad
        The workers that have started, by number.
    orphans : dict of str to bool
        Wearers whose worker has ended, and who have none yet; and whether they had a place.
    """

    def __init__(self) -> None:
        self.loads: dict[int, WorkerLoad] = {}
        self.orphans: dict[str, bool] = {}
        self._worker_of: dict[str, int] = {}
        self._settling: dict[str, int] = {}

    def of(self, wearer: str) -> int | None:
        """Return the worker that has a wearer, None if none has."""
        return self._worker_of.get(wearer)

    def settles(self, wearer: str) -> bool:
        """Tell whether the worker of a wearer does not know yet what was raised before."""
        return wearer in self._settling

    def join(self, worker: int) -> None:
        """Take a worker that has started."""
        self.loads[worker] = WorkerLoad()

    def leave(self, worker: int) -> None:
        """Forget a worker that has ended; its wearers are orphans."""
        load = self.loads.pop(worker, WorkerLoad())
        for wearer in [wearer for wearer, of in self._worker_of.items() if of == worker]:
            self.orphans[wearer] = wearer in load.placed or wearer in load.under_way
            del self._worker_of[wearer]
            self._settling.pop(wearer, None)

    def adopt(self) -> dict[int, list[str]]:
        """Give the orphans to workers that have few wearers; returns who gets whom.

        Those who had a place come first, so that each worker gets as many of them.
        """
        if not self.loads:
            return {}
        numbers = dict.fromkeys(self.loads, 0)
        for of in self._worker_of.values():
            numbers[of] = numbers.get(of, 0) + 1
        given: dict[int, list[str]] = {}
        for wearer in sorted(self.orphans, key=lambda one: (not self.orphans[one], one)):
            worker = min(self.loads, key=lambda one: numbers[one])
            numbers[worker] += 1
            self._worker_of[wearer] = self._settling[wearer] = worker
            given.setdefault(worker, []).append(wearer)
        self.orphans.clear()
        return given

    def settled(self, worker: int, wearers: Iterable[str]) -> None:
        """Take that a worker knows what was raised of wearers before."""
        for wearer in wearers:
            if self._settling.get(wearer) == worker:
                del self._settling[wearer]

    def place(self, wearer: str, now: float, silent: int | None) -> int | None:
        """Return the worker for a wearer whose device says hello; None if there is none.

        Parameters
        ----------
        wearer : str
            Who.
        now : float
            Monotonic time in seconds.
        silent : int or None
            The worker whose device is silent longest, where all places are taken.
        """
        worker = self._worker_of.get(wearer)
        if worker is None:
            if not self.loads or wearer in self.orphans:
                return None
            worker = silent
            if worker is None:
                worker = min(
                    self.loads, key=lambda one: (self.loads[one].closed, self.loads[one].taken)
                )
            self._worker_of[wearer] = worker
            self._forget_one()
        self.loads[worker].under_way[wearer] = now
        return worker

    def report(self, worker: int, wearers: Iterable[str], closed: bool, now: float) -> None:
        """Take what a worker says of itself."""
        load = self.loads[worker]
        load.placed, load.closed = set(wearers), closed
        load.under_way = {
            wearer: since for wearer, since in load.under_way.items() if now - since < UNDER_WAY_S
        }

    def elsewhere(self, worker: int) -> int | None:
        """Return how many places others have taken; None if the worker was told already."""
        count = sum(load.taken for other, load in self.loads.items() if other != worker)
        load = self.loads[worker]
        if load.said_elsewhere == count:
            return None
        load.said_elsewhere = count
        return count

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return sum(load.taken for load in self.loads.values())

    def _forget_one(self) -> None:
        """Forget a wearer without a place, of too many."""
        if len(self._worker_of) <= MAX_KNOWN + self.taken:
            return
        for wearer, worker in self._worker_of.items():
            load = self.loads[worker]
            if wearer not in load.placed and wearer not in load.under_way:
                del self._worker_of[wearer]
                return
