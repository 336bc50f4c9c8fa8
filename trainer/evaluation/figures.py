"""Figures of judged windows, for one wearer, pooled, or as a mean over wearers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.labels import ABNORMAL, UNLABELLED
from ecgmon.metrics.two_classes import Confusion

Figures = dict[str, float | int | None]
MEANS: Final = (
    "balanced_accuracy",
    "f1",
    "sensitivity",
    "ppv",
    "false_alerts_per_hour",
    "missed_per_hour",
)
BINS: Final = 10


@dataclass(frozen=True, eq=False, slots=True)
class JudgedWindows:
    """What a model said of a wearer's windows, and what is true.

    Parameters
    ----------
    labels : ndarray of int8, shape (n,)
        `ecgmon.core.labels`; unlabelled windows are dropped.
    probability : ndarray of float32, shape (n,)
        Of *abnormal*.
    threshold : float
        From which on a window is called abnormal.
    left_out : int
        Windows that had a label and lost it, because a monitor says nothing of them.
    """

    labels: NDArray[np.int8]
    probability: NDArray[np.float32]
    threshold: float
    left_out: int = 0

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Whether each labelled window is abnormal."""
        truth: NDArray[np.bool_] = self.labels[self.labels != UNLABELLED] == ABNORMAL
        return truth

    @property
    def known(self) -> NDArray[np.float32]:
        """Probability of each labelled window."""
        known: NDArray[np.float32] = self.probability[self.labels != UNLABELLED]
        return known

    @property
    def confusion(self) -> Confusion:
        """Counts of the labelled windows."""
        return Confusion.of(self.truth, self.known >= self.threshold)


def figures(confusion: Confusion) -> Figures:
    """Return the figures of a confusion by the names used in result files.

    A false alert here is a normal window called abnormal; missed is an abnormal one called
    normal. Both are counted per hour of scored signal.
    """
    return {
        "balanced_accuracy": confusion.balanced_accuracy,
        "f1": confusion.f1,
        "sensitivity": confusion.sensitivity,
        "ppv": confusion.ppv,
        "false_alerts_per_hour": confusion.false_alerts_per_hour,
        "missed_per_hour": confusion.missed_per_hour,
        "tp": confusion.tp,
        "fp": confusion.fp,
        "tn": confusion.tn,
        "fn": confusion.fn,
    }


def pooled(confusions: Sequence[Confusion]) -> Figures:
    """Return the figures of all windows together."""
    return figures(
        Confusion(*(sum(getattr(c, name) for c in confusions) for name in ("tp", "fp", "tn", "fn")))
    )


def mean(confusions: Sequence[Confusion]) -> Figures:
    """Return the mean of each figure over the wearers that have it, and over how many."""
    each = [figures(c) for c in confusions]
    result: Figures = {}
    for name in MEANS:
        values = [value for f in each if (value := f[name]) is not None]
        result[name] = float(np.mean(values)) if values else None
        result[f"{name}_wearers"] = len(values)
    return result


def calibration(judged: Sequence[JudgedWindows]) -> dict[str, float | list[list[float]]]:
    """Compare probabilities with what came true.

    Returns
    -------
    dict
        ``brier``, the mean squared error (Brier 1950); ``expected_calibration_error`` over ten
        equal bins (Guo et al. 2017); ``bins``, for each that holds windows: mean probability,
        share abnormal, number of windows.
    """
    probability = np.concatenate([j.known for j in judged]).astype(np.float64)
    truth = np.concatenate([j.truth for j in judged])
    where = np.minimum((probability * BINS).astype(int), BINS - 1)
    bins = [
        [float(probability[where == b].mean()), float(truth[where == b].mean()), int(n)]
        for b in range(BINS)
        if (n := np.sum(where == b))
    ]
    error = sum(n * abs(p - share) for p, share, n in bins) / len(truth)
    return {
        "brier": float(np.mean((probability - truth) ** 2)),
        "expected_calibration_error": float(error),
        "bins": bins,
    }
