"""The usual shape of a wearer's latest beats, from which a beat may differ."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Layout, StatefulRows

_BEATS: Final = 31
"""Beats whose median is the usual one."""


class LatestShapes(StatefulRows):
    """The latest beats of a stack of wearers.

    Parameters
    ----------
    rows : int
        Number of wearers.
    length : int
        Samples of a beat.
    """

    # The beats lie last, side by side, for they are put in order at each sample.
    layout = Layout("latest shapes", 2, _shapes=ARRAY, _beats=ARRAY)

    def __init__(self, rows: int, length: int) -> None:
        # Zeros take no memory until a row has its first beat; most rows are second leads.
        self._shapes = np.zeros((rows, length, _BEATS), dtype=np.float32)
        self._beats = np.zeros(rows, dtype=np.int64)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._beats[row] = 0

    def add(self, rows: NDArray[np.intp], shapes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next beat of some rows and return how each differs from the usual one.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        shapes : ndarray of float32, shape (m, length)
            The beats.

        Returns
        -------
        ndarray of float32, shape (m, length)
            Their differences from the median of up to 31 beats before; 0 for the first one.
        """
        beats = self._beats[rows]
        none = beats == 0
        if np.count_nonzero(none):
            self._shapes[rows[none]] = np.inf  # where a beat is missing, behind all others
        known = np.minimum(beats, _BEATS)
        ordered = self._shapes[rows]
        ordered.sort(axis=2)
        each = np.arange(len(rows))
        lower, upper = ordered[each, :, (known - 1) // 2], ordered[each, :, known // 2]
        different = shapes - (lower + upper) / np.float32(2)
        different[none] = 0
        self._shapes[rows, :, beats % _BEATS] = shapes
        self._beats[rows] = beats + 1
        return different
