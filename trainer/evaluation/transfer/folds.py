"""Folds of patients."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import UsageError
from trainer.data.examples import Examples

FOLDS: Final = 5


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
