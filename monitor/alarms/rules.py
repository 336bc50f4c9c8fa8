"""What raises and clears the alarms."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ecgmon.errors import UsageError

LONGEST: Final = 3600
"""Most seconds that any rule looks back or waits."""
LOWEST_RATE: Final = 15.0
"""In 1/min. Below it each RR interval is an asystole."""
HIGHEST_RATE: Final = 300.0
"""In 1/min. Above it beats are closer than the detector tells them apart."""
MARGIN: Final = 3.0
"""In 1/min. A rate must be back inside its limit by this much: at the limit it would flap."""


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """Raise at ``k`` of the last ``n`` seconds; clear after ``clear`` seconds in a row without.

    Raises
    ------
    UsageError
        If that can never be fulfilled.
    """

    k: int
    n: int
    clear: int

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n <= LONGEST:
            raise UsageError(
                f"An alarm cannot be raised at {self.k} of {self.n} seconds: "
                f"choose 1 <= k <= n <= {LONGEST}."
            )
        if not 1 <= self.clear <= LONGEST:
            raise UsageError(
                f"An alarm cannot be cleared after {self.clear} seconds: "
                f"choose 1 <= clear <= {LONGEST}."
            )


GAPS: Final = Hysteresis(5, 20, 20)
"""Of seconds that are not whole: asystole and rates are counted anew after each gap, so that where
there is one every four seconds neither would ever be found."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What raises and clears the alarms of one wearer.

    Parameters
    ----------
    abnormal, no_signal, noisy : Hysteresis
        Over the seconds of the stream. Two absent seconds in a row tell a lead-off within 3 s.
    low_rate, high_rate : float or None
        Limits of the heart rate in 1/min; None raises nothing.
    extreme_low_rate, extreme_high_rate : float or None
        Limits beyond which the rate itself may kill.
    silent_s : float
        Seconds without samples from an open stream.
    lag_s : float
        Seconds by which samples come late.

    Raises
    ------
    UsageError
        If the rules contradict each other.
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

    def __post_init__(self) -> None:
        limits = {
            name: limit
            for name in ("extreme_low_rate", "low_rate", "high_rate", "extreme_high_rate")
            if (limit := getattr(self, name)) is not None
        }
        for name, limit in limits.items():
            if not LOWEST_RATE <= limit <= HIGHEST_RATE:
                raise UsageError(
                    f"{name} cannot be {limit:g}/min: choose {LOWEST_RATE:g} to "
                    f"{HIGHEST_RATE:g}/min, or leave the alarm off."
                )
        for lower, upper in pairwise(limits):
            # Between a low and a high limit there must be a rate that clears both.
            room = 2 * MARGIN if "low" in lower and "high" in upper else 0.0
            if limits[upper] - limits[lower] <= room:
                raise UsageError(
                    f"{upper} must be more than {limits[lower] + room:g}/min, as {lower} is "
                    f"{limits[lower]:g}/min."
                )
        for name in ("silent_s", "lag_s"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and 0 < seconds <= LONGEST):
                raise UsageError(
                    f"{name} cannot be {seconds:g} s: choose more than 0 and at most {LONGEST} s."
                )
