"""Runs of ectopic beats, run by run as rxr of the WFDB software compares them.

Sensitivity is asked of the reference's runs: how long is the tested annotator's longest run in the
time of each? Positive predictivity is asked of the tested annotator's runs in the same way. A
couplet has 2 beats, a short run 3 to 5, a long run 6 or more. It is found where the other
annotator has a run that is as long; of a short or long run the class of length counts, not the
number.

A ventricular run is of V and F beats, a supraventricular one of S beats. Ventricular flutter or
fibrillation is one long ventricular run and atrial fibrillation or flutter one long
supraventricular run, as the annotator's own marks (``[``, ``]``, rhythm notes ``(VF...`` and
``(AF...``) say: normal beats in the latter count as supraventricular ones.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from trainer.evaluation.ec57.marks import CLASSES, UNREADABLE
from trainer.evaluation.ec57.matching import MATCH

LONGEST: Final = 6
"""Longer runs count as this long."""
LENGTHS: Final = MappingProxyType(
    {"couplet": (2, 2), "short run": (3, 5), "long run": (LONGEST, LONGEST)}
)
"""Fewest and most beats of each class of length."""


class RunKind(NamedTuple):
    """What makes up a run.

    Parameters
    ----------
    beats : str
        The classes of its beats.
    opens, closes : str
        The events that begin and end an episode, which is as long as can be.
    cut : str
        What ends an episode or interrupts a run, besides other beats.
    """

    beats: str
    opens: str
    closes: str
    cut: str


KINDS: Final[Mapping[str, RunKind]] = MappingProxyType(
    {"V": RunKind("VF", "[", "]", "{U"), "S": RunKind("S", "{", "}", "[U")}
)
"""Ventricular and supraventricular runs."""
_BEATS: Final = "NSVFQ"
_NORMAL: Final = "NLRB"


class RunEvent(NamedTuple):
    """A beat by its class, the begin ``[ {`` or end ``] }`` of an episode, or of shutdown ``U``."""

    sample: int
    letter: str


def events(annotations: Iterable[Annotation]) -> list[RunEvent]:
    """Return what matters for runs, of annotations in the order of time."""
    found: list[RunEvent] = []
    atrial = ventricular = unreadable = False
    for one in annotations:
        letter, mark = "", symbol(one)
        if mark in CLASSES:
            letter = "S" if atrial and mark in _NORMAL else CLASSES[mark]
        elif mark == "~":
            begins = one.subtype & UNREADABLE == UNREADABLE
            letter = "U" if begins and not unreadable else ""
            unreadable = begins
        elif mark == "[" or (mark == "+" and one.note.startswith("(VF")):
            letter = "" if ventricular else "["
            atrial, ventricular = False, True
        elif mark == "+" and one.note.startswith("(AF"):
            letter = "" if atrial else "{"
            atrial, ventricular = True, False
        elif mark in ("]", "+"):
            if mark == "+" and atrial:
                letter, atrial = "}", False
            elif ventricular:
                letter, ventricular = "]", False
        if letter:
            found.append(RunEvent(one.sample, letter))
    return found


def _none() -> NDArray[np.int64]:
    return np.zeros((LONGEST + 1, LONGEST + 1), dtype=np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class RunCounts:
    """Runs of one kind, of one record or of several, by their lengths.

    Parameters
    ----------
    sought : ndarray of int64, shape (7, 7)
        The reference's runs by their length (row) and that of the tested annotator's longest run
        in their time (column), 0 for none and 6 for all longer ones.
    told : ndarray of int64, shape (7, 7)
        The tested annotator's runs by their length (column) and that of the reference's (row).
    """

    sought: NDArray[np.int64] = field(default_factory=_none)
    told: NDArray[np.int64] = field(default_factory=_none)

    @classmethod
    def compare(
        cls,
        kind: RunKind,
        reference: Sequence[RunEvent],
        test: Sequence[RunEvent],
        start: int,
        stop: int,
    ) -> Self:
        """Compare the runs of two annotators from sample ``start`` to ``stop``."""
        runs = cls()
        for row, column in _lengths(kind, reference, test, start, stop):
            runs.sought[row, column] += 1
        for column, row in _lengths(kind, test, reference, start, stop):
            runs.told[row, column] += 1
        return runs

    def __add__(self, other: Self) -> Self:
        """Return the runs of both."""
        return type(self)(self.sought + other.sought, self.told + other.told)

    def figures(self) -> dict[str, dict[str, Any]]:
        """Return of each class of length how many there are, sensitivity and +P (ppv)."""
        shown: dict[str, dict[str, Any]] = {}
        for name, (least, most) in LENGTHS.items():
            mine, longer = slice(least, most + 1), slice(least, None)
            runs, found = int(self.sought[mine].sum()), int(self.sought[mine, longer].sum())
            told, true = int(self.told[:, mine].sum()), int(self.told[longer, mine].sum())
            shown[name] = {
                "runs": runs,
                "found": found,
                "told": told,
                "true": true,
                "sensitivity": found / runs if runs else None,
                "ppv": true / told if told else None,
            }
        return shown


def _lengths(
    kind: RunKind, these: Sequence[RunEvent], others: Sequence[RunEvent], start: int, stop: int
) -> list[tuple[int, int]]:
    """Return of each run of one annotator its length, and that of the other's longest run then."""
    others_episodes = list(_episodes(kind, others))
    times = [event.sample for event in others]
    return [
        (length, _longest(kind, others, times, others_episodes, begin, end))
        for length, begin, end in _runs(kind, these, start, stop)
    ]


