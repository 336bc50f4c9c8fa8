"""Alarm limits of a wearer, and limits that are the same for all."""

from typing import Final

from ecgmon.core.alarm_limits import MARGIN, Hysteresis
from ecgmon.core.alarm_limits import AlarmLimits as Rules

__all__ = ["GAPS", "MARGIN", "Hysteresis", "Rules"]

GAPS: Final = Hysteresis(5, 20, 20)
"""Of seconds that are not whole: asystole and rates are counted anew after each gap, so that where
there is one every four seconds neither would ever be found."""
