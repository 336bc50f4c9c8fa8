"""The score of the PhysioNet/Computing in Cardiology Challenge 2015, from annotations of alarms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ecgmon.core.constants import RATE
from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from trainer.evaluation.alarm_truths.truths import FROM_S, KINDS, UNTIL_S

MISSED: Final = 5
"""A true alarm that is suppressed counts as much as five false ones that are raised."""


@dataclass(frozen=True, slots=True)
class AlarmCounts:
    """What became of true and false alarms.

    Parameters
    ----------
    found, missed : int
        True alarms that are raised, and that are not.
    raised, suppressed : int
        False alarms that are raised, and that are not.
    """

    found: int = 0
    missed: int = 0
    raised: int = 0
    suppressed: int = 0

    @classmethod
    def of(cls, results: Iterable[tuple[bool, bool]]) -> Self:
        """Count whether alarms are true and whether they were raised."""
        cells = [*results]
        return cls(
            found=cells.count((True, True)),
            missed=cells.count((True, False)),
            raised=cells.count((False, True)),
            suppressed=cells.count((False, False)),
        )

    @property
    def sensitivity(self) -> float | None:
        """Share of the true alarms that is raised."""
        true = self.found + self.missed
        return self.found / true if true else None

    @property
    def suppression(self) -> float | None:
        """Share of the false alarms that is not."""
        false = self.raised + self.suppressed
        return self.suppressed / false if false else None

    @property
    def score(self) -> float | None:
        """The challenge's score, 0 to 1: (TP + TN) / (TP + TN + FP + 5 FN)."""
        right = self.found + self.suppressed
        weighed = right + self.raised + MISSED * self.missed
        return right / weighed if weighed else None


def raised(annotations: Sequence[Annotation], kind: str) -> bool:
    """Tell whether an alarm of a kind of theirs holds at some time from `FROM_S` to `UNTIL_S`.

    Parameters
    ----------
    annotations : sequence of Annotation
        What `replay.scoring.annotations` wrote, at 360 Hz.
    kind : str
        One of `KINDS`.
    """
    holds = False
    for one in annotations:
        if symbol(one) != "+":
            continue
        if one.sample > UNTIL_S * RATE:
            break
        if holds and one.sample > FROM_S * RATE:
            return True
        names = one.note.strip("\0(").split(",")
        holds = any(name in KINDS[kind] for name in names)
    return holds


def by_kind(results: Mapping[str, Sequence[tuple[bool, bool]]]) -> dict[str, AlarmCounts]:
    """Return the counts of each kind that there is, and of all together."""
    each = {kind: AlarmCounts.of(results[kind]) for kind in KINDS if results.get(kind)}
    return each | {"all": AlarmCounts.of(one for of in results.values() for one in of)}
