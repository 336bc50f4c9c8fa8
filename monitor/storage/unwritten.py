"""Bounded queue of accepted samples that are not on disk yet."""

import threading
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from monitor.wearers.pieces import Piece

HELD_S: Final = 600
"""Longest signal of one wearer that waits for a failing or hanging disk, in seconds."""
MAX_HELD: Final = 40_000_000
"""Samples of all wearers that wait, 80 MB: 64 wearers at 1,000 Hz for `HELD_S`."""
CHUNK: Final = 16_384
"""Pieces that follow each other are joined up to as many samples."""
PIECE: Final = 200
"""A piece counts for as many samples more: what Python needs for it."""
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
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Piece]] = {}
        self._weights: dict[str, int] = {}
        self._in_hand: dict[str, list[Piece]] = {}
        self._lost: dict[tuple[str, int], Lost] = {}
        self.lost = 0

    def put(self, wearer: str, piece: Piece) -> None:
        """Take a piece that follows all others of its stream."""
        with self._lock:
            queue = self._waiting.setdefault(wearer, deque())
            before = self._weights.get(wearer, 0)
            if queue and _joins(queue[-1], piece, len(queue[-1].samples)):
                queue[-1] = _joined([queue[-1], piece])
                self._weights[wearer] = before + len(piece.samples)
            else:
                queue.append(piece)
                self._weights[wearer] = before + _weight(piece)
            self._give_up(wearer, round(HELD_S * piece.rate_mhz / 1000))

    def take(self, wearers: Collection[str] | None = None) -> dict[str, list[Piece]]:
        """Take what waits of these wearers, or all, in hand; `keep` and `give_back` come next."""
        with self._lock:
            for wearer in list(self._waiting):
                if wearers is None or wearer in wearers:
                    self._in_hand[wearer] = coalesced(self._waiting.pop(wearer))
                    del self._weights[wearer]
            return dict(self._in_hand)

    def keep(self, wearer: str, rest: list[Piece]) -> None:
        """Note that all of a wearer's that is in hand is on disk, but for the rest."""
        with self._lock:
            self._in_hand[wearer] = rest

    def give_back(self) -> None:
        """Let what is still in hand wait again, before all that came meanwhile."""
        with self._lock:
            for wearer, rest in self._in_hand.items():
                if not rest:
                    continue
                queue = deque(coalesced([*rest, *self._waiting.get(wearer, ())]))
                self._waiting[wearer] = queue
                self._weights[wearer] = sum(map(_weight, queue))
                self._give_up(wearer, round(HELD_S * queue[-1].rate_mhz / 1000))
            self._in_hand.clear()

    @property
    def held(self) -> int:
        """Samples that are not on disk yet."""
        with self._lock:
            queues = [*self._waiting.values(), *self._in_hand.values()]
            return sum(len(piece.samples) for queue in queues for piece in queue)

    def first(self, wearer: str, stream: int) -> int | None:
        """Return the first sample of a stream that is neither on disk nor recorded as lost."""
        with self._lock:
            if (lost := self._lost.get((wearer, stream))) is not None:
                return lost.first
            for queue in (self._in_hand.get(wearer, ()), self._waiting.get(wearer, ())):
                for piece in queue:
                    if piece.stream == stream:
                        return piece.first
        return None

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

    def _give_up(self, wearer: str, limit: int) -> None:
        while self._weights[wearer] > limit and len(self._waiting[wearer]) > 1:
            self._drop(wearer)
        while sum(self._weights.values()) > MAX_HELD:
            self._drop(next(iter(self._waiting)))

    def _drop(self, wearer: str) -> None:
        queue = self._waiting[wearer]
        piece = queue.popleft()
        self._weights[wearer] -= _weight(piece)
        if not queue:
            del self._waiting[wearer], self._weights[wearer]
        self.lost += len(piece.samples)
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


def coalesced(pieces: Iterable[Piece]) -> list[Piece]:
    """Return pieces with those joined that follow each other, up to `CHUNK` samples."""
    groups: list[list[Piece]] = []
    length = 0
    for piece in pieces:
        if groups and _joins(groups[-1][-1], piece, length):
            groups[-1].append(piece)
            length += len(piece.samples)
        else:
            groups.append([piece])
            length = len(piece.samples)
    return [_joined(group) for group in groups]


def _joins(piece: Piece, other: Piece, length: int) -> bool:
    return (
        piece.end == other.first
        and length + len(other.samples) <= CHUNK
        and (piece.stream, piece.rate_mhz, piece.gain, piece.lead)
        == (other.stream, other.rate_mhz, other.gain, other.lead)
    )


def _joined(group: list[Piece]) -> Piece:
    if len(group) == 1:
        return group[0]
    return replace(group[0], samples=np.concatenate([piece.samples for piece in group]))


def _weight(piece: Piece) -> int:
    return len(piece.samples) + PIECE
