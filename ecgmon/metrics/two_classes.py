"""Figures of a two-class comparison, in the field's terms."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of windows: abnormal and called so (tp), normal and called abnormal (fp), …."""

    tp: int = 0
    fp: int = 0
    tn: int = 0
    fn: int = 0

    @classmethod
    def of(cls, truth: NDArray[np.bool_], called: NDArray[np.bool_]) -> Self:
        """Count boolean arrays of the same shape."""
        return cls(
            int(np.sum(truth & called)),
            int(np.sum(~truth & called)),
            int(np.sum(~truth & ~called)),
            int(np.sum(truth & ~called)),
        )

    def plus(self, *, truth: bool, called: bool) -> Self:
        """Return the counts with one more window."""
        return type(self)(
            self.tp + (truth and called),
            self.fp + (not truth and called),
            self.tn + (not truth and not called),
            self.fn + (truth and not called),
        )

    @property
    def total(self) -> int:
        """Number of windows."""
        return self.tp + self.fp + self.tn + self.fn

    @property
    def sensitivity(self) -> float | None:
        """Share of abnormal windows called abnormal; None without abnormal windows."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float | None:
        """Share of normal windows called normal; None without normal windows."""
        return _ratio(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float | None:
        """Positive predictive value; None where nothing was called abnormal."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and positive predictive value."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of sensitivity and specificity; None unless both classes are present."""
        if self.sensitivity is None or self.specificity is None:
            return None
        return (self.sensitivity + self.specificity) / 2

    @property
    def hours(self) -> float:
        """Duration of the windows."""
        return self.total * WINDOW / RATE / 3600

    @property
    def false_alerts_per_hour(self) -> float | None:
        """Normal windows called abnormal, per hour; None without windows."""
        return _ratio(self.fp, self.hours)

    @property
    def missed_per_hour(self) -> float | None:
        """Abnormal windows called normal, per hour; None without windows."""
        return _ratio(self.fn, self.hours)
