"""Who is on which side: folds by patient, and the publications' random split beside them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.errors import UsageError
from trainer.examples import Examples

FOLDS: Final = 5
TEST_SHARE: Final = 0.2
"""Of the beats, in the random split."""


def patient_folds(examples: Examples, folds: int, seed: int) -> NDArray[np.int8]:
    """Deal patients into folds, those of each class by turns.

    Parameters
    ----------
    examples : Examples
        Beats; a patient's class is that of his first one.
    folds : int
        How many.
    seed : int
        Of the order in which patients are dealt.

    Returns
    -------
    ndarray of int8, shape (n,)
        Each beat's fold.

    Raises
    ------
    UsageError
        If a class has fewer patients than there are folds.
    """
    patients, first, patient = np.unique(examples.wearers, return_index=True, return_inverse=True)
    rng = np.random.default_rng(seed)
    fold = np.zeros(len(patients), dtype=np.int8)
    dealt = 0  # on from class to class, so that no fold gets more patients than it must
    for label, name in enumerate(examples.classes):
        own = rng.permutation(np.flatnonzero(examples.labels[first] == label))
        if len(own) < folds:
            raise UsageError(
                f"{len(own)} patients of the class {name} do not fill {folds} folds: choose fewer "
                "folds, or add records of the class."
            )
        fold[own] = (dealt + np.arange(len(own))) % folds
        dealt += len(own)
    return fold[patient]


def beat_split(labels: NDArray[np.int8], seed: int) -> NDArray[np.bool_]:
    """Return which beats are for testing in a random split, stratified by class, shape (n,)."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(labels), dtype=np.bool_)
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        test[own[: round(TEST_SHARE * len(own))]] = True
    return test


def apart(training: Examples, test: Examples) -> None:
    """Refuse a split that puts a patient on both of its sides; raises `UsageError`."""
    both = sorted(set(training.wearers.tolist()) & set(test.wearers.tolist()))
    if both:
        raise UsageError(
            f"The split puts {', '.join(both[:3])}{', ...' if both[3:] else ''} on two sides: give "
            "each patient to one fold."
        )
