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
_BACK: Final = np.arange(1, BEFORE + 1)
_MASKS: Final = np.uint64(2**64 - 1) >> (64 - _COUNTED).astype(np.uint64)
"""The bits of the beats that are counted."""
_KNOWN: Final = np.array(
    [
        [min(beats + 1, 64), min(beats + 1, 64), *np.clip(beats, 1, [_UNSTEADY, 64, _UNSTEADY])]
        for beats in range(65)
    ],
    dtype=np.float64,
)
"""Of how many they are counted, by the beats before; changes are known from the second beat on."""


def _places() -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return where quantiles lie in the windows of a row, by how many intervals are known.

    Returns
    -------
    tuple of ndarray of intp, shape (n, 2, 8), and ndarray of float64, shape (n, 8)
        The values below and above, and the share of their difference: of the medians, then of the
        quantiles of two minutes.
    """
    asked = np.array([0, 1, 2, 3, *[2] * len(_SHARES)])
    known = np.minimum(np.arange(WINDOWS[-1] + 1)[:, None], _SIZES)
    begin, most = (_STARTS + (_SIZES - known) // 2)[:, asked], np.maximum(known - 1, 0)[:, asked]
    place = np.array([*[0.5] * len(WINDOWS), *_SHARES]) * most
    low = place.astype(np.intp)
    return np.stack([begin + low, begin + np.minimum(low + 1, most)], axis=1), place - low


_PLACES, _BETWEEN = _places()


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

    layout = Layout("RR context", 3, _latest=ARRAY, _windows=ARRAY, _changes=ARRAY, _flags=ARRAY)

    def __init__(self, rows: int) -> None:
        # The last interval as a logarithm, and its difference from the one before.
        self._latest = np.zeros((rows, 2))
        # What is not known counts as longest and as shortest in turns: the middle stays there.
        self._windows = np.zeros((rows, sum(WINDOWS)), dtype=np.int16)
        self._changes = np.zeros((rows, _UNSTEADY))
        # Of each beat that is counted a bit, the latest one the lowest.
        self._flags = np.zeros((rows, len(_COUNTED)), dtype=np.int64)
        for row in range(rows):
            self.reset(row)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._latest[row] = self._flags[row] = 0
        self._windows[row, 0::2], self._windows[row, 1::2] = 0, LONGEST + 1
        self._changes[row] = np.inf

    def add(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], since: NDArray[np.int64]
    ) -> Rhythm:
        """Take the next beat of some rows and describe its rhythm.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        beats : ndarray of int64, shape (m,)
            How many beats of each were taken before.
        since : ndarray of int64, shape (m,)
            Samples since the beat before; of no meaning where there was none.
        """
        first = (beats == 0).nonzero()[0]
        interval = np.minimum(np.maximum(since, SHORTEST), LONGEST)
        interval[first] = ORDINARY
        last, before = _LOGS.take(interval), self._latest[rows]
        change = last - before[:, 0]
        change[first] = 0
        size = np.abs(change)
        quantiles = self._quantiles(rows, beats, interval)
        usual, shares = quantiles[:, 1], quantiles[:, len(WINDOWS) :]
        described = np.empty((len(rows), VALUES))
        np.subtract(last[:, None], quantiles[:, :4], out=described[:, :4])
        described[:, 4] = usual - _ORDINARY_LOG
        np.subtract(shares, usual[:, None], out=described[:, 5:9])
        np.subtract(last[:, None], shares[:, ::3], out=described[:, 9:11])
        self._changes[rows, beats % _UNSTEADY] = size
        described[:, 11] = 5 * row_medians(self._changes[rows], beats + 1)
        flags = np.empty((len(rows), len(_COUNTED)), dtype=bool)
        np.less(described[:, 1:11:9], -EARLY, out=flags[:, :2])
        np.less(size, EVEN, out=flags[:, 2])
        np.greater(size, UNEVEN, out=flags[:, 3])
        np.less(change * before[:, 1], 0, out=flags[:, 4])
        flags[first, 2] = False  # nothing has changed yet
        counted = self._counted(rows, beats, flags)
        counted[first, 2] = 1
        described[:, 12:14] = counted[:, :2]
        described[:, 14] = np.minimum(beats, WINDOWS[2]) / WINDOWS[2]
        described[:, 15:21] = self._before(rows, beats, usual)
        described[:, 21:] = counted[:, 2:]
        self._latest[rows] = np.stack([last, change], axis=1)
        return Rhythm(described, last, usual)

    def _quantiles(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], interval: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Take the next intervals; return quantiles as `_places` has them, shape (m, 8).

        Between two values they are interpolated linearly.
        """
        self._windows[rows[:, None], _STARTS + beats[:, None] % _SIZES] = interval[:, None]
        ordered = self._windows[rows]
        for window, size in enumerate(WINDOWS[:-1]):
            start = sum(WINDOWS[:window])
            ordered[:, start : start + size].sort(axis=1)
        middle = WINDOWS[-1] // 2  # only the median is asked of the longest one
        ordered[:, -WINDOWS[-1] :].partition((middle - 1, middle), axis=1)
        known = np.minimum(beats + 1, WINDOWS[-1])
        each = np.arange(len(rows))[:, None, None]
        around = _LOGS.take(ordered[each, _PLACES[known]])
        lower = around[:, 0]
        quantiles: NDArray[np.float64] = lower + _BETWEEN[known] * (around[:, 1] - lower)
        return quantiles

    def _counted(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], new: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Take what is counted of the next beats, shape (m, 5); return the shares of the latest."""
        flags = ((self._flags[rows].view(np.uint64) << np.uint64(1)) | new) & _MASKS
        self._flags[rows] = flags.view(np.int64)
        shares: NDArray[np.float64] = np.bitwise_count(flags) / _KNOWN[np.minimum(beats, 64)]
        return shares

    def _before(
        self, rows: NDArray[np.intp], beats: NDArray[np.int64], usual: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the intervals before the last one over the usual ones, shape (m, `BEFORE`)."""
        number = beats[:, None] - _BACK
        latest = self._windows[rows[:, None], number % WINDOWS[0]]
        before: NDArray[np.float64] = _LOGS.take(latest) - usual[:, None]
        before[number < 0] = 0
        return before
