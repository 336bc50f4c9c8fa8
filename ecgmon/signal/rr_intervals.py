"""What a model of single beats is told of the RR intervals of a stack of wearers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import ARRAY, Layout, StatefulRows

AVERAGED: Final = 8
"""RR intervals whose mean is the usual one."""
LONGEST_S: Final = 2.0
"""Seconds above which an interval says no more than that it is long."""
ORDINARY_S: Final = 0.8
"""Seconds of an interval that is not known yet."""

VALUES: Final = 3
"""Numbers that `RRIntervals` says of a beat."""
_LESS: Final = np.array([1, 1, ORDINARY_S])
"""What is subtracted from each."""


class RRIntervals(StatefulRows):
    """The latest RR intervals of a stack of wearers.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("RR intervals", 2, _before=ARRAY, _sums=ARRAY)

    def __init__(self, rows: int) -> None:
        # The last interval, and the sums of all up to each of the last beats, in seconds.
        self._before = np.zeros(rows)
        self._sums = np.zeros((rows, AVERAGED + 1))

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._sums[row] = 0

    def add(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], since: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Take the next beat of some rows and return what is known then.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        beats : ndarray of int64, shape (m,)
            How many beats of each were taken before.
        since : ndarray of int64, shape (m,)
            Samples since the beat before; of no meaning where there was none.

        Returns
        -------
        ndarray of float64, shape (m, `VALUES`)
            The last interval and the one before it over the usual one, less 1, and the usual one
            in seconds, less `ORDINARY_S`; 0 of the first beat.
        """
        first = (beats == 0).nonzero()[0]
        interval = np.minimum(since / RATE, LONGEST_S)
        interval[first] = 0
        total = self._sums[rows, (beats - 1) % (AVERAGED + 1)] + interval
        self._sums[rows, beats % (AVERAGED + 1)] = total
        oldest = np.where(beats > AVERAGED, (beats + 1) % (AVERAGED + 1), 0)
        usual = (total - self._sums[rows, oldest]) / np.maximum(np.minimum(beats, AVERAGED), 1)
        usual[first] = 1
        said = np.empty((len(rows), VALUES))
        said[:, 0] = interval
        # The second beat has only one interval before it.
        said[:, 1] = np.where(beats > 1, self._before[rows], interval)
        said[:, :2] /= usual[:, None]
        said[:, 2] = usual
        said -= _LESS
        said[first] = 0
        self._before[rows] = interval
        return said
