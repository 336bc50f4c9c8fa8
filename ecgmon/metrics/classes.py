"""Figures of a confusion matrix, in the field's terms.

Recall does not depend on how many examples a class has; precision does, since what is called a
rare class wrongly comes from the frequent ones. So figures of a test set in which all classes are
alike cannot be compared with those of beats as they come, of which nine in ten are normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def confusion(truth: NDArray[np.int8], called: NDArray[np.intp], classes: int) -> NDArray[np.int64]:
    """Count examples by class (rows) and by what they were called (columns)."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (truth, called), 1)
    return counts


@dataclass(frozen=True, eq=False, slots=True)
class Figures:
    """What a confusion matrix says.

    Parameters
    ----------
    counts : ndarray, shape (classes, classes)
        Examples, or shares of them, by class (rows) and by what they were called (columns).
    """

    counts: NDArray[np.float64] | NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Share of all examples called right."""
        return float(np.trace(self.counts) / self.counts.sum())

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of each class called right (sensitivity), NaN for a class without examples."""
        return _ratio(np.diag(self.counts), self.counts.sum(1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of what is called so that is (positive predictive value), NaN where nothing is."""
        return _ratio(np.diag(self.counts), self.counts.sum(0))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of recall and precision, NaN for a class without examples."""
        present = self.counts.sum(1) > 0
        f1 = _ratio(2 * np.diag(self.counts), self.counts.sum(0) + self.counts.sum(1))
        f1[~present] = np.nan
        return f1

    @property
    def mean_recall(self) -> float:
        """Mean recall over the classes there are: balanced or *class-weighted* accuracy."""
        return float(np.nanmean(self.recall))

    def at_equal_classes(self) -> "Figures":
        """Return the figures as if all classes had as many examples."""
        return Figures(self.counts / np.maximum(self.counts.sum(1, keepdims=True), 1))

    def as_builtins(self, classes: Sequence[str]) -> dict[str, object]:
        """Return everything by name, with None where there is no figure."""
        each = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {
            "accuracy": self.accuracy,
            "mean_recall": self.mean_recall,
            "per_class": {
                name: {
                    figure: None if np.isnan(values[i]) else float(values[i])
                    for figure, values in each.items()
                }
                for i, name in enumerate(classes)
            },
        }


def _ratio(numerator: NDArray[np.number], denominator: NDArray[np.number]) -> NDArray[np.float64]:
    return numerator.astype(np.float64) / np.where(denominator > 0, denominator, np.nan)
