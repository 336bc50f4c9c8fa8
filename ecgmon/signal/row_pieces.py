"""The next samples of some rows of a chain side by side, as many of each as there are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW


@dataclass(eq=False, slots=True)
class RowPieces:
    """The next piece of each of some rows, which the filters take in one call.

    Parameters
    ----------
    rows : ndarray of intp, shape (r,)
        Which rows.
    first, stop, next_second : ndarray of int64, shape (r,)
        Stream index of the first sample of each row, the one after the last, and that of the next
        end of a second.
    x : ndarray of float64, shape (r, n)
        The samples in mV; of no meaning from the end of a row on.
    valid : ndarray of bool, shape (r, n)
        Which of them were measured; False from the end of a row on.
    lengths : ndarray of int64, shape (r,), or None
        How many samples each row has, 1 to `WINDOW`, unless all have n.
    """

    rows: NDArray[np.intp]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    next_second: NDArray[np.int64]
    x: NDArray[np.float64]
    valid: NDArray[np.bool_]
    lengths: NDArray[np.int64] | None

    def up_to(self, stop: NDArray[np.int64]) -> "RowPieces":
        """Return what lies before these stream indices, one of each row."""
        n = stop - self.first
        width = int(n.max())
        x, valid = self.x[:, :width], self.valid[:, :width]
        if int(n.min()) == width:
            return RowPieces(self.rows, self.first, stop, self.next_second, x, valid, None)
        measured = valid & (np.arange(width) < n[:, None])
        return RowPieces(self.rows, self.first, stop, self.next_second, x, measured, n)


def side_by_side(
    rows: NDArray[np.intp],
    first: NDArray[np.int64],
    millivolts: NDArray[np.float64] | Sequence[NDArray[np.float64]],
) -> RowPieces:
    """Return the first samples of some rows, at most `WINDOW` of each, the shortest row first.

    Parameters
    ----------
    rows : ndarray of intp, shape (r,)
        Which rows.
    first : ndarray of int64, shape (r,)
        Stream index of the first sample of each.
    millivolts : ndarray of float64, shape (r, n), or sequence of r ndarrays
        The samples, NaN where nothing was measured.
    """
    lengths = None
    if isinstance(millivolts, np.ndarray):
        x = millivolts[:, :WINDOW]
        stop = first + x.shape[1]
    else:
        n = np.array([min(len(samples), WINDOW) for samples in millivolts])
        order = np.argsort(n, kind="stable")
        rows, first, n = rows[order], first[order], n[order]
        stop, shortest, longest = first + n, int(n[0]), int(n[-1])
        x = np.full((len(rows), longest), np.nan)
        for one, i, length in zip(x, order.tolist(), n.tolist(), strict=True):
            one[:length] = millivolts[i][:length]
        lengths = None if shortest == longest else n
    next_second = first + WINDOW - first % WINDOW
    return RowPieces(rows, first, stop, next_second, x, np.isfinite(x), lengths)
