"""One patient's part in study 1: which of the windows train, choose and test."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.labels import ABNORMAL, UNLABELLED
from ecgmon.metrics.two_classes import Confusion
from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import TRAIN, stratified_split

TIE: Final = 1e-5
"""Weight of the loss in a score: it only decides between equal balanced accuracies. Those of n
normal and m abnormal windows differ by 1 / (2 n m) at least, here by more than 2e-5."""


@dataclass(frozen=True, eq=False, slots=True)
class Patient:
    """A record and the part of each of its windows.

    Parameters
    ----------
    record : RecordSet
        All of the record; what trains must take `training`, not its labels.
    part : ndarray of int8, shape (windows,)
        `trainer.data.protocol_splits.TRAIN`, `VALIDATION`, `TEST` or `UNUSED`.
    """

    record: RecordSet
    part: NDArray[np.int8]

    @classmethod
    def split(cls, record: RecordSet, seed: int) -> Self:
        """Split a record as study 1 does."""
        return cls(record, stratified_split(record.labels, seed))

    @property
    def training(self) -> RecordSet:
        """The record with the labels of training windows only."""
        known = np.where(self.part == TRAIN, self.record.labels, UNLABELLED).astype(np.int8)
        return replace(self.record, labels=known)

    @property
    def share(self) -> float:
        """Share of abnormal windows among the training windows, within `SHARES`.

        Where a probability is right, the share is the threshold of the best balanced accuracy:
        there the abnormal are found at the same odds by which they are rarer.
        """
        lowest, highest = SHARES
        return min(max(float(self.windows(TRAIN)[1].mean()), lowest), highest)

    def windows(self, part: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the inputs, shape (n, inputs), of a part and whether each window is abnormal."""
        mine = self.part == part
        return self.record.inputs[mine], self.record.labels[mine] == ABNORMAL


SHARES: Final = (0.05, 0.5)
"""Range of the shares that thresholds are taken from; chosen on validation windows."""


def cross_entropy(
    probability: NDArray[np.float32], truth: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the binary cross-entropy of each window, shape (n,); NaN after divergence."""
    right = np.where(truth, probability, 1 - probability).astype(np.float64)
    return -np.log(np.maximum(right, 1e-7))


@dataclass(frozen=True, slots=True)
class Score:
    """How a network does on the windows that choose.

    Parameters
    ----------
    balanced_accuracy : float
        At the threshold.
    loss : float
        Binary cross-entropy, mean of the two classes' means; infinite for a network that has
        diverged.
    """

    balanced_accuracy: float
    loss: float

    @classmethod
    def of(
        cls, probability: NDArray[np.float32], truth: NDArray[np.bool_], threshold: float = 0.5
    ) -> Self:
        """Score the probabilities of one patient's windows."""
        confusion = Confusion.of(truth, probability >= threshold)
        each = cross_entropy(probability, truth)
        loss = float((each[truth].mean() + each[~truth].mean()) / 2)
        return cls(confusion.balanced_accuracy or 0.0, loss if np.isfinite(loss) else np.inf)

    @property
    def value(self) -> float:
        """One figure to rank by: balanced accuracy, then loss."""
        return self.balanced_accuracy - TIE * min(self.loss, 1.0)


@dataclass(slots=True)
class TrainedPatient:
    """What is known of a training: every epoch's training loss and validation score."""

    epochs: list[tuple[float, Score]] = field(default_factory=list)
    best: int = -1

    def add(self, loss: float, score: Score) -> bool:
        """Add an epoch; tell whether it is the best so far."""
        self.epochs.append((loss, score))
        if self.best >= 0 and score.value <= self.score.value:
            return False
        self.best = len(self.epochs) - 1
        return True

    @property
    def score(self) -> Score:
        """Score of the best epoch."""
        return self.epochs[self.best][1]
