"""Episodes of a rhythm, counted as epicmp of the WFDB software and ANSI/AAMI EC57 do.

Sensitivity is asked of the reference's episodes, positive predictivity of those announced: one
counts as found, or as true, if any part of it lies in one of the other side. Of durations, the
share that both have is asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ecgmon.core.constants import RATE

Span = tuple[int, int]
"""From a sample at 360 Hz to before another."""
CLOSED: Final = 2 * RATE
"""A gap between two episodes up to which they are one."""


def joined(spans: Iterable[Span], gap: int = CLOSED) -> list[Span]:
    """Return spans in the order of time, those with at most ``gap`` samples between them as one."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if found and start - found[-1][1] <= gap:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return found


def overlap(one: Span, other: Span) -> int:
    """Return how many samples two spans have in common."""
    return max(min(one[1], other[1]) - max(one[0], other[0]), 0)


def without(spans: Iterable[Span], taken: Sequence[Span]) -> list[Span]:
    """Return what is left of spans outside of others, in the order of time."""
    left = sorted(spans)
    for start, stop in taken:
        left = [
            part
            for one in left
            for part in ((one[0], min(one[1], start)), (max(one[0], stop), one[1]))
            if part[0] < part[1]
        ]
    return left


def touched(one: Span, others: Iterable[Span]) -> bool:
    """Tell whether a span has any part in common with one of some others."""
    return any(overlap(one, other) for other in others)


@dataclass(frozen=True, slots=True)
class EpisodeCounts:
    """What became of the episodes of one or more records.

    Parameters
    ----------
    found, missed : int
        Annotated episodes that were announced, and that were not.
    true, false : int
        Announced episodes that were annotated, and that were not.
    annotated, announced, both : int
        Samples at 360 Hz of the annotated and of the announced episodes, and those in both.
    """

    found: int = 0
    missed: int = 0
    true: int = 0
    false: int = 0
    annotated: int = 0
    announced: int = 0
    both: int = 0

    @classmethod
    def of(
        cls, annotated: Sequence[Span], announced: Sequence[Span], allowed: Sequence[Span] = ()
    ) -> Self:
        """Count the episodes of a record.

        Parameters
        ----------
        annotated, announced : sequence of (int, int)
            Its episodes, none of which overlap on one side.
        allowed : sequence of (int, int)
            Where an announced episode is neither true nor false.
        """
        judged = [one for one in announced if touched(one, annotated) or not touched(one, allowed)]
        found = sum(touched(one, judged) for one in annotated)
        true = sum(touched(one, annotated) for one in judged)
        return cls(
            found,
            len(annotated) - found,
            true,
            len(judged) - true,
            sum(stop - start for start, stop in annotated),
            sum(stop - start for start, stop in judged),
            sum(overlap(one, other) for one in annotated for other in judged),
        )

    def __add__(self, other: "EpisodeCounts") -> "EpisodeCounts":
        """Return the counts of both together."""
        return EpisodeCounts(
            *(getattr(self, name) + getattr(other, name) for name in EpisodeCounts.__slots__)
        )

    @property
    def sensitivity(self) -> float | None:
        """Share of the annotated episodes that was announced; None if there is none."""
        return _share(self.found, self.found + self.missed)

    @property
    def predictivity(self) -> float | None:
        """Share of the announced episodes that was annotated."""
        return _share(self.true, self.true + self.false)

    @property
    def duration_sensitivity(self) -> float | None:
        """Share of the annotated time that was announced."""
        return _share(self.both, self.annotated)

    @property
    def duration_predictivity(self) -> float | None:
        """Share of the announced time that was annotated."""
        return _share(self.both, self.announced)


def delays(annotated: Iterable[Span], announced: Sequence[Span]) -> list[float]:
    """Return how many seconds after each episode began it was announced, of those that were.

    What was announced before and still stands has a delay of 0.
    """
    found = []
    for one in annotated:
        begun = [start for start, stop in announced if overlap(one, (start, stop))]
        if begun:
            found.append(max(min(begun) - one[0], 0) / RATE)
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
