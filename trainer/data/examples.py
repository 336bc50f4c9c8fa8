"""Labelled examples: what every recipe learns from and is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Examples:
    """Pieces of signal with a class each.

    Parameters
    ----------
    inputs : ndarray of float32, shape (n, channels, length)
        The signal.
    labels : ndarray of int8, shape (n,)
        Number of the class in ``classes``.
    wearers : ndarray of str, shape (n,)
        Whose signal it is: nobody may be on two sides of a split that separates wearers.
    samples : ndarray of int64, shape (n,)
        Where it lies in the record, in samples at 360 Hz: the beat, or the window's first sample.
    classes : tuple of str
        Their names.
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int8]
    wearers: NDArray[np.str_]
    samples: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return some of them."""
        return type(self)(
            self.inputs[which],
            self.labels[which],
            self.wearers[which],
            self.samples[which],
            self.classes,
        )

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many there are of each class, shape (classes,)."""
        return np.bincount(self.labels, minlength=len(self.classes))

    @property
    def channels(self) -> int:
        """Rows of each input."""
        return int(self.inputs.shape[1])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the examples of all parts, in their order."""
        return cls(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.wearers for part in parts]),
            np.concatenate([part.samples for part in parts]),
            parts[0].classes,
        )
