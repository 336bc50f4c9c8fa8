"""The port of alarm conditions: what decides from a stream's seconds whether something holds."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from ecgmon.core.alarm_kinds import Kind, Priority, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.labels import BeatClass
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.state import Stateful
from ecgmon.signal import Second

NEVER: Final = 2**62
"""A stream index that no stream reaches."""
SETTLED: Final = 3 * RATE // 2
"""Samples after a beat's R peak from which on it is certain: it cannot be withdrawn any more."""


class Condition(NamedTuple):
    """A change of a condition: it begins to hold, or ends, at sample ``at``."""

    kind: Kind
    holds: bool
    at: int


class SignalCondition(Stateful):
    """Decides of one stream when the conditions of some kinds begin and end.

    Time is the sample index, so that the same signal gives the same conditions at any replay speed
    and however it was cut. What a method returns may repeat what held before: only changes are
    told. Each method does nothing unless a condition overrides it.

    Parameters
    ----------
    limits : AlarmLimits
        The wearer's limits.
    holding : collection of Kind
        What held before the stream began; it ends as if it had begun here.

    Attributes
    ----------
    kinds : mapping of Kind to Properties
        What it decides of, with priority and text: ``{"rate-rise": Properties("medium", ...)}``.
    layout : Layout
        What it has learnt of the stream, so that a wearer can be moved to another monitor:
        ``Layout("rate rise", 1, _rates=list[float])``.
    """

    kinds: ClassVar[Mapping[Kind, Properties]]

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        self.limits = limits

    @property
    def due(self) -> int:
        """Stream index from which on `elapsed` has something to tell; 0: whenever it is asked.

        What it would take before, such as beats, it takes later as well. It is asked in any case
        while the line is lost, and in a second that is not whole.
        """
        return 0

    def elapsed(self, now: int, beats: Sequence[int], lost: int | None) -> list[Condition]:
        """Take how far the stream is: what must be told soon does not wait for a second's end.

        Parameters
        ----------
        now : int
            Stream index of the next sample.
        beats : sequence of int
            All beats confirmed since the last whole second that are not weak; they come again.
        lost : int or None
            Stream index from which on the line is lost; it comes again.
        """
        return []

    def second(self, second: Second) -> Mapping[Kind, bool]:
        """Take a whole second and return what holds after it: ``{"noisy": True}``."""
        return {}

    def judged(self, abnormal: bool | None) -> Mapping[Kind, bool]:
        """Take the verdict on the next second, None if there is none: ``{"abnormal": True}``."""
        return {}

    def rhythm(self, end: int, verdict: RhythmVerdict | None) -> Mapping[Kind, bool]:
        """Take the verdict on the rhythm up to index ``end``, None if there is none.

        Return what begins by it: ``{"ventricular-fibrillation": True}``.
        """
        return {}

    def atrial(self, fibrillation: float | None) -> Mapping[Kind, bool]:
        """Take the probability of atrial fibrillation, every few seconds, None if it is not known.

        Return what holds after it: ``{"atrial-fibrillation": True}``.
        """
        return {}

    def usual(self, likeness: float | None) -> Mapping[Kind, bool]:
        """Take how like that of the enrolment the usual beat of the last minute is, 1 for the same.

        None if the model that judges knows none. Return what holds: ``{"usual-beat": True}``.
        """
        return {}

    def beat(self, at: int, label: BeatClass, probability: float, rr: int | None) -> None:
        """Take a beat that a beat model has named; without such a model there is none.

        Beats come in order, each before `elapsed` tells that the stream is `SETTLED` samples on.

        Parameters
        ----------
        at : int
            Stream index of its R peak.
        label : BeatClass
            Its class.
        probability : float
            Of this class, 0 to 1.
        rr : int or None
            Samples since the beat before; None if that is not known.
        """

    def withdraw(self, at: int) -> None:
        """Take that the beat at index ``at`` was none, within `SETTLED` samples: noise hides it."""

    def gap(self, first: int) -> None:
        """Take that samples before index ``first`` are missing: ``self._intervals.clear()``."""

    def priority(self, kind: Kind) -> Priority:
        """Return how soon somebody has to come for one of its kinds, by the wearer's limits."""
        return self.kinds[kind].priority

    def text(self, kind: Kind) -> str:
        """Return what a person reads of one of its kinds: ``"heart rate low: limit 50 ..."``."""
        return self.kinds[kind].text
