"""Scenarios: what happens to a simulated wearer, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import cycle
from types import MappingProxyType
from typing import Final


class Kind(Enum):
    """What goes on during one part of a scenario; the heart is in sinus rhythm if not said."""

    SINUS = auto()
    """Nothing but sinus rhythm."""
    ECTOPIC = auto()
    """Every ``count``-th beat is premature and ventricular (2 is bigeminy)."""
    RUN = auto()
    """``count`` premature ventricular beats in a row after the part's first beat."""
    RATE = auto()
    """Sinus rhythm at ``count`` beats per minute."""
    PAUSES = auto()
    """A sinus pause after every ``count``-th beat."""
    ASYSTOLE = auto()
    """No beat, but a live baseline."""
    NOISE = auto()
    """Muscle artefact and electrode motion far above the ECG."""
    LEAD_OFF = auto()
    """The device measures nothing."""
    GAP = auto()
    """The device measures, but never delivers."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a scenario's script.

    Parameters
    ----------
    seconds : float
        How long it lasts.
    kind : Kind
        What goes on.
    count : int
        Number of beats, or beats per minute, for the kinds that need one.
    """

    seconds: float
    kind: Kind
    count: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script for a simulated wearer, and what the command line says of it.

    Parameters
    ----------
    name : str
        What to ask for.
    summary : str
        One line for ``--help``.
    parts : tuple of Part
        The script. It ends in sinus rhythm that is long enough for every alarm to clear, so that
        it can be repeated without end.
    """

    name: str
    summary: str
    parts: tuple[Part, ...]

    @property
    def duration_s(self) -> float:
        """Default duration in seconds: the script once."""
        return sum(part.seconds for part in self.parts)

    def schedule(self, until_s: float) -> Iterator[tuple[float, float, Part]]:
        """Play the script over and over.

        Parameters
        ----------
        until_s : float
            The last part is the one that contains this time, in seconds.

        Yields
        ------
        start_s, stop_s : float
            When the part begins and ends, in seconds from the start of the stream.
        part : Part
        """
        start = 0.0
        for part in cycle(self.parts):
            if start >= until_s:
                return
            stop = start + part.seconds
            yield start, stop, part
            start = stop


_ALL: Final = (
    Scenario("normal", "Sinus rhythm; no alarm", (Part(60, Kind.SINUS),)),
    Scenario(
        "premature",
        "Premature ventricular beats: every second, third, fourth, then none; abnormal",
        (
            Part(10, Kind.SINUS),
            Part(20, Kind.ECTOPIC, 2),
            Part(15, Kind.ECTOPIC, 3),
            Part(15, Kind.ECTOPIC, 4),
            Part(50, Kind.SINUS),
        ),
    ),
    Scenario(
        "runs",
        "Runs of 4 to 12 ventricular beats at 150 to 180 per minute; abnormal, ventricular "
        "tachycardia, perhaps a high rate",
        (
            Part(10, Kind.SINUS),
            Part(5, Kind.RUN, 4),
            Part(9, Kind.RUN, 12),
            Part(8, Kind.RUN, 6),
            Part(9, Kind.RUN, 10),
            Part(9, Kind.RUN, 8),
            Part(50, Kind.SINUS),
        ),
    ),
    Scenario(
        "pauses",
        "Sinus pauses of 2 to 3.2 s; no alarm",
        (Part(10, Kind.SINUS), Part(70, Kind.PAUSES, 8), Part(10, Kind.SINUS)),
    ),
    Scenario(
        "bradycardia",
        "The heart rate falls from 80 to 40 per minute for 30 s; low-rate",
        (Part(20, Kind.RATE, 80), Part(30, Kind.RATE, 40), Part(60, Kind.RATE, 80)),
    ),
    Scenario(
        "tachycardia",
        "The heart rate rises from 80 to 135 per minute for 30 s; high-rate",
        (Part(20, Kind.RATE, 80), Part(30, Kind.RATE, 135), Part(40, Kind.RATE, 80)),
    ),
    Scenario(
        "extreme",
        "The heart rate falls to 30, and later rises to 180 per minute; extreme rates",
        (
            Part(20, Kind.RATE, 80),
            Part(25, Kind.RATE, 30),
            Part(30, Kind.RATE, 80),
            Part(20, Kind.RATE, 180),
            Part(40, Kind.RATE, 80),
        ),
    ),
    Scenario(
        "asystole",
        "The heart stands still for 12 s while the lead is on; asystole",
        (Part(30, Kind.SINUS), Part(12, Kind.ASYSTOLE), Part(30, Kind.SINUS)),
    ),
    Scenario(
        "noise",
        "25 s of muscle artefact and electrode motion; noisy",
        (Part(20, Kind.SINUS), Part(25, Kind.NOISE), Part(35, Kind.SINUS)),
    ),
    Scenario(
        "lead-off",
        "The electrode is off for 15 s; no-signal",
        (Part(20, Kind.SINUS), Part(15, Kind.LEAD_OFF), Part(25, Kind.SINUS)),
    ),
    Scenario(
        "gaps",
        "Samples lost: 0.2 to 1.4 s without an alarm, then 8 s; no-signal",
        (
            Part(10, Kind.SINUS),
            Part(0.2, Kind.GAP),
            Part(6, Kind.SINUS),
            Part(0.5, Kind.GAP),
            Part(6, Kind.SINUS),
            Part(1, Kind.GAP),
            Part(6, Kind.SINUS),
            Part(1.4, Kind.GAP),
            Part(10.5, Kind.SINUS),
            Part(8, Kind.GAP),
            Part(25.4, Kind.SINUS),
        ),
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {scenario.name: scenario for scenario in _ALL}
)
"""Every scenario by its name."""
