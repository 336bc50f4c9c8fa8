"""Atrial fibrillation: one alarm for an episode, from a model of the last beats."""

from collections import deque
from collections.abc import Collection, Mapping
from math import log
from statistics import fmean
from typing import ClassVar, Final

from ecgmon.core.alarm_kinds import Kind, Priority, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.state import NESTED, Layout, Stateful
from monitor.alarms.conditions.base import SignalCondition

AVERAGED: Final = 6
"""Verdicts, 5 s from one to the next, whose logarithmic odds are averaged."""
BEGINS: Final = 3.0
"""Mean from which on an episode has begun: odds of 20 to 1."""
ENDS: Final = 0.0
"""Mean below which it is over."""
_LEAST: Final = 0.018
"""Probabilities are taken as no closer to 0 and 1 than this: a verdict counts for four at most."""

KIND: Final = "atrial-fibrillation"


class AtrialRhythm(Stateful):
    """Whether a stream's last half minute is of atrial fibrillation.

    Parameters
    ----------
    holds : bool
        Whether it was before the stream began.
    """

    layout = Layout("atrial rhythm", 1, holds=bool, _odds=list[float])

    def __init__(self, holds: bool = False) -> None:
        self.holds = holds
        self._odds: deque[float] = deque(maxlen=AVERAGED)

    @property
    def is_known(self) -> bool:
        """Whether the last verdict told something."""
        return bool(self._odds)

    def add(self, fibrillation: float | None) -> bool:
        """Take the next verdict, None if there is none; return whether there is an episode.

        Without a verdict nothing is known: an episode ends, and the next needs new ones.
        """
        if fibrillation is None:
            self._odds.clear()
            self.holds = False
            return False
        bounded = min(max(fibrillation, _LEAST), 1 - _LEAST)
        self._odds.append(log(bounded / (1 - bounded)))
        mean = fmean(self._odds)
        if self.holds:
            self.holds = mean >= ENDS
        else:
            self.holds = len(self._odds) == AVERAGED and mean >= BEGINS
        return self.holds


class AtrialFibrillation(SignalCondition):
    """*atrial-fibrillation*: as long as an episode lasts."""

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        KIND: Properties("low", "physiological", False, "atrial fibrillation")
    }
    layout = Layout("atrial fibrillation", 1, _rhythm=NESTED)

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._rhythm = AtrialRhythm(KIND in holding)

    def atrial(self, fibrillation: float | None) -> Mapping[Kind, bool]:
        """Take the next verdict on the atrial rhythm."""
        holds = self._rhythm.add(fibrillation)
        return {KIND: holds and self.limits.rhythms.atrial_fibrillation != "off"}

    def priority(self, kind: Kind) -> Priority:
        """Return the priority that the wearer's limits give it."""
        level = self.limits.rhythms.atrial_fibrillation
        return super().priority(kind) if level == "off" else level

    def text(self, kind: Kind) -> str:
        """Return the text with what it rests on."""
        return f"{super().text(kind)}: uneven intervals without P waves"
