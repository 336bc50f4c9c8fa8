"""Properties that alarms of one kind share, and the states of an alarm."""

from dataclasses import dataclass
from typing import Literal

Kind = str
"""A word such as *asystole*; which there are, `monitor.alarms.kinds` says."""
Priority = Literal["high", "medium", "low"]
Category = Literal["physiological", "technical"]
"""Whether an alarm is about the wearer or about what watches the wearer."""
AlarmState = Literal["raised", "acknowledged", "latched", "cleared"]


@dataclass(frozen=True, slots=True)
class Properties:
    """What all alarms of a kind have in common.

    Parameters
    ----------
    priority : Priority
        How soon somebody has to come.
    category : Category
        Whose trouble it is.
    latching : bool
        Whether an alarm that nobody has acknowledged stays when its condition has gone: what may
        kill must be known even if it was short.
    text : str
        What a person reads.
    """

    priority: Priority
    category: Category
    latching: bool
    text: str
