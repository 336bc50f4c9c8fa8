"""Named alarms in annotation files of the monitor, and what the reference says of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from monitor.alarms.conditions.base import SETTLED
from monitor.alarms.conditions.beat_patterns import PAUSE_SHARE
from monitor.alarms.conditions.rhythm_table import table
from trainer.evaluation.ec57.marks import Marks
from trainer.evaluation.ec57.matching import MATCH

NAMED: Final = tuple(row.kind for row in table(RhythmLimits()))
"""Kinds of alarms that name a rhythm."""
RUNS: Final = ("ventricular-tachycardia", "idioventricular-rhythm", "ventricular-run")
"""Those that name a ventricular run."""
SHORTEST: Final = 3
LONG: Final = 6
LATELY_S: Final = 10
"""What an alarm speaks of was in these seconds before it."""
COUNTED_S: Final = {"ectopics-minute": 60, "ectopics-hour": 3600}
"""The same for alarms of counts."""
ENDED_S: Final = 5
"""An alarm of a run comes at the latest these seconds after it: a short one must have ended."""
PAUSE_TOLERANCE: Final = 0.9
"""Annotations and the beats found are not the same samples."""


@dataclass(frozen=True, slots=True)
class NamedAlarm:
    """An alarm of a kind, and the samples at 360 Hz from and to which its condition held."""

    kind: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class AnnotatedRun:
    """A ventricular run of the reference, by its beats' samples; ventricular flutter counts as one.

    Parameters
    ----------
    beats : tuple of int
        At 360 Hz; of a flutter its begin and its end.
    flutter : bool
        Whether it is one.
    """

    beats: tuple[int, ...]
    flutter: bool = False

    @property
    def long(self) -> bool:
        """Whether it has six beats or more."""
        return self.flutter or len(self.beats) >= LONG

    @property
    def due(self) -> int:
        """Sample from which it is a run."""
        return self.beats[0] if self.flutter else self.beats[SHORTEST - 1]


def alarms(annotations: Sequence[Annotation], stop: int) -> list[NamedAlarm]:
    """Return the alarms that `replay.scoring.annotations` wrote, in the order of their begin."""
    found: list[NamedAlarm] = []
    holding: dict[str, int] = {}
    for one in annotations:
        if symbol(one) != "+":
            continue
        kinds = set(one.note.strip("(").split(","))
        over = [kind for kind in holding if kind not in kinds]
        found += [NamedAlarm(kind, holding.pop(kind), one.sample) for kind in over]
        for kind in kinds:
            if kind in NAMED:
                holding.setdefault(kind, one.sample)
    found += [NamedAlarm(kind, begin, stop) for kind, begin in holding.items()]
    return sorted(found, key=lambda alarm: alarm.begin)


def runs(reference: Marks, classes: str = "V") -> list[AnnotatedRun]:
    """Return the runs of `SHORTEST` beats and more of some classes, and ventricular flutter."""
    found = [AnnotatedRun(span, flutter=True) for span in reference.flutter]
    breaks = [begin for begin, _ in reference.flutter]
    beats: list[int] = []
    for at, label in zip([*reference.beats.tolist(), -1], f"{reference.classes}N", strict=True):
        interrupted = beats and bisect_left(breaks, beats[-1]) < bisect_left(breaks, at)
        if beats and (label not in classes or interrupted):
            if len(beats) >= SHORTEST:
                found.append(AnnotatedRun(tuple(beats)))
            beats = []
        if label in classes:
            beats.append(at)
    return sorted(found, key=lambda run: run.beats)


def naming(run: AnnotatedRun, raised: Sequence[NamedAlarm]) -> NamedAlarm | None:
    """Return the first alarm of a run that holds in its time; None for a run that is missed."""
    last = run.beats[-1] + ENDED_S * RATE
    names = (alarm for alarm in raised if alarm.kind in RUNS)
    return next((a for a in names if a.begin <= last and a.end >= run.beats[0] - MATCH), None)


def latency_s(run: AnnotatedRun, alarm: NamedAlarm) -> float | None:
    """Return the seconds from a run's third beat to its alarm; None where that held before.

    A named rhythm is published `SETTLED` samples after the beat that completes it.
    """
    if alarm.begin < run.beats[0] - MATCH:
        return None
    return max(0, alarm.begin + SETTLED - run.due) / RATE


def unjustified(reference: Marks, raised: Sequence[NamedAlarm]) -> Iterator[NamedAlarm]:
    """Yield the alarms that no annotated beat justifies."""
    any_run = runs(reference, "VF")
    for alarm in raised:
        since = alarm.begin - COUNTED_S.get(alarm.kind, LATELY_S) * RATE
        first = bisect_left(reference.beats, since)
        last = bisect_right(reference.beats, alarm.begin + MATCH)
        lately = set(reference.classes[first:last])
        flutter = any(a <= alarm.begin and b >= since for a, b in reference.flutter)
        if alarm.kind in RUNS:
            true = any(r.beats[0] <= alarm.begin + MATCH and r.beats[-1] >= since for r in any_run)
        elif alarm.kind == "supraventricular-run":
            true = "S" in lately
        elif alarm.kind == "heart-pause":
            true = _paused(reference, first, last)
        elif alarm.kind in COUNTED_S:
            true = not lately.isdisjoint("VSF")
        else:
            true = not lately.isdisjoint("VF")
        if not true and not flutter:
            yield alarm


def _paused(reference: Marks, first: int, last: int) -> bool:
    """Tell whether an RR interval that ends with one of some beats is long for the beats before."""
    intervals = np.diff(reference.beats[max(first - LONG, 0) : last])
    if len(intervals) < 2:
        return False
    return bool(intervals.max() >= PAUSE_TOLERANCE * PAUSE_SHARE * np.median(intervals))
