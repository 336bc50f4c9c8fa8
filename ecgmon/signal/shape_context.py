"""Shape context of a beat: how like it the wearer's beats before are, and how early those came.

Ventricular beats of one focus look alike, come early and are followed by a pause; a wearer's bundle
branch block looks as wide, but comes in time. So a beat is compared with the wearer's latest
`MEMORY` beats, by the QRS complex and by the part before it that holds the P wave. How early the
alike ones came, and what followed them, is known by then without any label. The mean P wave of the
latest beats says whether there is one at all.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Layout, StatefulRows

MEMORY: Final = 128
"""Beats that a beat is compared with."""
QRS: Final = slice(109, 145)
"""Samples that hold the QRS complex: 128 ms before the R peak to 160 ms after it."""
P_WAVE: Final = slice(91, 114)
"""Samples that hold the P wave where the PR interval is usual: 272 to 88 ms before the R peak."""
BEFORE_QRS: Final = slice(85, 114)
"""Those whose mean over beats is the usual P wave: 320 to 88 ms before."""
QRS_ALIKE: Final = 0.3
"""A distance of two QRS complexes, over their mean size, at which they count 1/e."""
P_ALIKE: Final = 0.35
"""The same of two P waves, in units of the wearer's scale."""
_ALIKE: Final = np.array([[QRS_ALIKE], [P_ALIKE]], dtype=np.float32)
FARTHEST: Final = (2.0, 3.0)
"""Distances of QRS complexes and of P waves where nothing is there to compare with."""
_MEAN: Final = 32
"""Beats whose mean P wave is the usual one."""
_SHARES: Final = 32
"""Beats whose median share of alike ones is the usual one."""
_RESIDUALS: Final = 16
"""Beats whose median distance from the usual P wave is given."""
_LITTLE: Final = 0.02
"""Energy of a P wave below which it says nothing."""
_SMALL: Final = 1e-3
"""Size of a QRS complex that is none."""
_DOUBT: Final = 0.5
"""Beats that are alike by less than this in all say little of how early they are."""
VALUES: Final = 20
"""Numbers that describe a beat's shape."""


