"""The totals of a wearer's beats: counts, in bounded memory however long the recording is."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import BeatClass
from ecgmon.core.signal_states import SignalState

VENTRICULAR: Final[tuple[BeatClass, ...]] = ("V", "F")
"""Classes of ventricular beats: a fusion is half of one."""
SUPRAVENTRICULAR: Final[tuple[BeatClass, ...]] = ("S",)
"""Classes of supraventricular ectopic beats."""
MOST_HOURS: Final = 24 * 366
"""Most hours that have figures of their own; those of the oldest ones are dropped."""


@dataclass(slots=True)
class HeartRate:
    """Heart rates in 1/min, from RR intervals that nothing interrupts.

    Attributes
    ----------
    intervals, samples : int
        How many RR intervals, and how long they are together.
    slowest, fastest : float or None
        Over `ecgmon.holter.fold.RATE_OF` intervals in a row; None if there were not so many.
    """

    intervals: int = 0
    samples: int = 0
    slowest: float | None = None
    fastest: float | None = None

    def add(self, interval: int, rate: float | None) -> None:
        """Count an interval, and the rate of the last ones where it is known."""
        self.intervals += 1
        self.samples += interval
        if rate is not None:
            self.slowest = rate if self.slowest is None else min(rate, self.slowest)
            self.fastest = rate if self.fastest is None else max(rate, self.fastest)

    @property
    def mean(self) -> float | None:
        """Intervals per minute."""
        return 60 * RATE * self.intervals / self.samples if self.samples else None

    @property
    def analysed_s(self) -> float:
        """Seconds between beats that follow each other: what all counts per hour refer to."""
        return self.samples / RATE


@dataclass(slots=True)
class EctopicRuns:
    """Ectopic beats of one origin in a row.

    Attributes
    ----------
    couplets : int
        Two in a row.
    runs, beats : int
        Three or more in a row, and the beats in them.
    longest : int
        Beats of the longest run.
    fastest : float or None
        The highest mean rate of a run in 1/min.
    """

    couplets: int = 0
    runs: int = 0
    beats: int = 0
    longest: int = 0
    fastest: float | None = None


@dataclass(slots=True)
class Episodes:
    """Episodes of a rhythm, and how many samples they last together."""

    episodes: int = 0
    samples: int = 0


@dataclass(slots=True)
class HourTotals:
    """What counts for one hour."""

    classes: Counter[BeatClass] = field(default_factory=Counter)
    rate: HeartRate = field(default_factory=HeartRate)


@dataclass(slots=True)
class BeatTotals(HourTotals):
    """What counts for the whole recording.

    Attributes
    ----------
    ventricular, supraventricular : EctopicRuns
        Couplets and runs; fusions are ventricular.
    bigeminy, trigeminy : Episodes
        Each second, or each third, beat is ventricular, three times or more.
    pauses : int
        RR intervals of `ecgmon.holter.fold.PAUSE` or more.
    longest_rr : int
        The longest RR interval in samples; 0 if there is none.
    fibrillation : Episodes
        Episodes of atrial fibrillation, as alarmed, and their seconds with a signal.
    r_on_t : int
        Ventricular beats in the T wave of the beat before.
    withdrawn : int
        Beats that turned out to be noise; they count for nothing else.
    seconds : Counter of SignalState
        Seconds with a signal, noisy ones, absent ones.
    missing : int
        Samples that never arrived.
    hours : dict of int to HourTotals
        By the number of hours since the origin of time, in the order in which they came.
    """

    ventricular: EctopicRuns = field(default_factory=EctopicRuns)
    supraventricular: EctopicRuns = field(default_factory=EctopicRuns)
    bigeminy: Episodes = field(default_factory=Episodes)
    trigeminy: Episodes = field(default_factory=Episodes)
    fibrillation: Episodes = field(default_factory=Episodes)
    pauses: int = 0
    longest_rr: int = 0
    r_on_t: int = 0
    withdrawn: int = 0
    seconds: Counter[SignalState] = field(default_factory=Counter)
    missing: int = 0
    hours: dict[int, HourTotals] = field(default_factory=dict)

    @property
    def burden(self) -> float | None:
        """Share of the seconds with a signal that are atrial fibrillation; None without any."""
        known = self.seconds["signal"] * WINDOW
        return self.fibrillation.samples / known if known else None

    def hour(self, number: int) -> HourTotals:
        """Return an hour's totals, which may begin with this."""
        if number not in self.hours:
            self.hours[number] = HourTotals()
            if len(self.hours) > MOST_HOURS:
                del self.hours[next(iter(self.hours))]
        return self.hours[number]

    def state_s(self, state: SignalState) -> int:
        """Return the seconds of a state."""
        return self.seconds[state] * WINDOW // RATE