def _runs(
    kind: RunKind, of: Sequence[RunEvent], start: int, stop: int
) -> list[tuple[int, int, int]]:
    """Return length, first and last sample of each run; the samples with `MATCH` around them.

    A run that nothing has ended before ``stop`` is not one yet.
    """
    found = []
    length = begin = end = 0
    if any(opened < start <= closed for opened, closed in _episodes(kind, of)):
        length, begin, end = LONGEST, start - MATCH, start + MATCH
    for sample, letter in of:
        if sample < start:
            continue
        if sample > stop:
            break
        if letter in kind.beats:
            begin = begin if length else sample - MATCH
            length, end = min(length + 1, LONGEST), sample + MATCH
        elif letter == kind.opens and not length:  # rxr gives an episode no time without a beat
            length, begin, end = LONGEST, sample - MATCH, sample - MATCH
        elif letter == kind.closes and length:
            end = sample + MATCH
        elif length and (letter in _BEATS or letter == "U"):
            found.append((length, begin, end))
            length = 0
    return found


def _episodes(kind: RunKind, of: Sequence[RunEvent]) -> list[tuple[int, float]]:
    """Return when episodes begin and end; one that nothing ends goes on for ever."""
    found: list[tuple[int, float]] = []
    opened: int | None = None
    for sample, letter in of:
        if opened is None:
            opened = sample if letter == kind.opens else None
        elif letter in (kind.closes, *kind.cut):
            found.append((opened, sample))
            opened = None
    return found if opened is None else [*found, (opened, float("inf"))]


def _longest(
    kind: RunKind,
    of: Sequence[RunEvent],
    times: Sequence[int],
    episodes: Sequence[tuple[int, float]],
    begin: int,
    end: int,
) -> int:
    """Return the length of the longest run from one sample to another."""
    if any(opened <= end and closed > begin for opened, closed in episodes):
        return LONGEST
    longest = length = 0
    for _, letter in of[bisect_left(times, begin) : bisect_right(times, end)]:
        if letter in kind.beats:
            length += 1
            longest = max(longest, length)
        elif letter in _BEATS or letter in kind.cut:
            length = 0
    return min(longest, LONGEST)
