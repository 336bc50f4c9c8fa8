"""Causal amplitude scale: the unit is the wearer's own recent peak-to-peak amplitude."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Layout, StatefulRows

SECONDS: Final = 60
"""The scale follows the median over this many seconds of usable signal: slow drift passes, a
premature beat or an artefact does not."""
FLOOR_MV: Final = 0.1
"""Smallest scale, so that noise on a quiet lead is not blown up to the size of beats."""


class AmplitudeScale(StatefulRows):
    """Median peak-to-peak amplitude of each wearer's last usable seconds.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("amplitude scale", 2, _recent=ARRAY, _count=ARRAY, _unit=ARRAY)

    def __init__(self, rows: int) -> None:
        self._recent = np.full((rows, SECONDS), np.nan, dtype=np.float32)
        self._count = np.zeros(rows, dtype=np.intp)
        self._unit = np.ones(rows, dtype=np.float32)

    def reset(self, row: int) -> None:
        """Forget a row: the electrode may have changed."""
        self._recent[row] = np.nan
        self._count[row] = 0
        self._unit[row] = 1

    def add(self, rows: NDArray[np.intp], peak_to_peak: NDArray[np.float32]) -> None:
        """Take the amplitude (mV, shape (r,)) of each row's newest usable second."""
        self._recent[rows, self._count[rows] % SECONDS] = peak_to_peak
        self._count[rows] += 1
        count = np.minimum(self._count[rows], SECONDS)
        ordered = np.sort(self._recent[rows], axis=-1)  # NaN, the seconds not yet seen, sort last
        each = np.arange(len(rows))
        median = (ordered[each, (count - 1) // 2] + ordered[each, count // 2]) / np.float32(2)
        self._unit[rows] = np.maximum(median, np.float32(FLOOR_MV))

    def __call__(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the scale of some rows in mV, 1 mV where no usable second has come yet.

        Returns
        -------
        ndarray of float32, shape (r,)
        """
        unit: NDArray[np.float32] = self._unit[rows]
        return unit
