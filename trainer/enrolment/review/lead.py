"""The signal under review: its samples, its beats and the scale to draw it on."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.terminal.paper import VoltageSpan, step_over

_ROOM: Final = 1.15


class Lead:
    """One recorded lead.

    Parameters
    ----------
    millivolts : ndarray of float32, shape (n,)
        The filtered signal at `ecgmon.core.constants.RATE`; NaN where nothing was measured.
    beats : ndarray of int64, shape (m,)
        Sample index of each beat, strictly ascending.
    """

    def __init__(self, millivolts: NDArray[np.float32], beats: NDArray[np.int64]) -> None:
        self.beats = beats
        self._millivolts = millivolts
        seconds = millivolts[: len(millivolts) // RATE * RATE].reshape(-1, RATE)
        self._low = _median(np.fmin.reduce(seconds, axis=1))
        self._high = _median(np.fmax.reduce(seconds, axis=1))

    def read(self, first: int, count: int) -> NDArray[np.float32]:
        """Return samples from index ``first`` on, NaN outside the record."""
        values = np.full(count, np.nan, np.float32)
        start, stop = max(first, 0), min(first + count, len(self._millivolts))
        if start < stop:
            values[start - first : stop - first] = self._millivolts[start:stop]
        return values

    def span(self, values: NDArray[np.float32]) -> VoltageSpan:
        """Return the scale for some samples: the record's own unless they need a larger one.

        Beats are compared from question to question, so the scale follows single ones only where
        they would be cut.
        """
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
        return VoltageSpan(
            -max(step_over(-_ROOM * self._low), step_over(-low)),
            max(step_over(_ROOM * self._high), step_over(high)),
        )

    def nearest(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which beat is the nearest to each sample, as indices into ``beats``."""
        return np.searchsorted((self.beats[1:] + self.beats[:-1]) // 2, samples)

    def rr_ms(self, beat: int) -> int | None:
        """Return the interval from the beat before to a beat in ms; None for the first one."""
        if not 0 < beat < len(self.beats):
            return None
        return round(1000 * int(self.beats[beat] - self.beats[beat - 1]) / RATE)


def _median(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0
