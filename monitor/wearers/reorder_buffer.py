"""Pieces of a stream that arrived before the samples in front of them."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

from ecgmon.core.state import MAX_ITEMS, Index, Layout, Stateful
from monitor.wearers.pieces import Piece

MAX_WAIT_S: Final = 1.0
"""Longest wait of a piece for the samples before it, in seconds; then they are missing."""
MAX_WAITING_S: Final = 2.0
"""Most signal that waits, in seconds."""
MAX_WAITING: Final = 64
"""Most pieces that wait."""
MAX_HOLE_S: Final = 10.0
"""Longest hole that a piece waits for, in seconds: no device has more on its way, so that what is
missing of a longer one was lost."""


@dataclass(eq=False, slots=True)
class ReorderBuffer(Stateful):
    """Pieces that wait, in the order of their samples; no two of them overlap.

    Parameters
    ----------
    rate_mhz : int
        Sampling rate of the stream in millihertz.
    """

    layout = Layout(
        "reorder buffer",
        1,
        ("rate_mhz",),
        _waiting=Annotated[list[tuple[Index, float, Piece]], msgspec.Meta(max_length=MAX_ITEMS)],
    )

    rate_mhz: int
    _waiting: list[tuple[int, float, Piece]] = field(default_factory=list, init=False)
    """Index of the first sample, monotonic time of arrival, and piece."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> int | None:
        """Index of the first sample that waits, None if none does."""
        return self._waiting[0][0] if self._waiting else None

    @property
    def end(self) -> int | None:
        """Index of the sample after all that wait, None if none does."""
        return self._waiting[-1][2].end if self._waiting else None

    def add(self, piece: Piece, arrival: float) -> None:
        """Let a piece wait that arrived at this monotonic time."""
        insort(self._waiting, (piece.first, arrival, piece))

    def pop_contiguous(self, start: int) -> Iterator[Piece]:
        """Remove and yield the pieces that follow ``start`` without a hole."""
        while self._waiting and self._waiting[0][0] == start:
            piece = self._waiting.pop(0)[2]
            start = piece.end
            yield piece

    def holes(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges within ``start`` to ``stop`` of which no sample waits."""
        for first, _, piece in self._waiting:
            if start < min(first, stop):
                yield start, min(first, stop)
            start = max(start, piece.end)
        if start < stop:
            yield start, stop

    def is_full(self, start: int) -> bool:
        """Tell whether too much waits, or for too long a hole after index ``start``."""
        if not self._waiting:
            return False
        samples = sum(len(piece.samples) for _, _, piece in self._waiting)
        return (
            len(self._waiting) > MAX_WAITING
            or samples * 1000 > MAX_WAITING_S * self.rate_mhz
            or (self._waiting[0][0] - start) * 1000 > MAX_HOLE_S * self.rate_mhz
        )

    def is_overdue(self, now: float) -> bool:
        """Tell whether a piece has waited for `MAX_WAIT_S` by a monotonic time."""
        return any(arrival <= now - MAX_WAIT_S for _, arrival, _ in self._waiting)

    def shift(self, seconds: float) -> None:
        """Count times of arrival by a monotonic clock that is ahead by so many seconds."""
        self._waiting = [
            (first, arrival + seconds, piece) for first, arrival, piece in self._waiting
        ]
