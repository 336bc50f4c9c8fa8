"""The wearer's usual beat is for long no longer that of the enrolment."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.state import Index, Layout
from monitor.alarms.conditions.base import SignalCondition

LIMIT: Final = 0.85
"""Likeness below which a minute's usual beat is another one. Chosen on the people of mitdb and svdb
who choose (docs/results/drift.md)."""
MINUTES: Final = 10
"""Minutes in a row that begin and end the condition: it is to be lasting, and nobody has to hurry.
Those that show no usual beat, as in noise, count for nothing."""

KIND: Final = "usual-beat"


class UsualBeat(SignalCondition):
    """*usual-beat*: what a wearer's own model was fitted to is not what it sees."""

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        KIND: Properties(
            "low", "technical", False, "the usual beat is no longer that of the enrolment"
        )
    }
    layout = Layout("usual beat", 1, _holds=bool, _against=Index, _likeness=float | None)

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._holds = KIND in holding
        self._against = 0
        self._likeness: float | None = None

    def usual(self, likeness: float | None) -> Mapping[Kind, bool]:
        """Take the next minute; with nothing to compare with, the condition ends."""
        self._likeness = likeness
        if likeness is None:
            self._holds, self._against = False, 0
        else:
            is_other = likeness < LIMIT
            self._against = self._against + 1 if is_other != self._holds else 0
            if self._against == MINUTES:
                self._holds, self._against = is_other, 0
        return {KIND: self._holds}

    def text(self, kind: Kind) -> str:
        """Return the text with how alike the beats are, and what to do."""
        alike = "" if self._likeness is None else f" (likeness {self._likeness:.2f})"
        return f"{super().text(kind)}{alike}: check the lead, else enrol again (ecgmon enroll)"
