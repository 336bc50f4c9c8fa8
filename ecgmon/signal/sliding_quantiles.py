"""Quantiles of the latest values of one wearer, kept in order as values come."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from ecgmon.core.state import Layout, Stateful

LONGEST: Final = 1024
"""Most values of a window."""


class SlidingQuantiles(Stateful):
    """The latest values, at most ``window`` of them.

    Parameters
    ----------
    window : int
        How many count, 1 to `LONGEST`.
    """

    __slots__ = ("_latest", "_ordered", "window")
    layout = Layout(
        "sliding quantiles",
        1,
        given=("window",),
        _latest=Annotated[list[float], msgspec.Meta(max_length=LONGEST)],
    )

    def __init__(self, window: int) -> None:
        self.window = window
        self._latest: deque[float] = deque(maxlen=window)
        self._ordered: list[float] = []

    def add(self, value: float) -> None:
        """Take the next value; the oldest one leaves a full window."""
        latest, ordered = self._latest, self._ordered
        if len(latest) == self.window:
            del ordered[bisect_left(ordered, latest[0])]
        latest.append(value)
        insort(ordered, value)

    def quantiles(self, shares: Iterable[float]) -> list[float]:
        """Return the values that shares of the window are not above, 0 to 1; of none they are 0.

        Between two values they are interpolated linearly.
        """
        ordered, last, found = self._ordered, len(self._ordered) - 1, []
        for share in shares:
            low = int(place := share * last)
            lower = ordered[low] if ordered else 0.0
            upper = ordered[low + 1] if low < last else lower
            found.append(lower + (place - low) * (upper - lower))
        return found

    @property
    def median(self) -> float:
        """The middle value, or the mean of the two in the middle."""
        ordered = self._ordered
        if not ordered:
            return 0.0
        lower = ordered[(len(ordered) - 1) // 2]
        return lower + 0.5 * (ordered[len(ordered) // 2] - lower)

    def restore(self, data: bytes) -> None:
        """Go on from a state; see `Stateful.restore`."""
        super().restore(data)
        self._ordered = sorted(self._latest)
