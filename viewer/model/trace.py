"""The newest seconds of one lead, by stream time, and the scale on which to draw them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.terminal.paper import STEPS_MV, step_over

SIZE: Final = 30 * RATE


class TraceBuffer:
    """The last 30 s of samples, in millivolts; NaN where a sample is not known.

    Attributes
    ----------
    end : int
        Index that follows the newest sample written.
    """

    def __init__(self) -> None:
        self.end = 0
        self._ring = np.full(SIZE, np.nan, np.float32)

    def write(self, first: int, microvolts: NDArray[np.int16]) -> None:
        """Put samples at their place in the stream; what has left the ring is forgotten."""
        stop = first + len(microvolts)
        if stop > self.end:
            skipped = min(max(first - self.end, 0), SIZE)
            self._ring[_slots(first - skipped, skipped)] = np.nan
            self.end = stop
        late = max(self.end - SIZE - first, 0)
        recent = microvolts[late:]
        values = np.where(recent == NO_VALUE, np.float32(np.nan), recent * np.float32(1e-3))
        self._ring[_slots(first + late, len(recent))] = values

    def read(self, first: int, count: int) -> NDArray[np.float32]:
        """Return ``count`` samples from index ``first`` on, which may lie outside the ring."""
        values = self._ring[_slots(first, count)]
        values[: max(self.end - SIZE - first, 0)] = np.nan
        values[max(self.end - first, 0) :] = np.nan
        return values

    def extent(self, first: int, count: int) -> tuple[float, float]:
        """Return the lowest and the highest known value of a stretch; NaN when there is none."""
        values = self.read(first, count)
        return float(np.fmin.reduce(values)), float(np.fmax.reduce(values))


class Scale:
    """The range of millivolts to draw: in steps, growing at once and shrinking late.

    Attributes
    ----------
    low, high : float
        Bottom and top of the drawing, with 0 mV between them, at least 1 mV apart.
    """

    def __init__(self) -> None:
        self.low = -STEPS_MV[0]
        self.high = STEPS_MV[0]

    def fit(self, low: float, high: float) -> None:
        """Make room for values from ``low`` to ``high``; NaN changes nothing."""
        self.low = -_step(-self.low, -low)
        self.high = _step(self.high, high)


def _step(current: float, needed: float) -> float:
    if needed != needed:
        return current
    grown = step_over(needed)
    # A smaller step must fit with room to spare, or the picture would flicker between two.
    return grown if grown > current else min(current, step_over(1.15 * needed))


def _slots(first: int, count: int) -> NDArray[np.int64]:
    return np.arange(first, first + count) % SIZE
