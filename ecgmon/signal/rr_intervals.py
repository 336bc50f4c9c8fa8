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


class RRIntervals(StatefulRows):
    """The latest RR intervals of a stack of wearers.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("RR intervals", 2, _at=ARRAY, _beats=ARRAY, _before=ARRAY, _sums=ARRAY)

    def __init__(self, rows: int) -> None:
        # Stream index of the latest beat, and how many there were.
        self._at = np.zeros(rows, dtype=np.int64)
        self._beats = np.zeros(rows, dtype=np.int64)
        # The last interval, and the sums of all up to each of the last beats, in seconds.
        self._before = np.zeros(rows)
        self._sums = np.zeros((rows, AVERAGED + 1))

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._beats[row] = 0
        self._sums[row] = 0

    def add(self, rows: NDArray[np.intp], at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Take the next beat of some rows and return what is known then.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        at : ndarray of int64, shape (m,)
            Stream index of each R peak.

        Returns
        -------
        ndarray of float64, shape (m, `VALUES`)
            The last interval and the one before it over the usual one, less 1, and the usual one
            in seconds, less `ORDINARY_S`; 0 of the first beat.
        """
        beats = self._beats[rows]
        interval = np.minimum((at - self._at[rows]) / RATE, LONGEST_S)
        interval[beats == 0] = 0
        total = self._sums[rows, (beats - 1) % (AVERAGED + 1)] + interval
        self._sums[rows, beats % (AVERAGED + 1)] = total
        oldest = np.where(beats > AVERAGED, (beats + 1) % (AVERAGED + 1), 0)
        usual = (total - self._sums[rows, oldest]) / np.maximum(np.minimum(beats, AVERAGED), 1)
        usual[beats == 0] = 1
        said = np.empty((len(rows), VALUES))
        said[:, 0] = interval / usual - 1
        # The second beat has only one interval before it.
        said[:, 1] = np.where(beats > 1, self._before[rows], interval) / usual - 1
        said[:, 2] = usual - ORDINARY_S
        said[beats == 0] = 0
        self._at[rows], self._beats[rows], self._before[rows] = at, beats + 1, interval
        return said
