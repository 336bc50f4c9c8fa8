"""Shape context of a beat: how like it the wearer's beats before are, and how early those came.

Ventricular beats of one focus look alike, come early and are followed by a pause; a wearer's bundle
branch block looks as wide, but comes in time. So a beat is compared with the wearer's latest
`MEMORY` beats, by the QRS complex and by the part before it that holds the P wave. How early the
alike ones came, and what followed them, is known by then without any label. The mean P wave of the
latest beats says whether there is one at all.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Layout, StatefulRows
from ecgmon.signal.row_medians import row_medians

MEMORY: Final = 128
"""Beats that a beat is compared with."""
QRS: Final = slice(109, 145)
"""Samples that hold the QRS complex: 128 ms before the R peak to 160 ms after it."""
P_WAVE: Final = slice(91, 114)
"""Samples that hold the P wave where the PR interval is usual: 272 to 88 ms before the R peak."""
_LENGTH: Final = QRS.stop - QRS.start
_BOTH: Final = _LENGTH + P_WAVE.stop - P_WAVE.start
"""Samples of a QRS complex, and of both."""
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
        3,
        _shapes=ARRAY,
        _before=ARRAY,
        _timing=ARRAY,
        _alike=ARRAY,
        _residual=ARRAY,
    )

    def __init__(self, rows: int) -> None:
        # The QRS complex and the P wave of each beat, one after the other.
        self._shapes = np.zeros((rows, MEMORY, _BOTH), dtype=np.float32)
        waves = BEFORE_QRS.stop - BEFORE_QRS.start
        self._before = np.zeros((rows, _MEAN, waves), dtype=np.float32)
        # How early each came, what followed, and the size of its QRS complex.
        self._timing = np.zeros((rows, 3, MEMORY), dtype=np.float32)
        self._alike = np.full((rows, _SHARES), np.inf)
        self._residual = np.full((rows, _RESIDUALS), np.inf)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._before[row] = 0
        self._alike[row] = self._residual[row] = np.inf

    def add(
        self,
        rows: NDArray[np.intp],
        beats: NDArray[np.int64],
        signals: NDArray[np.float32],
        interval: NDArray[np.float64],
        usual: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Take the next beat of some rows and describe the shape of each.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Which rows, each at most once.
        beats : ndarray of int64, shape (m,)
            How many beats of each were taken before.
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
        each, known = np.arange(len(rows)), np.minimum(beats, MEMORY)
        slot, last = beats % MEMORY, np.maximum(beats - 1, 0) % MEMORY
        shape = np.empty((len(rows), _BOTH), dtype=np.float32)
        qrs, p = shape[:, :_LENGTH], shape[:, _LENGTH:]
        qrs[:], p[:] = _level(signals[:, QRS]), _level(signals[:, P_WAVE])
        size = _norm(qrs)
        # Of the beat before: less the usual interval of its time.
        self._timing[rows, 1, last] += interval.astype(np.float32)
        timing = self._timing[rows]
        distance = self._distances(rows, shape, size, timing[:, 2], known)
        described = np.empty((len(rows), VALUES))
        described[:, 0], described[:, 1] = _norm(p), size / 5
        described[:, 2:14] = _compared(timing, distance, size, known)
        described[:, 11] = np.where(known > 0, distance[each, 0, last], 0)
        described[:, 12] = np.where(known > 1, distance[each, 0, last - 1], 0)
        share = described[:, 2]
        self._alike[rows, beats % _SHARES] = share
        described[:, 14] = share - row_medians(self._alike[rows], beats + 1)
        described[:, 15] = np.log1p(share * known)
        self._shapes[rows, slot] = shape
        self._timing[rows, :, slot] = np.stack([interval - usual, -usual, _norms(qrs)], axis=1)
        described[:, 16:] = self._p_waves(rows, _level(signals[:, BEFORE_QRS]), beats)
        return described

    def _distances(
        self,
        rows: NDArray[np.intp],
        shape: NDArray[np.float32],
        size: NDArray[np.float64],
        sizes: NDArray[np.float32],
        known: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Return how far QRS complexes and P waves of the beats before are, shape (m, 2, most)."""
        most = max(int(known.max()), 1)
        away = self._shapes[rows, :most]
        away -= shape[:, None]
        distances = np.empty((len(rows), 2, most), dtype=np.float32)
        for of, part in enumerate((away[:, :, :_LENGTH], away[:, :, _LENGTH:])):
            np.einsum("...j,...j->...", part, part, out=distances[:, of])
        np.sqrt(distances, out=distances)
        distances[:, 0] *= 2
        distances[:, 0] /= sizes[:, :most] + (size + _SMALL).astype(np.float32)[:, None]
        return distances

    def _p_waves(
        self, rows: NDArray[np.intp], latest: NDArray[np.float32], beats: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Take the next P waves and compare them with the usual one, shape (m, 4)."""
        self._before[rows, beats % _MEAN] = latest
        waves, known = self._before[rows], np.minimum(beats + 1, _MEAN)
        mean = np.add.reduce(waves, axis=1) / known.astype(np.float32)[:, None]
        np.multiply(waves, waves, out=waves)
        squares, whole = waves.reshape(len(rows), -1), np.empty(len(rows), dtype=np.float32)
        for count, some in _groups(known):
            whole[some] = np.add.reduce(squares[some, : count * latest.shape[1]], axis=1)
        energy = _dot(mean, mean)
        compared = np.empty((len(rows), 4))
        compared[:, 0] = energy / (whole.astype(np.float64) / known + _LITTLE)
        compared[:, 1] = np.sqrt(energy)
        mine = _dot(latest, mean) / (energy + _LITTLE)
        compared[:, 2] = np.minimum(np.maximum(mine, -2.0), 3.0)
        self._residual[rows, beats % _RESIDUALS] = _norm(latest - mean)
        compared[:, 3] = row_medians(self._residual[rows], beats + 1)
        return compared


def _compared(
    timing: NDArray[np.float32],
    distance: NDArray[np.float32],
    size: NDArray[np.float64],
    known: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Compare beats with those before, shape (m, 12); ``timing`` is that of these, (m, 3, n)."""
    m, most = len(known), distance.shape[2]
    # What is added up, and what is weighed by how alike the beats are.
    added, weighed = np.empty((m, 3, most), np.float32), np.empty((m, 3, most), np.float32)
    alike = added[:, :2]
    np.divide(distance, _ALIKE, out=alike)
    np.multiply(alike, alike, out=alike)
    np.negative(alike, out=alike)
    np.exp(alike, out=alike)
    alike[:, 1] *= alike[:, 0]
    added[:, 2] = timing[:, 2, :most]
    weighed[:, :2], weighed[:, 2] = timing[:, :2, :most], distance[:, 1]
    total, weight = np.zeros((m, 3), np.float32), np.zeros((m, 2, 3), np.float32)
    nearest = np.empty((m, 2), np.float32)
    nearest[:] = FARTHEST
    for count, some in _groups(known):
        if count:
            total[some] = np.add.reduce(added[some, :, :count], axis=2)
            weight[some] = np.vecdot(alike[some, :, None, :count], weighed[some, None, :, :count])
            nearest[some] = np.minimum.reduce(distance[some, :, :count], axis=2)
    counted = np.maximum(known, 1)
    compared = np.zeros((m, 12))
    much = total[:, :2].astype(np.float64) + _DOUBT
    compared[:, 0:8:4] = total[:, :2] / counted[:, None].astype(np.float64)
    compared[:, 1:8:4] = weight[:, :, 0] / much
    compared[:, 2:8:4] = weight[:, :, 1] / much
    compared[:, 3:8:4] = nearest
    compared[:, 8] = weight[:, 0, 2] / much[:, 0]
    mean = (total[:, 2] / counted.astype(np.float32)).astype(np.float64)
    relative = np.log((size + _SMALL) / np.maximum(mean, _SMALL))
    compared[:, 11] = np.where(known > 0, relative, 0)
    return compared


def _groups(counts: NDArray[np.int64]) -> Iterable[tuple[int, list[int] | slice]]:
    """Return which rows have as many beats: sums over fewer are added up in another order."""
    numbers = counts.tolist()
    if len(set(numbers)) == 1:
        return [(numbers[0], slice(None))]
    of_count: dict[int, list[int]] = defaultdict(list)
    for i, count in enumerate(numbers):
        of_count[count].append(i)
    return [
        (count, some if len(some) > 1 else slice(some[0], some[0] + 1))
        for count, some in of_count.items()
    ]


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
