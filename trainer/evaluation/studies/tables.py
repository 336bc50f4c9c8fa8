"""Markdown tables, and how far a figure could be chance."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.class_figures import Figures
from trainer.evaluation.studies.run import Judged

RESAMPLES: Final = 2000
FEW: Final = 10
"""A class with fewer test examples is left out of means: DS2 has seven beats of class Q."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; empty without rows."""
    if not rows:
        return ""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(value: float) -> str:
    """Return a figure between 0 and 1, a dash where there is none."""
    return "-" if np.isnan(value) else f"{value:.3f}"


def mean_recall(counts: NDArray[np.float64]) -> float:
    """Return the mean recall over the classes that have more than a handful of examples."""
    enough = counts.sum(1) >= FEW
    return float(np.mean(Figures(counts).recall[enough]))


def interval(judged: Judged, figure: Callable[[NDArray[np.float64]], float]) -> str:
    """Return the 95 % confidence interval of a figure, by bootstrap over wearers.

    Parameters
    ----------
    figure : callable
        Maps a confusion matrix, shape (classes, classes), to the figure.
    """
    each = np.array(list(judged.per_wearer.values()), dtype=np.float64)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(each), size=(RESAMPLES, len(each)))
    values = [figure(each[which].sum(0)) for which in drawn]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return f"{low:.3f} to {high:.3f}"
