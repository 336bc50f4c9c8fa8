"""How long alarms of each priority last and are kept apart, as monitors of wards do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ecgmon.core.alarm_kinds import Priority


@dataclass(frozen=True, slots=True)
class AlarmTiming:
    """The times of one priority, in seconds of the signal.

    Parameters
    ----------
    clear_s : int
        An alarm of the heart rate ends after so many seconds in a row inside its limit: a rate that
        wanders around a limit is one alarm and not many.
    burst_s : int
        A condition that begins again within this time of its end goes on with its last alarm.
    """

    clear_s: int
    burst_s: int


TIMING: Final[Mapping[Priority, AlarmTiming]] = {
    "high": AlarmTiming(clear_s=10, burst_s=0),
    "medium": AlarmTiming(clear_s=30, burst_s=180),
    "low": AlarmTiming(clear_s=30, burst_s=180),
}
"""An alarm of high priority stays until somebody has seen it, so it may end soon and is a new one
each time. Of the others ward monitors usually do not announce the same again for three minutes."""
