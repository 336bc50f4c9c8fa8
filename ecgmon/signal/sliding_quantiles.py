"""Quantiles of the latest values of one wearer, kept in order as values come."""

from bisect import bisect_left, insort
from collections import deque
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
        if len(self._latest) == self.window:
            del self._ordered[bisect_left(self._ordered, self._latest[0])]
        self._latest.append(value)
        insort(self._ordered, value)

    def quantile(self, share: float) -> float:
        """Return the value that a share of the window is not above, 0 to 1; of none it is 0.

        Between two values it is interpolated linearly.
        """
        if not self._ordered:
            return 0.0
        place = share * (len(self._ordered) - 1)
        low = int(place)
        high = min(low + 1, len(self._ordered) - 1)
        return self._ordered[low] + (place - low) * (self._ordered[high] - self._ordered[low])

    @property
    def median(self) -> float:
        """The middle value, or the mean of the two in the middle."""
        return self.quantile(0.5)

    def restore(self, data: bytes) -> None:
        """Go on from a state; see `Stateful.restore`."""
        super().restore(data)
        self._ordered = sorted(self._latest)
