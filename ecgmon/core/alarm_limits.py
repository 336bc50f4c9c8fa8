"""Alarm limits of a wearer: the configuration parses them, and the monitor applies them.

Each value is checked when it is made, whoever made it: limits that exist can be used.
"""

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from ecgmon.core.errors import LimitsError
from ecgmon.core.rhythm_limits import HIGHEST_RATE, LOWEST_RATE, RhythmLimits

LONGEST: Final = 3600
"""Longest time in seconds that a limit looks back or waits."""
MOST_ABNORMAL: Final = 300
"""Longest span in seconds in which abnormal seconds are counted."""
MARGIN: Final = 3.0
"""A rate alarm clears once the rate is inside its limit by this much, in 1/min: no flapping."""
RATES: Final = ("extreme_low_rate", "low_rate", "high_rate", "extreme_high_rate")
"""The limits of the heart rate, from the lowest to the highest."""


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """Raise at ``k`` of the last ``n`` seconds; clear after ``clear`` seconds in a row without.

    Raises
    ------
    LimitsError
        If that can never be fulfilled.
    """

    k: int
    n: int
    clear: int

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n <= LONGEST:
            raise LimitsError(
                f"An alarm cannot be raised at {self.k} of {self.n} seconds: "
                f"choose 1 <= k <= n <= {LONGEST}.",
                ("abnormal",),
            )
        if not 1 <= self.clear <= LONGEST:
            raise LimitsError(
                f"An alarm cannot be cleared after {self.clear} seconds: "
                f"choose 1 <= clear <= {LONGEST}.",
                ("clear_after",),
            )


GAP_LIMIT: Final = Hysteresis(5, 20, 20)
"""Limit of the alarm for gaps: 5 of 20 seconds with missing samples, cleared after 20 without.
Each gap restarts the counts of asystole and rate, so a gap every four seconds would hide both."""


def k_of_n(text: str, clear: int) -> Hysteresis:
    """Read a rule such as ``3/10``: abnormal in 3 of the last 10 seconds.

    Raises
    ------
    LimitsError
        If it is none.
    """
    match = re.fullmatch(r"([0-9]{1,3})/([0-9]{1,3})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= MOST_ABNORMAL:
        raise LimitsError(
            f"abnormal {text} is no K/N with K from 1 to N and N up to {MOST_ABNORMAL}, such as "
            "3/10.",
            ("abnormal",),
        )
    return Hysteresis(int(match[1]), int(match[2]), clear)


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """The limits at which one wearer's alarms are raised and cleared.

    The configuration sets all but *no_signal* and *noisy*; its defaults (`ecgmon.config.alarms`)
    are those here. Limits that are the same for all wearers are `GAP_LIMIT` and, in the files of
    their conditions, such as a pause of 4 s for `monitor.alarms.conditions.asystole`.

    Parameters
    ----------
    abnormal, no_signal, noisy : Hysteresis
        Counts over seconds of the stream. Two absent seconds in a row tell a lead-off within 3 s.
    low_rate, high_rate : float or None
        Limits of the heart rate in 1/min; None raises nothing.
    extreme_low_rate, extreme_high_rate : float or None
        Limits in 1/min beyond which the rate itself endangers life.
    silent_s : float
        Seconds without samples from an open stream that raise *silent*.
    lag_s : float
        Delay of samples, in seconds, that raises *lag*.
    paced : bool
        Whether the wearer has a pacemaker: a beat that follows its spike is then neither ectopic
        nor abnormal, whatever its shape.
    rhythms : RhythmLimits
        Limits of rhythms that are named from labelled beats.

    Raises
    ------
    LimitsError
        If the limits contradict each other; it names the fields.
    """

    abnormal: Hysteresis = Hysteresis(3, 10, 30)
    no_signal: Hysteresis = Hysteresis(2, 2, 3)
    noisy: Hysteresis = Hysteresis(5, 10, 10)
    low_rate: float | None = 50.0
    high_rate: float | None = 120.0
    extreme_low_rate: float | None = 35.0
    extreme_high_rate: float | None = 150.0
    silent_s: float = 10.0
    lag_s: float = 5.0
    paced: bool = False
    rhythms: RhythmLimits = field(default_factory=RhythmLimits)

    def __post_init__(self) -> None:
        limits = {name: limit for name in RATES if (limit := getattr(self, name)) is not None}
        for name, limit in limits.items():
            if not LOWEST_RATE <= limit <= HIGHEST_RATE:
                raise LimitsError(
                    f"{name} cannot be {limit:g}/min: choose {LOWEST_RATE:g} to "
                    f"{HIGHEST_RATE:g}/min, or 0 for no such alarm.",
                    (name,),
                )
        for lower, upper in pairwise(limits):
            # Between a low and a high limit there must be a rate that clears both.
            room = 2 * MARGIN if "low" in lower and "high" in upper else 0.0
            if limits[upper] - limits[lower] <= room:
                raise LimitsError(
                    f"{upper} must be more than {limits[lower] + room:g}/min, as {lower} is "
                    f"{limits[lower]:g}/min.",
                    (lower, upper),
                )
        for name in ("silent_s", "lag_s"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and 0 < seconds <= LONGEST):
                raise LimitsError(
                    f"{name} cannot be {seconds:g} s: choose more than 0 and at most {LONGEST} s.",
                    (name,),
                )
