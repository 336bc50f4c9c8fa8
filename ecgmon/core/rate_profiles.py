"""Limits of the heart rate for adults, children and newborns: a wearer's profile sets them."""

from collections.abc import Mapping
from typing import Final, Literal

Profile = Literal["adult", "child", "neonate"]

PROFILES: Final[Mapping[Profile, Mapping[str, float]]] = {
    "adult": {
        "low_rate": 50.0,
        "high_rate": 120.0,
        "extreme_low_rate": 35.0,
        "extreme_high_rate": 150.0,
    },
    "child": {
        "low_rate": 75.0,
        "high_rate": 160.0,
        "extreme_low_rate": 55.0,
        "extreme_high_rate": 180.0,
    },
    "neonate": {
        "low_rate": 100.0,
        "high_rate": 200.0,
        "extreme_low_rate": 80.0,
        "extreme_high_rate": 230.0,
    },
}
"""Fields of `ecgmon.core.alarm_limits.AlarmLimits`, in 1/min. Those of newborns are the yellow and
the red limits of an intensive care unit (PMC6906083, table 6); those of children lie 20 beyond the
75 and 160/min at which bedside monitors usually alarm."""
