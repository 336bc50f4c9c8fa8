"""Shape context of a beat: how like it the wearer's beats before are, and how early those came.

Ventricular beats of one focus look alike, come early and are followed by a pause; a wearer's bundle
branch block looks as wide, but comes in time. So a beat is compared with the wearer's latest
`MEMORY` beats, by the QRS complex and by the part before it that holds the P wave. How early the
alike ones came, and what followed them, is known by then without any label. The mean P wave of the
latest beats says whether there is one at all.
"""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, NESTED, Index, Layout, Stateful
from ecgmon.signal.rr_context import RRContext
from ecgmon.signal.sliding_quantiles import SlidingQuantiles

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
FARTHEST: Final = (2.0, 3.0)
"""Distances of QRS complexes and of P waves where nothing is there to compare with."""
_MEAN: Final = 32
"""Beats whose mean P wave is the usual one."""
_LITTLE: Final = 0.02
"""Energy of a P wave below which it says nothing."""
_DOUBT: Final = 0.5
"""Beats that are alike by less than this in all say little of how early they are."""
VALUES: Final = 20
"""Numbers that describe a beat's shape."""


class ShapeContext(Stateful):
    """The latest beats of one wearer: shape, earliness, and what followed."""

    __slots__ = ("_alike", "_beats", "_before", "_early", "_followed", "_p", "_qrs", "_residual")
    layout = Layout(
        "shape context",
        1,
        _qrs=ARRAY,
        _p=ARRAY,
        _before=ARRAY,
        _early=ARRAY,
        _followed=ARRAY,
        _beats=Index,
        _alike=NESTED,
        _residual=NESTED,
    )

    def __init__(self) -> None:
        self._qrs = np.zeros((MEMORY, QRS.stop - QRS.start), dtype=np.float32)
        self._p = np.zeros((MEMORY, P_WAVE.stop - P_WAVE.start), dtype=np.float32)
        self._before = np.zeros((_MEAN, BEFORE_QRS.stop - BEFORE_QRS.start), dtype=np.float32)
        self._early = np.zeros(MEMORY, dtype=np.float32)
        self._followed = np.zeros(MEMORY, dtype=np.float32)
        self._beats = 0
        self._alike = SlidingQuantiles(32)
        self._residual = SlidingQuantiles(16)

    def add(self, signal: NDArray[np.float32], rhythm: RRContext) -> list[float]:
        """Take the next beat and describe its shape.

        Parameters
        ----------
        signal : ndarray of float32, shape (`ecgmon.signal.beat_segments.LENGTH`,)
            The beat's signal in units of the wearer's scale.
        rhythm : RRContext
            The wearer's intervals, this beat's among them.

        Returns
        -------
        list of float, length `VALUES`
            Size of the P wave, and of the QRS complex over 5. Of the beats with a like QRS complex:
            their share, how early they came and what followed; the distance to the nearest. The
            same of those whose P wave is alike, too. How far the P waves of the former are. The
            distances to the last beat and the one before. The size of the QRS complex over the mean
            one, as a logarithm. The share over its median, and how many beats it is. How alike the
            latest P waves are, the size of their mean, this one's share of it, and the median
            distance from it.
        """
        qrs, p, before = (_level(signal[part]) for part in (QRS, P_WAVE, BEFORE_QRS))
        known = min(self._beats, MEMORY)
        slot, last = self._beats % MEMORY, (self._beats - 1) % MEMORY
        usual = rhythm.usual
        if known:
            self._followed[last] += rhythm.last  # less the usual one of its time
        size, p_size = _norm(qrs), _norm(p)
        described = [p_size, size / 5, *self._compared(qrs, p, size, known, last)]
        share = described[2]
        self._alike.add(share)
        described += [share - self._alike.median, float(np.log1p(share * known))]
        self._qrs[slot], self._p[slot] = qrs, p
        self._early[slot], self._followed[slot] = rhythm.last - usual, -usual
        self._before[self._beats % _MEAN] = before
        self._beats += 1
        return described + self._p_waves(before)

    def _compared(
        self, qrs: NDArray[np.float32], p: NDArray[np.float32], size: float, known: int, last: int
    ) -> list[float]:
        """Compare a beat with those before."""
        if not known:
            return [0.0, 0.0, 0.0, FARTHEST[0], 0.0, 0.0, 0.0, FARTHEST[1], 0.0, 0.0, 0.0, 0.0]
        sizes = _norms(self._qrs[:known])
        far = 2 * _norms(self._qrs[:known] - qrs) / (sizes + np.float32(size + 1e-3))
        p_far = _norms(self._p[:known] - p)
        alike = np.exp(-((far / np.float32(QRS_ALIKE)) ** 2))
        both = alike * np.exp(-((p_far / np.float32(P_ALIKE)) ** 2))
        described: list[float] = []
        for weights, nearest in ((alike, far.min()), (both, p_far.min())):
            total = float(weights.sum())
            early, followed = (
                float(weights @ of[:known]) / (total + _DOUBT)
                for of in (self._early, self._followed)
            )
            described += [total / known, early, followed, float(nearest)]
        described.append(float(alike @ p_far) / (float(alike.sum()) + _DOUBT))
        described += [float(far[last]), float(far[last - 1]) if known > 1 else 0.0]
        mean = max(float(sizes.mean()), 1e-3)
        return [*described, float(np.log((size + 1e-3) / mean))]

    def _p_waves(self, latest: NDArray[np.float32]) -> list[float]:
        waves = self._before[: min(self._beats, _MEAN)]
        mean = np.add.reduce(waves) / np.float32(len(waves))
        energy = float(mean @ mean)
        self._residual.add(_norm(latest - mean))
        of_mean = min(max(float(latest @ mean) / (energy + _LITTLE), -2.0), 3.0)
        consistency = energy / (float(np.square(waves).sum()) / len(waves) + _LITTLE)
        return [consistency, sqrt(energy), of_mean, self._residual.median]


def _level(part: NDArray[np.float32]) -> NDArray[np.float32]:
    level: NDArray[np.float32] = part - np.add.reduce(part) / np.float32(len(part))
    return level


def _norm(x: NDArray[np.float32]) -> float:
    return sqrt(float(x @ x))


def _norms(x: NDArray[np.float32]) -> NDArray[np.float32]:
    norms: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", x, x))
    return norms
