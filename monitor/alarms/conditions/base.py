"""The port of alarm conditions: what decides from a stream's seconds whether something holds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.state import Stateful
from ecgmon.signal import Second


@dataclass(frozen=True, slots=True)
class Condition:
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

    def gap(self, first: int) -> None:
        """Take that samples before index ``first`` are missing: ``self._intervals.clear()``."""

    def text(self, kind: Kind) -> str:
        """Return what a person reads of one of its kinds: ``"heart rate low: limit 50 ..."``."""
        return self.kinds[kind].text
