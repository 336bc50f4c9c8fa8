"""The limits of a wearer's named rhythms: how many beats, how fast, and with which priority.

Each value is checked here and nowhere else, when it is made: limits that exist can be used. The
fields are the keys of the configuration; that of a kind of alarm, such as ``r_on_t`` of *r-on-t*,
is its priority.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from ecgmon.core.errors import LimitsError

LOWEST_RATE: Final = 15.0
"""In 1/min. Below it each RR interval is an asystole."""
HIGHEST_RATE: Final = 300.0
"""In 1/min. Above it beats are closer than the detector tells them apart."""
SHORTEST_RUN: Final = 3
"""Beats in a row that are a run; two are a couplet."""
LONGEST_RUN: Final = 99
"""Most beats in a row that a limit may ask for."""
MOST_A_MINUTE: Final = 300
"""Most ectopic beats a minute that a limit may allow."""
MOST_AN_HOUR: Final = 3_600
"""Most ectopic beats an hour that a limit may allow: this many are remembered."""

Level = Literal["high", "medium", "low", "off"]
"""The priority of a rhythm's alarm; *off* raises none."""


@dataclass(frozen=True, slots=True)
class RhythmLimits:
    """What names the rhythms of one wearer; `monitor.alarms.conditions.rhythm_table` uses it.

    Parameters
    ----------
    ventricular_fibrillation, ventricular_tachycardia, idioventricular_rhythm : Level
        Priority of each.
    atrial_fibrillation, ventricular_run, heart_pause : Level
        Priority of each.
    r_on_t, supraventricular_run, couplet, bigeminy, trigeminy : Level
        Priority of each.
    ectopics_minute, ectopics_hour : Level
        Priority of each.
    ventricular_tachycardia_beats : int
        Ventricular beats in a row that are no short run any more.
    ventricular_tachycardia_rate : float
        In 1/min. A run of so many beats is a tachycardia from this rate on, else an idioventricular
        rhythm.
    supraventricular_run_beats : int
        Supraventricular beats in a row.
    supraventricular_run_rate : float
        Their lowest rate in 1/min.
    ectopics_minute_beats, ectopics_hour_beats : int
        Most ectopic beats a minute, and an hour, that raise nothing.

    Raises
    ------
    LimitsError
        If a value cannot be used; it names the field.
    """

    ventricular_fibrillation: Level = "high"
    atrial_fibrillation: Level = "low"
    ventricular_tachycardia: Level = "high"
    ventricular_tachycardia_beats: int = 5
    ventricular_tachycardia_rate: float = 100.0
    idioventricular_rhythm: Level = "medium"
    ventricular_run: Level = "medium"
    heart_pause: Level = "medium"
    r_on_t: Level = "medium"
    supraventricular_run: Level = "medium"
    supraventricular_run_beats: int = 3
    supraventricular_run_rate: float = 100.0
    couplet: Level = "low"
    bigeminy: Level = "low"
    trigeminy: Level = "low"
    ectopics_minute: Level = "low"
    ectopics_minute_beats: int = 10
    ectopics_hour: Level = "low"
    ectopics_hour_beats: int = 30

    def __post_init__(self) -> None:
        for name in RhythmLimits.__slots__:
            value = getattr(self, name)
            if isinstance(value, str):
                if value not in get_args(Level):
                    raise LimitsError(
                        f"{name} cannot be {value}: choose high, medium, low or off.", (name,)
                    )
                continue
            least, most = _BOUNDS[name]
            if not least <= value <= most:
                raise LimitsError(
                    f"{name} cannot be {value:g}: choose {least:g} to {most:g}.", (name,)
                )


_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "ventricular_tachycardia_beats": (SHORTEST_RUN, LONGEST_RUN),
    "ventricular_tachycardia_rate": (LOWEST_RATE, HIGHEST_RATE),
    "supraventricular_run_beats": (SHORTEST_RUN, LONGEST_RUN),
    "supraventricular_run_rate": (LOWEST_RATE, HIGHEST_RATE),
    "ectopics_minute_beats": (1, MOST_A_MINUTE),
    "ectopics_hour_beats": (1, MOST_AN_HOUR),
}
