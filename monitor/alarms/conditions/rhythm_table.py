"""The rhythms that have a name, from labelled beats alone: one row for each, the worst first.

The thresholds are those that vendors of bedside monitors publish for their arrhythmia analysis,
with two differences: a ventricular tachycardia is five beats or more at 100 a minute and above
(vendors: 5 or 6, at 100 to 130), and a run of three or four is named at any rate. From the vendors'
rules are:

- bigeminy and trigeminy after three cycles;
- a pause of 1.75 times the usual RR interval, of 1 s where the usual rate is above 120 a minute;
- R on T within 0.39 s, or 45 % of the usual RR interval where that is less, after the beat before,
  if a pause or another ventricular beat follows: else it may be the T wave itself;
- that a supraventricular run begins with an early beat;
- that counts of ectopic beats wait while a wearer is being learned, and are not announced while a
  ventricular rhythm is;
- that of several at once the worst is announced (`RhythmAnnouncements`).

More than 30 ectopic beats an hour are the "frequent" ones of Lown and Wolf (Circulation 44, 1971).

The letters of beats, and what totals of beats share, are in `ecgmon.core.rhythm_rules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_limits import SHORTEST_RUN, Level, RhythmLimits
from ecgmon.core.rhythm_rules import CYCLES, is_r_on_t

PAUSE_SHARE: Final = 1.75
"""A pause as a multiple of the usual RR interval."""
FAST_RR: Final = RATE / 2
"""Samples of the usual RR interval below which, above 120 a minute, a pause is `FAST_PAUSE`."""
FAST_PAUSE: Final = RATE
"""Samples of a pause of a fast heart."""
SHAPE: Final = "by the shape of the signal"
"""What an alarm rests on where no beats do."""
LINGER_S: Final = 10
"""Seconds that a row holds after the last beat that fulfils it: one alarm, not many, where it comes
and goes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row decides from, after a beat or where beats were interrupted.

    Parameters
    ----------
    at : int
        Stream index of the beat or of the interruption.
    letters : str
        The last beats up to this one, the newest last; empty after an interruption.
    rr : int or None
        Samples since the beat before; None if that is not known.
    before : int or None
        The same of the beat before.
    usual : int or None
        The usual RR interval in samples; None if it is not known.
    run : sequence of int
        Stream indices of the last beats in a row with the letter of this one.
    sudden : bool
        Whether the first of them came early, as far as is known.
    ended : str
        The letters of the run that this beat or interruption ended, such as ``"VV"``.
    ectopics : sequence of int
        Stream indices of the last ectopic beats, this one among them.
    """

    at: int
    letters: str
    rr: int | None
    before: int | None
    usual: int | None
    run: Sequence[int]
    sudden: bool
    ended: str
    ectopics: Sequence[int]


class BeatPattern(Protocol):
    """What a row asks of the beats."""

    def found(self, seen: Seen) -> bool:
        """Tell whether this beat or interruption completes it or goes on with it."""

    @property
    def limit(self) -> str:
        """What a person reads of it."""


@dataclass(frozen=True, slots=True)
class Run:
    """At least ``beats`` in a row, the last of them at a mean rate of ``low`` to below ``high``.

    A ``sudden`` one begins with an early beat.
    """

    letter: str
    beats: int
    low: float = 0.0
    high: float | None = None
    sudden: bool = False

    def found(self, seen: Seen) -> bool:
        """Tell whether this beat is one of such a run."""
        if not seen.letters.endswith(self.letter) or len(seen.run) < self.beats:
            return False
        if self.sudden and not seen.sudden:
            return False
        rate = 60.0 * RATE * (self.beats - 1) / (seen.run[-1] - seen.run[-self.beats])
        return self.low <= rate and (self.high is None or rate < self.high)

    @property
    def limit(self) -> str:
        """Beats and rate."""
        rate = f"{self.low:g} or more" if self.high is None else f"less than {self.high:g}"
        return f"{self.beats} or more beats at {rate} a minute"


@dataclass(frozen=True, slots=True)
class EndedRun:
    """From ``least`` to ``most`` beats in a row, known when the run has ended."""

    letter: str
    least: int
    most: int

    def found(self, seen: Seen) -> bool:
        """Tell whether such a run has ended here."""
        return seen.ended.startswith(self.letter) and self.least <= len(seen.ended) <= self.most

    @property
    def limit(self) -> str:
        """How many beats."""
        return (
            f"{self.least} to {self.most} beats in a row" if self.most > 2 else "2 beats in a row"
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """What no beats show, but the shape of the signal."""

    def found(self, seen: Seen) -> bool:
        """Tell that no beat is one."""
        return False

    @property
    def limit(self) -> str:
        """What it rests on."""
        return SHAPE


@dataclass(frozen=True, slots=True)
class Cycle:
    """Letters that come `CYCLES` times, each time with a ventricular beat at the end."""

    letters: str

    def found(self, seen: Seen) -> bool:
        """Tell whether this beat ends such a cycle."""
        return seen.letters.endswith(CYCLES * self.letters)

    @property
    def limit(self) -> str:
        """Which beat it is."""
        return f"one beat of {len(self.letters)} is ventricular"


@dataclass(frozen=True, slots=True)
class Early:
    """A ventricular beat in the T wave of the beat before."""

    def found(self, seen: Seen) -> bool:
        """Tell whether the beat before this one is one."""
        if seen.before is None or seen.rr is None or seen.usual is None:
            return False
        is_ventricular, following = seen.letters[-2] == "V", seen.letters[-1]
        return is_ventricular and is_r_on_t(seen.before, seen.rr, seen.usual, following)

    @property
    def limit(self) -> str:
        """How early."""
        return "a ventricular beat in the T wave of the beat before"


@dataclass(frozen=True, slots=True)
class Late:
    """A beat that comes late. From 4 s on that is an asystole, and no RR interval."""

    def found(self, seen: Seen) -> bool:
        """Tell whether this beat is one."""
        if seen.rr is None or seen.usual is None:
            return False
        return seen.rr >= (FAST_PAUSE if seen.usual < FAST_RR else PAUSE_SHARE * seen.usual)

    @property
    def limit(self) -> str:
        """How late."""
        return "a beat comes late"


@dataclass(frozen=True, slots=True)
class Frequent:
    """More than ``beats`` ectopic beats within ``seconds``."""

    beats: int
    seconds: int

    def found(self, seen: Seen) -> bool:
        """Tell whether this beat is one of so many."""
        ectopic = seen.letters.endswith(("S", "V"))
        if not ectopic or len(seen.ectopics) <= self.beats or seen.ectopics[-1] != seen.at:
            return False
        return seen.at - seen.ectopics[-1 - self.beats] < self.seconds * RATE

    @property
    def limit(self) -> str:
        """How many."""
        return f"more than {self.beats} within {'a minute' if self.seconds == 60 else 'an hour'}"


_RANK: Final[dict[Level, int]] = {"off": 0, "low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True, slots=True)
class Row:
    """A rhythm with a name.

    Parameters
    ----------
    kind : Kind
        Its kind of alarm.
    text : str
        What a person reads.
    level : Level
        Its priority; *off* for none.
    pattern : BeatPattern
        What it asks of the beats.
    linger_s : int
        Seconds that it holds after the last beat that fulfils it.
    """

    kind: Kind
    text: str
    level: Level
    pattern: BeatPattern
    linger_s: int = LINGER_S

    def hidden_by(self, worse: "Row") -> bool:
        """Tell whether it is not announced while a row above it is.

        One of high priority always is, and none is hidden by one of a lower priority.
        """
        return self.level != "high" and _RANK[worse.level] >= _RANK[self.level]


def table(limits: RhythmLimits) -> tuple[Row, ...]:
    """Return the rows of a wearer, the worst first."""
    beats, rate = limits.ventricular_tachycardia_beats, limits.ventricular_tachycardia_rate
    tachycardia, slower = Run("V", beats, low=rate), Run("V", beats, high=rate)
    short = EndedRun("V", SHORTEST_RUN, beats - 1)
    atrial = Run(
        "S",
        limits.supraventricular_run_beats,
        low=limits.supraventricular_run_rate,
        sudden=True,
    )
    minute = Frequent(limits.ectopics_minute_beats, 60)
    hour = Frequent(limits.ectopics_hour_beats, 3600)
    return (
        Row(
            "ventricular-fibrillation",
            "ventricular fibrillation",
            limits.ventricular_fibrillation,
            Shape(),
        ),
        Row(
            "ventricular-tachycardia",
            "ventricular tachycardia",
            limits.ventricular_tachycardia,
            tachycardia,
        ),
        Row(
            "idioventricular-rhythm",
            "idioventricular rhythm",
            limits.idioventricular_rhythm,
            slower,
        ),
        Row("ventricular-run", "ventricular run", limits.ventricular_run, short),
        Row("heart-pause", "pause of the heart", limits.heart_pause, Late()),
        Row("r-on-t", "R on T", limits.r_on_t, Early()),
        Row("supraventricular-run", "supraventricular run", limits.supraventricular_run, atrial),
        Row("couplet", "ventricular couplet", limits.couplet, EndedRun("V", 2, 2)),
        Row("bigeminy", "ventricular bigeminy", limits.bigeminy, Cycle("NV")),
        Row("trigeminy", "ventricular trigeminy", limits.trigeminy, Cycle("NNV")),
        Row("ectopics-minute", "ectopic beats", limits.ectopics_minute, minute, 60),
        Row("ectopics-hour", "ectopic beats", limits.ectopics_hour, hour, 600),
    )
