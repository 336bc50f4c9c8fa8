"""RR context of a beat: how early it is, against its wearer's rhythm of seconds and of minutes.

A premature beat is early against the beats around; an irregular rhythm, as atrial fibrillation, is
uneven throughout. Therefore a beat's interval is compared with quantiles of four windows, and the
unevenness of the latest intervals stands beside it. Intervals count as logarithms: what is half as
long is as far from the usual one as what is twice as long.
"""

from math import log
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import ARRAY, Layout, StatefulRows
from ecgmon.signal.row_medians import row_medians

WINDOWS: Final = (8, 32, 128, 1024)
"""Intervals of the four windows: seconds, half a minute, two minutes, a quarter of an hour."""
SHORTEST: Final = round(0.15 * RATE)
LONGEST: Final = 3 * RATE
"""Bounds of an interval in samples; beyond them it says no more than that it is short, or long."""
ORDINARY: Final = round(0.8 * RATE)
"""An ordinary interval in samples, and what counts as the one before the first beat."""
BEFORE: Final = 6
"""Intervals before the last one that are given one by one."""
EARLY: Final = 0.15
"""A beat is early if its interval is shorter than another one by 14 %, as a logarithm."""
EVEN: Final = 0.04
UNEVEN: Final = 0.12
"""Differences of neighbouring intervals below and above which a rhythm is even or not."""
_SHARES: Final = (0.1, 0.25, 0.75, 0.9)
_UNSTEADY: Final = 32
"""Intervals whose turning points and evenness are counted."""
_COUNTED: Final = np.array([64, 64, _UNSTEADY, 64, _UNSTEADY - 1])
"""Beats of which are counted: early ones, those early against the ninth decile, even and uneven
changes, turning points."""
VALUES: Final = len(WINDOWS) + 1 + len(_SHARES) + 2 + 4 + BEFORE + 3
"""Numbers that describe a beat's rhythm."""

_LOGS: Final = np.array(
    [-np.inf, *(log(interval / RATE) for interval in range(1, LONGEST + 1)), np.inf]
)
"""The logarithm of the seconds of each number of samples; of 0 and of one above `LONGEST`, which
stand in the windows for what is not known yet, they are infinite."""
_ORDINARY_LOG: Final = float(_LOGS[ORDINARY])
_SIZES: Final = np.array(WINDOWS)
_STARTS: Final = np.cumsum(_SIZES) - _SIZES
"""Where each window begins in a row."""
_ASKED: Final = np.array([0, 1, 2, 3, *[2] * len(_SHARES)])
_OF_ASKED: Final = np.array([*[0.5] * len(WINDOWS), *_SHARES])
"""Windows that quantiles are asked of, and which: the medians, then those of two minutes."""
_MASKS: Final = (np.uint64(2**64 - 1) >> (64 - _COUNTED).astype(np.uint64)).astype(np.uint64)
"""The bits of the beats that are counted."""


class Rhythm(NamedTuple):
    """What the intervals of some wearers say of a beat of each.

    Parameters
    ----------
    described : ndarray of float64, shape (m, `VALUES`)
        The interval over the median of each window. The usual interval over `ORDINARY`. The deciles
        1 and 9 and the quartiles of two minutes, over the usual one. The interval over both
        deciles. Five times the median change from interval to interval; the shares of beats that
        are early against the usual one and against the ninth decile; how much of two minutes is
        known. The `BEFORE` intervals before over the usual one, 0 where there is none. The shares
        of even changes, of uneven ones, and of turning points. "Over" is a difference of
        logarithms.
    last, usual : ndarray of float64, shape (m,)
        The interval and the median of the latest 32, as logarithms of seconds.
    """

    described: NDArray[np.float64]
    last: NDArray[np.float64]
    usual: NDArray[np.float64]


