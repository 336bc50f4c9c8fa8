"""Tables of the page, and how far a figure could be chance."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.metrics.classes import Figures
from trainer.evaluation.studies.run import SystemResult

RESAMPLES: Final = 2000
FEW: Final = 10
"""A class with fewer test examples is left out of means: DS2 has seven beats of class Q."""


class MarkdownTable(NamedTuple):
    """What `trainer/templates/tables.md.j2` draws.

    Parameters
    ----------
    head : sequence of str
        Names of the columns.
    rows : sequence of sequences of str
        A cell for each column; no table is drawn where there is no row.
    left : int
        So many columns are words, set flush left; the others are figures.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


def cell(value: float) -> str:
    """Return a figure between 0 and 1, a dash where there is none."""
    return "-" if np.isnan(value) else f"{value:.3f}"


def mean_recall(counts: NDArray[np.float64]) -> float:
    """Return the mean recall over the classes that have more than a handful of examples."""
    enough = counts.sum(1) >= FEW
    return float(np.mean(Figures(counts).recall[enough]))


def interval(
    judged: SystemResult, figure: Callable[[NDArray[np.float64]], float], *, by_class: bool = False
) -> str:
    """Return the 95 % confidence interval of a figure, by bootstrap over wearers.

    Parameters
    ----------
    figure : callable
        Maps a confusion matrix, shape (classes, classes), to the figure.
    by_class : bool
        Whether as many wearers of each class are drawn as there are, where each is of one.
    """
    each = np.array(list(judged.per_wearer.values()), dtype=np.float64)
    group = each.sum(2).argmax(1) if by_class else np.zeros(len(each))
    rng = np.random.default_rng(0)
    drawn = [
        rng.choice(members, (RESAMPLES, len(members)))
        for members in (np.flatnonzero(group == one) for one in np.unique(group))
    ]
    values = [figure(each[which].sum(0)) for which in np.concatenate(drawn, axis=1)]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return f"{low:.3f} to {high:.3f}"
