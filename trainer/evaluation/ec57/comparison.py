"""All that EC57 asks of a record's annotations: beats, runs and heart rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from trainer.evaluation.ec57.counts import Counts
from trainer.evaluation.ec57.heart_rate import RateErrors
from trainer.evaluation.ec57.marks import Marks, marks
from trainer.evaluation.ec57.matching import LEARNING
from trainer.evaluation.ec57.runs import KINDS, RunCounts, events


def _none() -> dict[str, RunCounts]:
    return {kind: RunCounts() for kind in KINDS}


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """What came of comparing annotations with the reference's, of one record or of several.

    Parameters
    ----------
    counts : Counts
        Beat by beat.
    runs : mapping of str to RunCounts
        Run by run, of ventricular (V) and supraventricular (S) beats.
    rates : RateErrors
        Of the heart rate; without any where the annotations state none.
    """

    counts: Counts = field(default_factory=Counts)
    runs: Mapping[str, RunCounts] = field(default_factory=_none)
    rates: RateErrors = field(default_factory=RateErrors)

    @classmethod
    def of(
        cls,
        reference: Sequence[Annotation],
        test: Sequence[Annotation],
        stop: int,
        start: int = LEARNING,
    ) -> Self:
        """Compare annotations at 360 Hz, in the order of time, from ``start`` to ``stop``."""
        true, tested = to_marks(reference, stop), to_marks(test, stop)
        theirs, mine = events(reference), events(test)
        return cls(
            Counts.compare(true, tested, start, stop),
            {n: RunCounts.compare(kind, theirs, mine, start, stop) for n, kind in KINDS.items()},
            RateErrors.compare(true, test, start, stop),
        )

    def __add__(self, other: Self) -> Self:
        """Return what came of both."""
        return type(self)(
            self.counts + other.counts,
            {kind: self.runs[kind] + other.runs[kind] for kind in KINDS},
            self.rates + other.rates,
        )

    def everything(self) -> dict[str, Any]:
        """Return all that a result file says of it."""
        return self.counts.everything() | {
            "runs": {kind: runs.figures() for kind, runs in self.runs.items()},
            "heart_rate": self.rates.everything(),
        }


def gross(records: Mapping[str, Comparison]) -> Comparison:
    """Return the sums over records."""
    return sum(records.values(), Comparison())


def to_marks(annotations: Sequence[Annotation], stop: int) -> Marks:
    """Return the beats and episodes of annotations at 360 Hz; ``stop`` is the record's end."""
    return marks(((one.sample, symbol(one), one.subtype) for one in annotations), stop)
