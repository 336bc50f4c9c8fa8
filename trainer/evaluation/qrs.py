"""Beat detection figures as AAMI EC57 counts them: within 150 ms, after five minutes."""

from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.records import Record
from ecgmon.signal import detect_beats
from trainer.evaluation.ec57.counts import NO_BEAT, Pair, pairs
from trainer.evaluation.ec57.marks import Marks, inside, marks
from trainer.evaluation.ec57.matching import LEARNING


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """Beats that experts have marked, and what became of them.

    Parameters
    ----------
    beats : int
        Marked ones.
    missed : int
        Those not found.
    false : int
        Found where there is none.
    """

    beats: int
    missed: int
    false: int

    def __add__(self, other: "DetectionCounts") -> "DetectionCounts":
        """Return the counts of both."""
        return DetectionCounts(
            self.beats + other.beats, self.missed + other.missed, self.false + other.false
        )

    @property
    def sensitivity(self) -> float:
        """Share of the marked beats that were found."""
        return 1 - self.missed / self.beats

    @property
    def ppv(self) -> float:
        """Share of the found beats that are true."""
        found = self.beats - self.missed
        return found / (found + self.false)


def evaluate(record: Record) -> DetectionCounts:
    """Run the monitor's detector over an annotated record and count its beats."""
    if record.annotations is None:
        raise ValueError(f"{record.name} has no annotations")
    return compare(record.annotations, detect_beats(record.millivolts()))


def compare(annotations: Annotations, found: NDArray[np.int64]) -> DetectionCounts:
    """Count the beats that were found after the first five minutes.

    Parameters
    ----------
    annotations : Annotations
        The experts' marks.
    found : ndarray of int64, shape (n,)
        Sample index of each beat found, ascending.
    """
    compared = _pairs(annotations, found, LEARNING)
    false = sum(pair.reference in NO_BEAT for pair in compared)
    missed = sum(pair.test in NO_BEAT for pair in compared)
    return DetectionCounts(len(compared) - false, missed, false)


def errors(
    annotations: Annotations, found: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sample indices of the beats missed and of those found where there is none.

    Episodes of ventricular flutter or fibrillation are left out, as EC57 leaves them out: their
    single waves are not marked as beats, so there is nothing to compare with.
    """
    compared = _pairs(annotations, found)
    missed = [pair.sample for pair in compared if pair.test in NO_BEAT]
    false = [pair.sample for pair in compared if pair.reference in NO_BEAT]
    return np.array(missed, dtype=np.int64), np.array(false, dtype=np.int64)


def in_flutter(annotations: Annotations, samples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which samples lie between the marks ``[`` and ``]``."""
    return inside(_experts(annotations).flutter, samples)


def _pairs(annotations: Annotations, found: NDArray[np.int64], start: int = 0) -> list[Pair]:
    return pairs(_experts(annotations), Marks(found, "N" * len(found)), start)


def _experts(annotations: Annotations) -> Marks:
    return marks(zip(annotations.samples.tolist(), annotations.symbols, repeat(0)))
