"""Transitions of a wearer's alarms: an alarm changes its state, or a kind is paused."""

from dataclasses import dataclass

from ecgmon.core.alarm_kinds import AlarmState, Category, Kind, Priority
from monitor.alarms.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm changed its state.

    Parameters
    ----------
    number : int
        Which alarm of this wearer, from 1.
    kind : Kind
        What it is about.
    priority : Priority
        How soon somebody has to come, the same from *raised* to *cleared*.
    state : AlarmState
        What it is in from now on.
    stream : str or None
        The stream that ``at`` counts in.
    at : int or None
        Sample at which its condition last began or ended; None if it is no condition of the signal.
    time : float
        When the state changed, in s since 1970.
    text : str
        What a person reads, the same from *raised* to *cleared*.
    by : str or None
        Who changed it; None if its condition did.
    count : int
        How many times its condition has begun.
    """

    number: int
    kind: Kind
    priority: Priority
    state: AlarmState
    stream: str | None
    at: int | None
    time: float
    text: str
    by: str | None = None
    count: int = 1

    @property
    def latches(self) -> bool:
        """Whether it stays until somebody has seen it, as all alarms of high priority do."""
        return self.priority == "high"

    @property
    def category(self) -> Category:
        """Whose trouble it is."""
        return KINDS[self.kind].category


@dataclass(frozen=True, slots=True)
class AlarmPause:
    """A kind is silent until a time, or sounds again where that is None.

    Parameters
    ----------
    kind : Kind
        Which kind.
    until : float or None
        When the pause ends, in s since 1970.
    by : str or None
        Who asked for it; None if it ended by itself.
    time : float
        When this was so, in s since 1970.
    """

    kind: Kind
    until: float | None
    by: str | None
    time: float


Transition = Change | AlarmPause