class RRContext(StatefulRows):
    """The intervals of a stack of wearers, and what they say of the latest beats.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout(
        "RR context",
        3,
        _at=ARRAY,
        _beats=ARRAY,
        _last=ARRAY,
        _change=ARRAY,
        _windows=ARRAY,
        _changes=ARRAY,
        _flags=ARRAY,
    )

    def __init__(self, rows: int) -> None:
        # Stream index of the latest beat, and how many there were.
        self._at = np.zeros(rows, dtype=np.int64)
        self._beats = np.zeros(rows, dtype=np.int64)
        # The last interval as a logarithm, and its difference from the one before.
        self._last = np.zeros(rows)
        self._change = np.zeros(rows)
        # What is not known counts as longest and as shortest in turns: the middle stays there.
        self._windows = np.zeros((rows, int(_SIZES.sum())), dtype=np.int16)
        self._changes = np.zeros((rows, _UNSTEADY))
        # Of each beat that is counted a bit, the latest one the lowest.
        self._flags = np.zeros((rows, len(_COUNTED)), dtype=np.int64)
        for row in range(rows):
            self.reset(row)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._beats[row] = self._flags[row] = 0
        self._last[row] = self._change[row] = 0
        self._windows[row, 0::2], self._windows[row, 1::2] = 0, LONGEST + 1
        self._changes[row] = np.inf

    def add(self, rows: NDArray[np.intp], at: NDArray[np.int64]) -> Rhythm:
        """Take the next beat of some rows and describe its rhythm.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        at : ndarray of int64, shape (m,)
            Stream index of each R peak.
        """
        beats = self._beats[rows]
        first = beats == 0
        interval = np.minimum(np.maximum(at - self._at[rows], SHORTEST), LONGEST)
        interval[first] = ORDINARY
        last = _LOGS[interval]
        change = last - self._last[rows]
        change[first] = 0
        size = np.abs(change)
        quantiles = self._quantiles(rows, beats, interval)
        usual, shares = quantiles[:, 1], quantiles[:, len(WINDOWS) :]
        flags = np.empty((len(rows), len(_COUNTED)), dtype=bool)
        flags[:, 0] = last - usual < -EARLY
        flags[:, 1] = last - shares[:, -1] < -EARLY
        flags[:, 2] = (size < EVEN) & ~first
        flags[:, 3] = size > UNEVEN
        flags[:, 4] = change * self._change[rows] < 0
        counted = self._counted(rows, beats, flags)
        self._changes[rows, beats % _UNSTEADY] = size
        described = np.empty((len(rows), VALUES))
        described[:, :4] = last[:, None] - quantiles[:, :4]
        described[:, 4] = usual - _ORDINARY_LOG
        described[:, 5:9] = shares - usual[:, None]
        described[:, 9] = last - shares[:, 0]
        described[:, 10] = last - shares[:, -1]
        described[:, 11] = 5 * row_medians(self._changes[rows], beats + 1)
        described[:, 12:14] = counted[:, :2]
        described[:, 14] = np.minimum(beats, WINDOWS[2]) / WINDOWS[2]
        described[:, 15:21] = self._before(rows, beats, usual)
        described[:, 21:] = counted[:, 2:]
        self._at[rows], self._beats[rows] = at, beats + 1
        self._last[rows], self._change[rows] = last, change
        return Rhythm(described, last, usual)

    def _quantiles(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], interval: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Take the next intervals; return the quantiles `_OF_ASKED`, shape (m, 8).

        Between two values they are interpolated linearly.
        """
        self._windows[rows[:, None], _STARTS + beats[:, None] % _SIZES] = interval[:, None]
        ordered = self._windows[rows]
        for start, size in zip(_STARTS[:-1].tolist(), WINDOWS, strict=False):
            ordered[:, start : start + size].sort(axis=1)
        middle = WINDOWS[-1] // 2  # only the median is asked of the longest one
        ordered[:, _STARTS[-1] :].partition((middle - 1, middle), axis=1)
        known = np.minimum(beats[:, None] + 1, _SIZES)
        begin = (_STARTS + (_SIZES - known) // 2)[:, _ASKED]
        most = known[:, _ASKED] - 1
        place = _OF_ASKED * most
        low = place.astype(np.int64)
        each = np.arange(len(rows))[:, None]
        lower = _LOGS[ordered[each, begin + low]]
        upper = _LOGS[ordered[each, begin + np.minimum(low + 1, most)]]
        quantiles: NDArray[np.float64] = lower + (place - low) * (upper - lower)
        return quantiles

    def _counted(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], new: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Take what is counted of the next beats, shape (m, 5); return the shares of the latest.

        Changes are known from the second beat on; until then they are even.
        """
        flags = ((self._flags[rows].view(np.uint64) << np.uint64(1)) | new) & _MASKS
        self._flags[rows] = flags.view(np.int64)
        known = np.minimum(beats[:, None] + [1, 1, 0, 0, 0], np.maximum(_COUNTED, _UNSTEADY))
        shares: NDArray[np.float64] = np.bitwise_count(flags) / np.maximum(known, 1)
        shares[beats == 0, 2] = 1
        return shares

    def _before(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], usual: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the intervals before the last one over the usual ones, shape (m, `BEFORE`)."""
        number = beats[:, None] - np.arange(1, BEFORE + 1)
        before: NDArray[np.float64] = _LOGS[self._windows[rows[:, None], number % WINDOWS[0]]] - usual[:, None]
        before[number < 0] = 0
        return before
