"""Bounded queue of accepted samples that are not on disk yet."""

import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from monitor.storage.sample_queue import SampleQueue
from monitor.wearers.pieces import Piece

HELD_S: Final = 600
"""Longest signal of one wearer that waits for a failing or hanging disk, in seconds."""
MAX_HELD: Final = 40_000_000
"""Samples of all wearers that wait, 80 MB: 64 wearers at 1,000 Hz for `HELD_S`."""
MAX_LOST: Final = 1000
"""Streams of which it is remembered what was given up."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Samples of a stream that were judged but given up unwritten.

    Parameters
    ----------
    wearer : str
        Whose.
    stream : int
        The stream's 64-bit id.
    rate_mhz : int
        Its rate in millihertz.
    first, end : int
        Index of the first sample given up and of the one after the last.
    count : int
        Samples given up; fewer than ``end - first`` where some never arrived.
    """

    wearer: str
    stream: int
    rate_mhz: int
    first: int
    end: int
    count: int


class Holding:
    """A queue of pieces for each wearer, filled by the loop and emptied by the disk's thread.

    What the disk's thread is writing is *in hand*, all else waits. If too much waits, the oldest
    is given up and remembered as lost. In hand and waiting, memory is bounded by twice
    `MAX_HELD`, since what is in hand has waited before.

    Attributes
    ----------
    lost : int
        Samples given up so far.
    held : int
        Samples that are not on disk yet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, SampleQueue] = {}
        self._weight = 0
        self._in_hand: dict[str, list[Piece]] = {}
        self._lost: dict[tuple[str, int], Lost] = {}
        self.lost = self.held = 0

    def __contains__(self, wearer: str) -> bool:
        """Tell whether anything of a wearer waits."""
        return wearer in self._waiting

    def without(self, wearers: Iterable[str]) -> set[str]:
        """Return those of some wearers of whom nothing waits."""
        return {*wearers}.difference(self._waiting)

    def put(self, pieces: Iterable[tuple[str, Piece]]) -> bool:
        """Take wearers' pieces, each of which follows all others of its stream.

        Returns
        -------
        bool
            Whether some should be written at once, because a device catches up.
        """
        now, hurries = time.monotonic(), False
        with self._lock:
            waiting = self._waiting
            for wearer, piece in pieces:
                queue = waiting.get(wearer)
                if queue is None:
                    queue = waiting[wearer] = SampleQueue(wearer, now)
                before = queue.weight
                if queue.add(piece, now):
                    hurries = True
                weight = queue.weight
                self._weight += weight - before
                self.held += len(piece.samples)
                if self._weight > MAX_HELD or weight > HELD_S * piece.rate_mhz // 1000:
                    self._give_up(wearer, piece)
        return hurries

    def due(self, most: int) -> list[str]:
        """Return wearers whose samples are to be written by now, those that wait longest first.

        Parameters
        ----------
        most : int
            How many at the most.
        """
        now = time.monotonic()
        with self._lock:
            due = (wearer for wearer, queue in self._waiting.items() if queue.due_at() <= now)
            return list(islice(due, most))

    def due_at(self) -> float | None:
        """Return the monotonic time at which the first are due, in seconds; None if none wait."""
        with self._lock:
            return min((queue.due_at() for queue in self._waiting.values()), default=None)

    def take(self, wearers: Collection[str] | None = None) -> dict[str, list[Piece]]:
        """Take what waits of these wearers, or all, in hand; `keep` and `give_back` come next."""
        with self._lock:
            for wearer in list(self._waiting) if wearers is None else wearers:
                if queue := self._waiting.pop(wearer, None):
                    self._weight -= queue.weight
                    self._in_hand[wearer] = queue.pieces()
            return dict(self._in_hand)

    def keep(self, wearer: str, rest: list[Piece]) -> None:
        """Note that all of a wearer's that is in hand is on disk, but for the rest."""
        with self._lock:
            self.held -= _count(self._in_hand[wearer]) - _count(rest)
            self._in_hand[wearer] = rest

    def give_back(self) -> None:
        """Let what is still in hand wait again, before all that came meanwhile."""
        now = time.monotonic()
        with self._lock:
            for wearer, rest in self._in_hand.items():
                if not rest:
                    continue
                queue, newer = SampleQueue(wearer, now), self._waiting.pop(wearer, None)
                if newer is not None:
                    self._weight -= newer.weight
                self._waiting[wearer] = queue
                for piece in [*rest, *(newer.pieces() if newer else ())]:
                    queue.add(piece, now)
                self._weight += queue.weight
                queue.put_off()  # a disk that fails is tried again a moment later
                self._give_up(wearer, rest[-1])
            self._in_hand.clear()

    def first(self, wearer: str, stream: int) -> int | None:
        """Return the first sample of a stream that is neither on disk nor recorded as lost."""
        with self._lock:
            if (lost := self._lost.get((wearer, stream))) is not None:
                return lost.first
            for piece in self._in_hand.get(wearer, ()):
                if piece.stream == stream:
                    return piece.first
            queue = self._waiting.get(wearer)
            return queue.first(stream) if queue else None

    def take_lost(self) -> list[Lost]:
        """Return what was given up of each stream; `record` comes next."""
        with self._lock:
            return list(self._lost.values())

    def record(self, lost: Iterable[Lost]) -> None:
        """Note that it is recorded what was given up."""
        with self._lock:
            for one in lost:
                key = one.wearer, one.stream
                now = self._lost.pop(key, None)
                if now is not None and now != one:  # more was given up meanwhile
                    self._lost[key] = replace(now, first=one.end, count=now.count - one.count)

    def _give_up(self, wearer: str, newest: Piece) -> None:
        limit, queue = HELD_S * newest.rate_mhz // 1000, self._waiting[wearer]
        while queue.weight > limit and len(queue) > 1:
            self._drop(wearer)
        while self._weight > MAX_HELD:
            self._drop(next(iter(self._waiting)))

    def _drop(self, wearer: str) -> None:
        queue = self._waiting[wearer]
        self._weight -= queue.weight
        piece = queue.drop()
        self._weight += queue.weight
        if not queue:
            del self._waiting[wearer]
        self.lost += len(piece.samples)
        self.held -= len(piece.samples)
        key = wearer, piece.stream
        before = self._lost.pop(key, None)
        self._lost[key] = Lost(
            wearer,
            piece.stream,
            piece.rate_mhz,
            before.first if before else piece.first,
            piece.end,
            len(piece.samples) + (before.count if before else 0),
        )
        if len(self._lost) > MAX_LOST:
            del self._lost[next(iter(self._lost))]


def _count(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.samples) for piece in pieces)
