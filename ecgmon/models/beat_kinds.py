"""Kinds of a wearer's beats, by the shape of the QRS complex, and what a model said of each kind.

Beats from one place in the heart look alike. A network that judges each beat by itself calls some
of them V and some N where it is not sure; what it said of the same kind before makes it steady. It
is how EP Limited's open-source classifier (Hamilton 2002) keeps beat types, with a network's odds
in place of its rules. The width of what counts as alike and the weight of the kind were chosen on
the people that docs/adr/0046-kinds-of-beats.md names.
"""

from collections.abc import Sequence
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Layout, StatefulRows
from ecgmon.signal.row_turns import turns
from ecgmon.signal.shape_context import QRS

MOST: Final = 16
"""Kinds of one wearer."""
ALIKE: Final = 0.3
"""Distance of a QRS complex to its kind's, over their mean size, above which it is another kind; at
this distance its kind counts 1/e."""
WEIGHT: Final = 0.8
"""Weight of what was said of a kind of many beats, against what is said of this beat."""
REMEMBERED: Final = 300
"""Beats of a kind over which its odds are averaged."""
SHAPED: Final = 32
"""The same of its shape, which changes with posture."""
SURE: Final = 6.0
"""Bound of the odds of one beat, as a logarithm."""
_FADES: Final = 300
"""Beats without one of its kind after which a kind counts 1/e when the least one makes room."""
_FULL: Final = 50
"""Beats from which on a kind is not the more worth keeping."""
_SMALL: Final = 1e-3
_LEAST: Final = float(np.finfo(np.float32).tiny)
_NONE: Final = 9.0


class BeatKinds(StatefulRows):
    """The kinds of beats of a stack of wearers; what is said of V is made steady by them.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout(
        "beat kinds", 2, _shapes=ARRAY, _odds=ARRAY, _beats=ARRAY, _last=ARRAY, _taken=ARRAY
    )

    def __init__(self, rows: int) -> None:
        self._shapes = np.zeros((rows, MOST, QRS.stop - QRS.start), dtype=np.float32)
        self._odds = np.zeros((rows, MOST))
        self._beats = np.zeros((rows, MOST), dtype=np.int64)
        self._last = np.zeros((rows, MOST), dtype=np.int64)
        self._taken = np.zeros(rows, dtype=np.int64)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        for known in (self._shapes, self._odds, self._beats, self._last, self._taken):
            known[row] = 0

    def steadied(
        self,
        rows: NDArray[np.intp],
        signals: NDArray[np.float32],
        probability: NDArray[np.float32],
        classes: Sequence[str],
    ) -> NDArray[np.float32]:
        """Take the next beats and what models say of them; return what that is with their kinds.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Whose beats; those of one row in the order of time.
        signals : ndarray of float32, shape (m, `ecgmon.signal.beat_segments.LENGTH` or more)
            The beats' signals in units of the wearers' scales: inputs, which begin with them.
        probability : ndarray of float32, shape (m, n)
            Of each class.
        classes : sequence of str, length n
            The classes; without N or V nothing changes.

        Returns
        -------
        ndarray of float32, shape (m, n)
        """
        if "N" not in classes or "V" not in classes:
            return probability
        normal, ventricular = classes.index("N"), classes.index("V")
        changed = probability.astype(np.float64)
        # Logarithms and exponentials are those of the C library: numpy's depend on the processor.
        of_n, of_v = np.maximum(changed[:, [normal, ventricular]], _LEAST).T.tolist()
        odds = np.array([log(v / n) for n, v in zip(of_n, of_v, strict=True)])
        qrs = signals[:, QRS]
        qrs = qrs - (np.add.reduce(qrs, axis=1) / np.float32(qrs.shape[1]))[:, None]
        for some in turns(rows):
            odds[some] = self._steady(rows[some], qrs[some], odds[some])
        changed[:, ventricular] = [n * exp(v) for n, v in zip(of_n, odds.tolist(), strict=True)]
        summed = np.add.reduce(changed, axis=1)[:, None]
        found: NDArray[np.float32] = (changed / summed).astype(np.float32)
        return found

    def _steady(
        self, rows: NDArray[np.intp], qrs: NDArray[np.float32], odds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Take the next beat of some rows, each at most once; return its odds with its kind."""
        self._taken[rows] += 1
        kind, far = self._nearest(rows, qrs)
        alike = [exp(-((each / ALIKE) ** 2)) for each in far.tolist()]
        for i in (far > ALIKE).nonzero()[0].tolist():
            kind[i] = self._least(rows[i])
            self._shapes[rows[i], kind[i]], self._beats[rows[i], kind[i]] = qrs[i], 0
        known, of_kind = self._beats[rows, kind], self._odds[rows, kind]
        share = WEIGHT * known / (known + 1) * alike
        steady: NDArray[np.float64] = odds + share * (of_kind - odds)
        self._beats[rows, kind] = known + 1
        self._last[rows, kind] = self._taken[rows]
        bounded = np.minimum(np.maximum(odds, -SURE), SURE)
        self._odds[rows, kind] = of_kind + (bounded - of_kind) / np.minimum(known + 1, REMEMBERED)
        shape = self._shapes[rows, kind]
        weight = np.minimum(known + 1, SHAPED).astype(np.float32)
        self._shapes[rows, kind] = shape + (qrs - shape) / weight[:, None]
        return steady

    def _nearest(
        self, rows: NDArray[np.intp], qrs: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the nearest kind of each row, and its distance."""
        shapes = self._shapes[rows]
        squares = np.einsum("rij,rij->ri", shapes, shapes)
        square = np.vecdot(qrs, qrs)
        away = squares + square[:, None] - 2 * np.matmul(shapes, qrs[:, :, None])[:, :, 0]
        size = (np.sqrt(square.astype(np.float64)) + _SMALL).astype(np.float32)
        far = 2 * np.sqrt(np.maximum(away, 0)) / (np.sqrt(squares) + size[:, None])
        far[self._beats[rows] == 0] = _NONE
        kind = far.argmin(axis=1)
        return kind, far[np.arange(len(rows)), kind].astype(np.float64)

    def _least(self, row: np.intp) -> int:
        """Return the kind that makes room: one without beats, or few and long ago."""
        age = self._taken[row] - self._last[row]
        return int((np.minimum(self._beats[row], _FULL) * np.exp(-age / _FADES)).argmin())


def steadied(
    signals: NDArray[np.float32], probability: NDArray[np.float32], classes: Sequence[str]
) -> NDArray[np.float32]:
    """Return what a model says of a wearer's beats, from the first on; see `BeatKinds.steadied`.

    Parameters
    ----------
    signals : ndarray of float32, shape (m, `ecgmon.signal.beat_segments.LENGTH` or more)
        Inputs of the beats in the order of time.
    probability : ndarray of float32, shape (m, n)
        What the model says of each.
    classes : sequence of str, length n
        The classes.
    """
    rows = np.zeros(len(signals), dtype=np.intp)
    found = BeatKinds(1).steadied(rows, signals, probability, classes)
    return np.asarray(found, dtype=np.float32)
