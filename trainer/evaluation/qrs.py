"""How many heart beats are found, counted as AAMI EC57 does: within 150 ms, after five minutes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.grid import RATE
from ecgmon.labels import is_beat
from ecgmon.records import Annotations, Record
from ecgmon.signal.beats import BeatDetector

LEARNING: Final = 300 * RATE
"""Samples at the beginning that do not count."""
MATCH: Final = round(0.15 * RATE)


@dataclass(frozen=True, slots=True)
class BeatCounts:
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

    def __add__(self, other: "BeatCounts") -> "BeatCounts":
        """Return the counts of both."""
        return BeatCounts(
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


def evaluate(record: Record) -> BeatCounts:
    """Run the monitor's detector over an annotated record and count its beats."""
    if record.annotations is None:
        raise ValueError(f"{record.name} has no annotations")
    row, first = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.int64)
    (found,) = BeatDetector(1)(row, record.millivolts()[None, :], first)
    return compare(record.annotations, np.array(found, dtype=np.int64))


def compare(annotations: Annotations, found: NDArray[np.int64]) -> BeatCounts:
    """Count the beats that were found after the first five minutes.

    Parameters
    ----------
    annotations : Annotations
        The experts' marks.
    found : ndarray of int64, shape (n,)
        Sample index of each beat found, ascending.
    """
    true = annotations.samples[is_beat(annotations)]
    missed, false = errors(annotations, found)
    return BeatCounts(*(int(np.sum(samples >= LEARNING)) for samples in (true, missed, false)))


def errors(
    annotations: Annotations, found: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sample indices of the beats missed and of those found where there is none.

    Episodes of ventricular flutter or fibrillation are left out, as EC57 leaves them out: their
    single waves are not marked as beats, so there is nothing to compare with.
    """
    true = annotations.samples[is_beat(annotations)]
    alone = found[~_matched(true, found)]
    return true[~_matched(found, true)], alone[~in_flutter(annotations, alone)]


def _matched(others: NDArray[np.int64], samples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which samples have one of the others for themselves within `MATCH`."""
    matched = np.zeros(len(samples), dtype=bool)
    i = j = 0
    while i < len(others) and j < len(samples):
        apart = int(others[i] - samples[j])
        if abs(apart) <= MATCH:
            matched[j] = True
        i, j = i + (apart <= MATCH), j + (apart >= -MATCH)
    return matched


def in_flutter(annotations: Annotations, samples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which samples lie between the marks ``[`` and ``]``."""
    symbols = np.array(annotations.symbols)
    begun = np.searchsorted(annotations.samples[symbols == "["], samples, side="right")
    ended = np.searchsorted(annotations.samples[symbols == "]"], samples, side="left")
    inside: NDArray[np.bool_] = begun > ended
    return inside
