"""Input of models of atrial rhythms: the last beats of each row, with their intervals.

In atrial fibrillation the intervals between beats are uneven in no pattern, and no P wave comes
before a beat. Of each beat its neighbourhood is kept, from before the P wave to after the QRS
complex.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.state import ARRAY, Layout, StatefulRows
from ecgmon.signal import beat_kin
from ecgmon.signal.sample_history import SampleHistory

BEATS: Final = 32
"""Beats that a model sees at most."""
FEWEST: Final = 8
"""Beats from which on a model may be asked."""
LATEST_S: Final = 60
"""Beats from longer ago than this are not seen."""
EVERY_S: Final = 5
"""Seconds from one input to the next."""
STEP: Final = 3
"""Samples at `RATE` to one of an input: 120 Hz."""
BEFORE, AFTER = 30, 10
"""Samples of an input before the R peak and from it on: 250 and 83 ms."""
SEGMENT: Final = BEFORE + AFTER
"""Samples of each beat's neighbourhood."""
FACTS: Final = 4
"""Numbers that follow a neighbourhood: logarithm of the RR interval before the beat over the median
of those seen, the interval less `ORDINARY_S`, 1 in a second of signal, and 1 for a beat at all."""
ORDINARY_S: Final = 0.8
SHORTEST_S, LONGEST_S = 0.2, 3.0
"""Intervals are taken as no shorter and no longer than this."""
ATRIAL_SHAPE: Final = (BEATS, SEGMENT + FACTS)
"""Shape of an input; the newest beat comes last, and zeros come before the first."""


class AtrialBeats(StatefulRows):
    """The last beats of each row.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("atrial beats", 1, _at=ARRAY, _segments=ARRAY, _signal=ARRAY, _count=ARRAY)

    def __init__(self, rows: int) -> None:
        self._at = np.zeros((rows, BEATS), dtype=np.int64)
        self._segments = np.zeros((rows, BEATS, SEGMENT), dtype=np.float32)
        self._signal = np.zeros((rows, BEATS), dtype=bool)
        self._count = np.zeros(rows, dtype=np.int64)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._count[row] = 0

    def add(
        self,
        rows: NDArray[np.intp],
        order: NDArray[np.int64],
        beats: NDArray[np.int64],
        filtered: SampleHistory[np.float32],
        scale: NDArray[np.float32],
        is_signal: NDArray[np.bool_],
    ) -> None:
        """Take the beats confirmed in the last second of some rows.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Whose each is; those of a row stand in the order of time.
        order : ndarray of int64, shape (m,)
            How many of them came before it in its row.
        beats : ndarray of int64, shape (m,)
            Their stream indices.
        filtered : SampleHistory
            The band-passed samples in mV, of all rows.
        scale : ndarray of float32, shape (m,)
            The wearer's unit in mV.
        is_signal : ndarray of bool, shape (m,)
            Whether the second is neither noisy nor absent.
        """
        number = self._count[rows] + order
        end = beats // STEP * STEP + STEP * AFTER
        samples = filtered.last(rows, end, STEP * SEGMENT)[:, ::STEP]
        at = number % BEATS
        self._at[rows, at] = beats
        self._segments[rows, at] = samples / scale[:, None]
        self._signal[rows, at] = is_signal
        self._count[rows] = number + 1  # the last one of a row stands last

    def kin(self, rows: NDArray[np.intp], back: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many of the beats before it some beats look like (`ecgmon.signal.beat_kin`).

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Whose each is.
        back : ndarray of int64, shape (m,)
            How many beats of its row came after it.
        """
        at = self._count[rows] - 1 - back
        before = at[:, None] - np.arange(1, beat_kin.BEFORE + 1)
        segments = self._segments[rows[:, None], before % BEATS]
        return beat_kin.kin(segments, self._segments[rows, at % BEATS], before >= 0)

    def inputs(
        self, rows: NDArray[np.intp], end: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return what a model sees of some rows before stream index ``end``.

        Returns
        -------
        inputs : ndarray of float32, shape (r, *ATRIAL_SHAPE)
            The inputs.
        settled : ndarray of bool, shape (r,)
            Whether a model may be asked.
        """
        number = self._count[rows, None] + np.arange(-BEATS, 0)
        slots = rows[:, None], number % BEATS
        at = self._at[slots]
        seen = (number >= 0) & (at >= end[:, None] - LATEST_S * RATE)
        settled = seen.sum(axis=1) >= FEWEST
        seen &= settled[:, None]
        rr = np.clip(np.diff(at, axis=1) / RATE, SHORTEST_S, LONGEST_S)
        usual = _medians(rr, seen[:, :-1])
        facts = np.stack([np.log(rr / usual[:, None]), rr - ORDINARY_S], axis=2)
        inputs = np.zeros((len(rows), *ATRIAL_SHAPE), dtype=np.float32)
        inputs[seen, :SEGMENT] = self._segments[slots][seen]
        inputs[:, 1:, SEGMENT : SEGMENT + 2] = np.where(seen[:, :-1, None], facts, 0)
        inputs[..., SEGMENT + 2] = self._signal[slots] & seen
        inputs[..., SEGMENT + 3] = seen
        return inputs, settled


def _medians(x: NDArray[np.float64], counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the median of what counts in each row, 1 where nothing does."""
    ordered = np.sort(np.where(counts, x, np.inf), axis=1)
    n, each = counts.sum(axis=1), np.arange(len(x))
    median = (ordered[each, np.maximum(n - 1, 0) // 2] + ordered[each, n // 2]) / 2
    return np.where(n > 0, median, 1.0)


def is_due(end: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell at which ends of seconds an input is cut."""
    due: NDArray[np.bool_] = end // WINDOW % EVERY_S == 0
    return due
