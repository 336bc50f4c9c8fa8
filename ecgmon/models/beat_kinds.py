"""Kinds of a wearer's beats, by the shape of the QRS complex, and what a model said of each kind.

Beats from one place in the heart look alike. A network that judges each beat by itself calls some
of them V and some N where it is not sure; what it said of the same kind before makes it steady. It
is how EP Limited's open-source classifier (Hamilton 2002) keeps beat types, with a network's odds
in place of its rules. The width of what counts as alike and the weight of the kind were chosen on
the people that docs/adr/0046-kinds-of-beats.md names.
"""

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Index, Layout, Stateful
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


class BeatKinds(Stateful):
    """The kinds of beats of one wearer; what is said of V is made steady by them."""

    __slots__ = ("_beats", "_last", "_odds", "_shapes", "_taken")
    layout = Layout(
        "beat kinds", 1, _shapes=ARRAY, _odds=ARRAY, _beats=ARRAY, _last=ARRAY, _taken=Index
    )

    def __init__(self) -> None:
        self._shapes = np.zeros((MOST, QRS.stop - QRS.start), dtype=np.float32)
        self._odds = np.zeros(MOST)
        self._beats = np.zeros(MOST, dtype=np.int64)
        self._last = np.zeros(MOST, dtype=np.int64)
        self._taken = 0

    def steadied(
        self, signal: NDArray[np.float32], probability: NDArray[np.float32], classes: Sequence[str]
    ) -> NDArray[np.float32]:
        """Take the next beat and what a model says of it; return what that is with its kind.

        Parameters
        ----------
        signal : ndarray of float32, shape (`ecgmon.signal.beat_segments.LENGTH` or more,)
            The beat's signal in units of the wearer's scale: an input, which begins with it.
        probability : ndarray of float32, shape (n,)
            Of each class.
        classes : sequence of str, length n
            The classes; without N or V nothing changes.

        Returns
        -------
        ndarray of float32, shape (n,)
        """
        if "N" not in classes or "V" not in classes:
            return probability
        normal, ventricular = classes.index("N"), classes.index("V")
        of_n, of_v = (max(float(probability[i]), _LEAST) for i in (normal, ventricular))
        odds = log(of_v / of_n)
        qrs = signal[QRS]
        qrs = qrs - np.add.reduce(qrs) / np.float32(len(qrs))
        kind, far = self._nearest(qrs)
        known = int(self._beats[kind])
        self._taken += 1
        if far > ALIKE:
            kind = self._least()
            self._shapes[kind], self._beats[kind], known = qrs, 0, 0
        share = WEIGHT * known / (known + 1) * exp(-((far / ALIKE) ** 2))
        of_kind = float(self._odds[kind])
        steady = odds + share * (of_kind - odds)
        self._beats[kind] = known + 1
        self._last[kind] = self._taken
        bounded = min(max(odds, -SURE), SURE)
        self._odds[kind] = of_kind + (bounded - of_kind) / min(known + 1, REMEMBERED)
        shape = self._shapes[kind]
        shape += (qrs - shape) / np.float32(min(known + 1, SHAPED))
        changed = probability.astype(np.float64)
        changed[ventricular] = of_n * exp(steady)
        steadied: NDArray[np.float32] = (changed / np.add.reduce(changed)).astype(np.float32)
        return steadied

    def _nearest(self, qrs: NDArray[np.float32]) -> tuple[int, float]:
        """Return the nearest kind and its distance."""
        squares, square = np.einsum("ij,ij->i", self._shapes, self._shapes), float(qrs @ qrs)
        away = np.maximum(squares + square - 2 * (self._shapes @ qrs), 0)
        far = 2 * np.sqrt(away) / (np.sqrt(squares) + (sqrt(square) + _SMALL))
        far[self._beats == 0] = _NONE
        kind = int(far.argmin())
        return kind, float(far[kind])

    def _least(self) -> int:
        """Return the kind that makes room: one without beats, or few and long ago."""
        age = self._taken - self._last
        return int((np.minimum(self._beats, _FULL) * np.exp(-age / _FADES)).argmin())


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
    kinds = BeatKinds()
    every = [kinds.steadied(*each, classes) for each in zip(signals, probability, strict=True)]
    return np.array(every, dtype=np.float32).reshape(probability.shape)
