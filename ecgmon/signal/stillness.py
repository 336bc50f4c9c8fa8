"""Detection of still lines: so quiet that the lead is off or the heart pauses.

Noise is measured about a straight line in each quarter of a second, so that neither drift nor
breathing counts as noise. An amplifier that is connected to a wearer makes a few counts of it, an
input that is held, or one of a simulator, less than two. What a still line means is not known from
its noise alone: between two beats a line may be as still as it likes. It is lost when it has been
still for longer than the heart lately took from beat to beat.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.state import ARRAY, Indices, Layout, StatefulRows

STEP_MV: Final = 0.005
"""Size of one ADC count in mV where the device does not state it: that of MIT-BIH."""
QUARTER: Final = WINDOW // 4
"""Samples over which noise is measured."""
STILL: Final = 1.5
"""Root mean square in counts below which a quarter of a second is still. An input that toggles
between three counts has 0.8, and noise of two counts, measured in so few samples, at least 1.6."""
LOST: Final = 5 * RATE // 2
"""Samples after which a still line is lost, unless the heart is slower: known within 3 s, and at 20
beats a minute not reached between the T wave and the next P wave."""
SPIKED: Final = 2 * RATE
"""A pacing spike proves for this many samples that the line is connected, however still it is."""
LONGEST: Final = 4 * RATE
"""Samples after which a still line is lost whatever the heart rate was."""

SPIKES: Final = 64
"""Number of spikes remembered for each row: those of at least a second."""

_TIME: Final = np.arange(QUARTER) - (QUARTER - 1) / 2
_TIME_POWER: Final = float(_TIME @ _TIME)


class Stillness(StatefulRows):
    """Since when each wearer's line is still, and from when on it is lost.

    Parameters
    ----------
    rows : int
        Number of wearers.
    longest_rr : callable
        Gives the longest of a row's last RR intervals before a sample, in samples.

    Attributes
    ----------
    since : ndarray of int64, shape (rows,)
        Stream index after the last quarter that was not still, or later by `SPIKED`.
    step : ndarray of float64, shape (rows,)
        Noise of one count in mV.
    """

    layout = Layout(
        "stillness",
        1,
        since=ARRAY,
        step=ARRAY,
        _from=ARRAY,
        _until=ARRAY,
        _spikes=Indices,
        _latest=ARRAY,
    )

    def __init__(self, rows: int, longest_rr: Callable[[int, int], int]) -> None:
        self._longest_rr = longest_rr
        self.since = np.zeros(rows, dtype=np.int64)
        self.step = np.full(rows, STEP_MV)
        self._from = np.full(rows, -1, dtype=np.int64)
        self._until = np.full(rows, -1, dtype=np.int64)
        self._spikes: list[deque[int]] = [deque(maxlen=SPIKES) for _ in range(rows)]
        self._latest = np.full(rows, -1, dtype=np.int64)

    def reset(self, row: int, first: int) -> None:
        """Begin a row anew at stream index ``first``."""
        self.since[row] = first
        self._from[row] = self._until[row] = -1
        self._spikes[row].clear()
        self._latest[row] = -1

    def spikes(self, row: int, found: Sequence[int]) -> None:
        """Note the pacing spikes of a row, before the quarters that they lie in."""
        if len(found):
            self._spikes[row].extend(found)
            self._latest[row] = max(int(self._latest[row]), *found)

    def lost(self, row: int) -> int | None:
        """Return from which stream index on a row is lost, or was in its running second."""
        at = int(self._from[row])
        return None if at < 0 else at

    def are_lost(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        """Tell for each of some rows whether it is lost, or was in its running second."""
        lost: NDArray[np.bool_] = self._from[rows] >= 0
        return lost

    def lost_in(self, rows: NDArray[np.intp], end: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which rows were lost in some part of the second that ended at ``end``."""
        lost: NDArray[np.bool_] = self._until[rows] > end - WINDOW
        return lost

    def may_be_lost(self, rows: NDArray[np.intp], end: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of which rows `lost_in` may come true by ``end``, which they have not reached."""
        may: NDArray[np.bool_] = self.since[rows] <= end - LOST
        return may | self.lost_in(rows, end)

    def end_second(self, rows: NDArray[np.intp]) -> None:
        """Forget what is over at the end of a second."""
        back = rows[self.since[rows] > self._from[rows]]
        self._from[back] = -1

    def advance(
        self,
        rows: NDArray[np.intp],
        before: NDArray[np.int64],
        raw: NDArray[np.float32],
        valid: NDArray[np.bool_],
        end: NDArray[np.int64],
    ) -> None:
        """Take the quarters that some rows have completed.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows.
        before : ndarray of int64, shape (r,)
            Stream index up to which each row was known.
        raw, valid : ndarray, shape (r, n)
            The last quarters, all that are new among them, in mV, and where they were measured.
        end : ndarray of int64, shape (r,)
            Stream index after them.
        """
        x = raw.reshape(len(rows), -1, QUARTER).astype(np.float64)
        x -= x.sum(axis=2, keepdims=True) / QUARTER
        slope = (x * _TIME).sum(axis=2)
        power = (x * x).sum(axis=2) - slope * slope / _TIME_POWER
        still = power < QUARTER * (STILL * self.step[rows, None]) ** 2
        if np.count_nonzero(valid) < valid.size:
            still &= valid.reshape(x.shape).sum(axis=2) * 2 >= QUARTER
        at = end[:, None] + QUARTER * np.arange(1 - x.shape[1], 1)
        new = at > before[:, None]
        since = self.since[rows]
        # In these a spike, or a line that has been still for long, may decide; in hardly any row.
        some = (self._latest[rows] >= at[:, 0] - QUARTER) | (end - since >= LOST)
        self.since[rows] = np.maximum(since, np.where(new & ~still, at, -1).max(axis=1))
        for i in some.nonzero()[0].tolist():
            row = int(rows[i])
            self.since[row] = since[i]
            for stop, is_still in zip(
                at[i, new[i]].tolist(), still[i, new[i]].tolist(), strict=True
            ):
                self._take(row, stop, is_still=is_still)

    def _take(self, row: int, stop: int, *, is_still: bool) -> None:
        """Take the quarter of a row that ends at ``stop``."""
        if not is_still:
            self.since[row] = max(int(self.since[row]), stop)
        if any(stop - QUARTER <= spike < stop for spike in self._spikes[row]):
            self.since[row] = stop + SPIKED
        if is_still and stop - self.since[row] >= LOST:
            self._lose(row, stop)

    def _lose(self, row: int, at: int) -> None:
        since = int(self.since[row])
        if self._from[row] < since:
            if at - since < min(self._longest_rr(row, since), LONGEST):
                return
            self._from[row] = at
        self._until[row] = at
