"""Streaming search for local maxima of the QRS energy, for all wearers of a stack in one call."""

from collections import defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import ARRAY, COLUMNS, NESTED, Layout, StatefulRows
from ecgmon.signal.qrs_energy import ENERGY_WINDOW, QrsEnergy, highest
from ecgmon.signal.sample_history import SampleHistory

FLOOR_MV: Final = 0.02
"""Smallest energy peak in mV that can be a beat: above amplifier noise, far below any QRS."""
SHARP_BEFORE: Final = round(0.067 * RATE)
SHARP_AFTER: Final = round(0.078 * RATE)
"""Samples around an energy peak among which the one in `ecgmon.signal.qrs_energy.SHARP_HZ` lies."""
SHARP_KEPT: Final = 300
"""Samples of the power in `SHARP_HZ` that are kept: when a peak is confirmed, those around it and
around the beat up to 360 ms before."""

Peak = tuple[int, float]
"""Its stream index, and its energy in mV."""


class Peaks(StatefulRows):
    """Finds local maxima of the QRS energy.

    A maximum shows only with the sample after it; of equal neighbours the first one counts.

    Parameters
    ----------
    rows : int
        Number of wearers.

    Attributes
    ----------
    start : ndarray of int64, shape (rows,)
        Stream index of each row's first sample since it began anew.
    """

    layout = Layout(
        "QRS peaks", 2, start=ARRAY, _energy=NESTED, _sharp=NESTED, _fresh=ARRAY, _tail=COLUMNS
    )

    def __init__(self, rows: int) -> None:
        self.start = np.zeros(rows, dtype=np.int64)
        self._energy = QrsEnergy(rows)
        self._sharp: SampleHistory[np.float64] = SampleHistory(rows, SHARP_KEPT, np.float64)
        self._fresh = np.ones(rows, dtype=bool)
        self._tail = np.zeros((2, rows))

    def reset(self, row: int) -> None:
        """Begin a row anew with its next sample."""
        self._energy.reset(row)
        self._fresh[row] = True

    def __call__(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        first: NDArray[np.int64],
        n: NDArray[np.int64] | None = None,
    ) -> list[tuple[int, list[Peak]]]:
        """Take the next samples of some rows.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        x : ndarray of float64, shape (r, n), 1 <= n <= `ecgmon.signal.sample_history.ROOM`
            Their next samples in mV, without NaN.
        first : ndarray of int64, shape (r,)
            Stream index of the first of them.
        n : ndarray of int64, shape (r,), optional
            How many there are of each, 1 or more; left out, all of ``x``.

        Returns
        -------
        list of tuple of int and list of Peak
            The rows that have peaks, and these, ascending.
        """
        energy, fresh = self._energy(rows, x, n), self._fresh[rows]
        if np.count_nonzero(fresh):
            began = rows[fresh]
            self._fresh[began] = False
            self._tail[:, began] = np.inf  # nothing before the first sample is a peak
            self._sharp.reset(began, first[fresh])
            self.start[began] = first[fresh]
        self._sharp.append(rows, first, energy.sharp)
        e = np.concatenate([self._tail[:, rows], energy.qrs])
        rises = e[1:] > e[:-1]
        where, which = np.divmod((rises[:-1] > rises[1:]).ravel().nonzero()[0], len(rows))
        value = e[where + 1, which]
        counts = value > FLOOR_MV
        if n is None:
            self._tail[:, rows] = e[-2:]
        else:
            self._tail[:, rows] = e[[n, n + 1], np.arange(len(rows))]
            counts &= where < n[which]
        where, which, value = where[counts], which[counts], value[counts]
        at = first[which] + where - 1
        found: dict[int, list[Peak]] = defaultdict(list)
        for row, *peak in zip(rows[which].tolist(), at.tolist(), value.tolist(), strict=True):
            found[row].append((peak[0], peak[1]))
        return list(found.items())

    def sharpness(self, row: int, at: int) -> float:
        """Return the highest energy in `SHARP_HZ` around a row's peak, while it is kept."""
        first = at - SHARP_BEFORE - ENERGY_WINDOW + 1
        return highest(self._sharp.row(row, first, at + SHARP_AFTER))
