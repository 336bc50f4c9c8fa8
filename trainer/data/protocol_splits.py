"""Splits of the three protocols: who trains, who chooses, who is tested."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import UsageError
from ecgmon.core.labels import UNLABELLED
from trainer.data.splits import RECORDS

TRAIN: Final = 0
VALIDATION: Final = 1
TEST: Final = 2
UNUSED: Final = -1

PACED: Final = ("102", "104", "107", "217")
"""Left out of AAMI EC57 reports."""
NON_PACED: Final = tuple(r for r in RECORDS if r not in PACED)
DS1: Final = tuple(
    "101 106 108 109 112 114 115 116 118 119 122 "
    "124 201 203 205 207 208 209 215 220 223 230".split()
)
DS2: Final = tuple(
    "100 103 105 111 113 117 121 123 200 202 210 "
    "212 213 214 219 221 222 228 231 232 233 234".split()
)
"""Patient-independent split of de Chazal et al. (2004). One person is on both sides of it: 201 in
DS1 and 202 in DS2; the split is kept as the field uses it."""
DS1_MODEL_SELECTION: Final = ("106", "114", "116", "223")
"""Wearers of DS1 who choose a model's epoch and threshold and are not fitted to."""
SAME_PERSON: Final = (("201", "202"),)
FOLDS: Final = 5


def refuse_two_sides(*sides: Iterable[str], same_person: Iterable[tuple[str, str]] = ()) -> None:
    """Raise `UsageError` where a split would put a wearer on two sides.

    Parameters
    ----------
    sides : iterable of str
        Names of the records on each side.
    same_person : iterable of (str, str)
        Records of one person.
    """
    first = {two: one for one, two in same_person}
    seen: dict[str, tuple[int, str]] = {}
    for number, names in enumerate(sides):
        for name in names:
            bare = name.rpartition("/")[2]
            side, other = seen.setdefault(first.get(bare, bare), (number, bare))
            if side != number:
                whom = bare if bare == other else f"{other} and {bare}, one person,"
                raise UsageError(
                    f"{whom} would be on two sides of the split: name each wearer on one side."
                )


def stratified_split(
    labels: NDArray[np.int8], seed: int, choosing: float = 0.2
) -> NDArray[np.int8]:
    """Deal out examples by class: a fifth to test, and a share of the others to validation.

    With a fifth of the others, too, it is how study 1 splits one patient's windows.

    Parameters
    ----------
    labels : ndarray of int8, shape (n,)
        Their classes.
    seed : int
        One seed throughout.
    choosing : float
        Share of what is not tested that is for validation.

    Returns
    -------
    ndarray of int8, shape (n,)
        `TRAIN`, `VALIDATION` or `TEST`; `UNUSED` where there is no label.
    """
    rng = np.random.default_rng(seed)
    part = np.full(len(labels), UNUSED, dtype=np.int8)
    for label in np.unique(labels[labels != UNLABELLED]):
        own = rng.permutation(np.flatnonzero(labels == label))
        test = round(0.2 * len(own))
        validation = test + round(choosing * (len(own) - test))
        part[own[:test]] = TEST
        part[own[test:validation]] = VALIDATION
        part[own[validation:]] = TRAIN
    return part


@dataclass(frozen=True, slots=True)
class Fold:
    """Wearers of one fold: strangers to its generic model, and those it learns from."""

    strangers: tuple[str, ...]
    training: tuple[str, ...]
    validation: tuple[str, ...]


def wearer_folds() -> tuple[Fold, ...]:
    """Deal the 44 non-paced records into five folds, records of one person together.

    The generic model of a fold is fitted to the records outside it, but for the validation
    wearers, who choose its epoch and threshold: every sixth of them.
    """
    joined = {second: first for first, second in SAME_PERSON}
    persons = [r for r in NON_PACED if r not in joined]
    folds = []
    for number in range(FOLDS):
        own = set(persons[number::FOLDS])
        strangers = tuple(r for r in NON_PACED if joined.get(r, r) in own)
        others = [r for r in persons if r not in own]
        chosen = set(others[number::6])
        validation = tuple(r for r in NON_PACED if joined.get(r, r) in chosen)
        training = tuple(
            r for r in RECORDS if r not in strangers and joined.get(r, r) not in chosen
        )
        folds.append(Fold(strangers, training, validation))
    return tuple(folds)
