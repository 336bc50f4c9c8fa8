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
    layout = Layout("latest shapes", 2, _shapes=ARRAY)

    def __init__(self, rows: int, length: int) -> None:
        # Zeros take no memory until a row has its first beat; most rows are second leads.
        self._shapes = np.zeros((rows, length, _BEATS), dtype=np.float32)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        if self._shapes[row].any():  # what was never written stays without memory
            self._shapes[row] = 0

    def add(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], shapes: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Take the next beat of some rows and return how each differs from the usual one.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        beats : ndarray of int64, shape (m,)
            How many beats of each were taken before.
        shapes : ndarray of float32, shape (m, length)
            The beats.

        Returns
        -------
        ndarray of float32, shape (m, length)
            Their differences from the median of up to 31 beats before; 0 for the first one.
        """
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
        return different