class ShapeContext(StatefulRows):
    """The latest beats of a stack of wearers: shape, earliness, and what followed.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout(
        "shape context",
        2,
        _qrs=ARRAY,
        _sizes=ARRAY,
        _p=ARRAY,
        _before=ARRAY,
        _timing=ARRAY,
        _beats=ARRAY,
        _alike=ARRAY,
        _residual=ARRAY,
    )

    def __init__(self, rows: int) -> None:
        self._qrs = np.zeros((rows, MEMORY, QRS.stop - QRS.start), dtype=np.float32)
        self._sizes = np.zeros((rows, MEMORY), dtype=np.float32)
        self._p = np.zeros((rows, MEMORY, P_WAVE.stop - P_WAVE.start), dtype=np.float32)
        waves = BEFORE_QRS.stop - BEFORE_QRS.start
        self._before = np.zeros((rows, _MEAN, waves), dtype=np.float32)
        # How early each came, and what followed.
        self._timing = np.zeros((rows, 2, MEMORY), dtype=np.float32)
        self._beats = np.zeros(rows, dtype=np.int64)
        self._alike = np.full((rows, _SHARES), np.inf)
        self._residual = np.full((rows, _RESIDUALS), np.inf)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._beats[row] = 0
        self._alike[row] = self._residual[row] = np.inf

    def add(
        self,
        rows: NDArray[np.intp],
        signals: NDArray[np.float32],
        interval: NDArray[np.float64],
        usual: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Take the next beat of some rows and describe the shape of each.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        signals : ndarray of float32, shape (m, `ecgmon.signal.beat_segments.LENGTH`)
            The signal of each beat in units of the wearer's scale.
        interval, usual : ndarray of float64, shape (m,)
            The interval before each and the usual one, as logarithms of seconds.

        Returns
        -------
        ndarray of float64, shape (m, `VALUES`)
            Size of the P wave, and of the QRS complex over 5. Of the beats with a like QRS complex:
            their share, how early they came and what followed; the distance to the nearest. The
            same of those whose P wave is alike, too. How far the P waves of the former are. The
            distances to the last beat and the one before. The size of the QRS complex over the mean
            one, as a logarithm. The share over its median, and how many beats it is. How alike the
            latest P waves are, the size of their mean, this one's share of it, and the median
            distance from it.
        """
        # Sums over fewer beats are added up in another order: rows that know as many go together.
        count = np.minimum(self._beats[rows], MEMORY)
        counts = set(count.tolist())
        if len(counts) == 1:
            return self._described(rows, signals, interval, usual, counts.pop())
        described = np.empty((len(rows), VALUES))
        for known in counts:
            some = np.flatnonzero(count == known)
            described[some] = self._described(
                rows[some], signals[some], interval[some], usual[some], known
            )
        return described

    def _described(
        self,
        rows: NDArray[np.intp],
        signals: NDArray[np.float32],
        interval: NDArray[np.float64],
        usual: NDArray[np.float64],
        known: int,
    ) -> NDArray[np.float64]:
        """Do what `add` does for rows of which as many beats are known."""
        qrs, p, before = (_level(signals[:, part]) for part in (QRS, P_WAVE, BEFORE_QRS))
        beats = self._beats[rows]
        slot, last = beats % MEMORY, (beats - 1) % MEMORY
        described = np.zeros((len(rows), VALUES))
        size = _norm(qrs)
        described[:, 0], described[:, 1] = _norm(p), size / 5
        if known:
            # Less the usual one of its time.
            self._timing[rows, 1, last] += interval.astype(np.float32)
            described[:, 2:14] = self._compared(rows, qrs, p, size, last, known)
        else:
            described[:, [5, 9]] = FARTHEST
        share = described[:, 2]
        self._alike[rows, beats % _SHARES] = share
        described[:, 14] = share - _median(self._alike[rows], min(known + 1, _SHARES))
        described[:, 15] = np.log1p(share * known)
        self._qrs[rows, slot], self._sizes[rows, slot], self._p[rows, slot] = qrs, _norms(qrs), p
        self._timing[rows, 0, slot], self._timing[rows, 1, slot] = interval - usual, -usual
        self._before[rows, beats % _MEAN] = before
        described[:, 16:] = self._p_waves(rows, before, known + 1)
        self._beats[rows] = beats + 1
        return described

    def _compared(
        self,
        rows: NDArray[np.intp],
        qrs: NDArray[np.float32],
        p: NDArray[np.float32],
        size: NDArray[np.float64],
        last: NDArray[np.int64],
        known: int,
    ) -> NDArray[np.float64]:
        """Compare beats with those before, shape (m, 12)."""
        sizes = self._sizes[rows, :known]
        away = self._qrs[rows, :known]
        away -= qrs[:, None]
        p_away = self._p[rows, :known]
        p_away -= p[:, None]
        distance = np.empty((len(rows), 2, known), dtype=np.float32)
        distance[:, 0] = 2 * _norms(away) / (sizes + (size + _SMALL).astype(np.float32)[:, None])
        distance[:, 1] = _norms(p_away)
        weights = np.exp(-((distance / _ALIKE) ** 2))
        weights[:, 1] *= weights[:, 0]
        total = np.add.reduce(weights, axis=2).astype(np.float64)
        timing = _dot(weights[:, :, None], self._timing[rows, None, :, :known])
        compared = np.zeros((len(rows), 12))
        for at, of in ((0, 0), (4, 1)):
            compared[:, at] = total[:, of] / known
            compared[:, at + 1 : at + 3] = timing[:, of] / (total[:, of] + _DOUBT)[:, None]
        compared[:, [3, 7]] = np.minimum.reduce(distance, axis=2)
        compared[:, 8] = _dot(weights[:, 0], distance[:, 1]) / (total[:, 0] + _DOUBT)
        each = np.arange(len(rows))
        compared[:, 9] = distance[each, 0, last]
        if known > 1:
            compared[:, 10] = distance[each, 0, last - 1]
        mean = np.add.reduce(sizes, axis=1) / np.float32(known)
        compared[:, 11] = np.log((size + _SMALL) / np.maximum(mean.astype(np.float64), _SMALL))
        return compared

    def _p_waves(
        self, rows: NDArray[np.intp], latest: NDArray[np.float32], beats: int
    ) -> NDArray[np.float64]:
        """Compare P waves with the usual one, shape (m, 4)."""
        count = min(beats, _MEAN)
        waves = self._before[rows, :count]
        mean = np.add.reduce(waves, axis=1) / np.float32(count)
        energy = _dot(mean, mean)
        self._residual[rows, self._beats[rows] % _RESIDUALS] = _norm(latest - mean)
        of_mean = np.minimum(np.maximum(_dot(latest, mean) / (energy + _LITTLE), -2.0), 3.0)
        whole = np.add.reduce(np.square(waves).reshape(len(rows), -1), axis=1).astype(np.float64)
        residual = _median(self._residual[rows], min(beats, _RESIDUALS))
        consistency = energy / (whole / count + _LITTLE)
        return np.stack([consistency, np.sqrt(energy), of_mean, residual], axis=1)


def _level(parts: NDArray[np.float32]) -> NDArray[np.float32]:
    level: NDArray[np.float32] = (
        parts - (np.add.reduce(parts, axis=1) / np.float32(parts.shape[1]))[:, None]
    )
    return level


def _dot(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float64]:
    products: NDArray[np.float32] = np.vecdot(x, y)
    return products.astype(np.float64)


def _norm(x: NDArray[np.float32]) -> NDArray[np.float64]:
    norm: NDArray[np.float64] = np.sqrt(_dot(x, x))
    return norm


def _norms(x: NDArray[np.float32]) -> NDArray[np.float32]:
    norms: NDArray[np.float32] = np.sqrt(np.einsum("...j,...j->...", x, x))
    return norms


def _median(latest: NDArray[np.float64], known: int) -> NDArray[np.float64]:
    """Return the median of the ``known`` values of each row; the others are infinite."""
    ordered = np.sort(latest, axis=1)
    lower = ordered[:, (known - 1) // 2]
    median: NDArray[np.float64] = lower + 0.5 * (ordered[:, known // 2] - lower)
    return median
