"""Ring of the newest samples of a stack of wearers; a row's samples are contiguous in memory."""

from typing import Final, Generic, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.state import ARRAY, Layout, StatefulRows

ROOM: Final = 2 * WINDOW
"""Free samples of a row behind its history, and the most that one call may append. When they are
used up, the history moves to the beginning of the row."""

_T = TypeVar("_T", bound=np.generic)


class SampleHistory(StatefulRows, Generic[_T]):
    """The last samples of each row, by stream index.

    Rows need not be in step. The samples of a row lie side by side, so that any stretch of them is
    copied at once, which is many times faster than gathering them from a ring.

    Parameters
    ----------
    rows : int
        Number of wearers.
    size : int
        Samples kept of each before the newest ones.
    dtype : dtype
        Type of a sample.
    """

    layout = Layout("history", 1, ("size",), _samples=ARRAY, _origin=ARRAY)

    def __init__(self, rows: int, size: int, dtype: DTypeLike) -> None:
        self.size = size
        self._samples: NDArray[_T] = np.zeros((rows, size + ROOM), dtype=dtype)
        self._origin = np.full(rows, -size, dtype=np.int64)
        self._views: dict[int, NDArray[_T]] = {}

    def reset(self, rows: int | NDArray[np.intp], first: int | NDArray[np.int64]) -> None:
        """Begin some rows anew at stream index ``first``; all samples before it are zero."""
        self._samples[rows] = 0
        self._origin[rows] = first - self.size

    def append(self, rows: NDArray[np.intp], first: NDArray[np.int64], values: NDArray[_T]) -> None:
        """Put samples at stream index ``first``, at most where those before end.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        first : ndarray of int64, shape (r,)
            Stream index of the first sample of each.
        values : ndarray, shape (r, n), n <= `ROOM`
            The samples.
        """
        n = values.shape[1]
        at = first - self._origin[rows]
        full = at > self._samples.shape[1] - n
        if np.count_nonzero(full):
            some, start = rows[full], at[full] - self.size
            self._samples[some, : self.size] = self._stretches(self.size)[some, start]
            self._origin[some] += start
            at[full] = self.size
        self._stretches(n)[rows, at] = values

    def last(self, rows: NDArray[np.intp], end: NDArray[np.int64], n: int) -> NDArray[_T]:
        """Return a copy of the ``n`` samples before stream index ``end`` of each row.

        All of them must be among the `size` samples before the last call to `append`, or newer.
        """
        stretch: NDArray[_T] = self._stretches(n)[rows, end - self._origin[rows] - n]
        return stretch

    def row(self, row: int, start: int, stop: int) -> NDArray[_T]:
        """Return the samples of one row from stream index ``start`` to before ``stop``."""
        origin = int(self._origin[row])
        return self._samples[row, start - origin : stop - origin]

    def _stretches(self, n: int) -> NDArray[_T]:
        """Return a view [row, start] of all stretches of ``n`` samples; made once for each."""
        if n not in self._views:
            self._views[n] = sliding_window_view(self._samples, n, axis=1, writeable=True)
        return self._views[n]
