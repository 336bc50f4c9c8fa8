"""What a named rhythm asks of the last beats: runs, cycles, and beats early, late or often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, Protocol

from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_rules import CYCLES, is_r_on_t

PAUSE_SHARE: Final = 1.75
"""A pause as a multiple of the usual RR interval."""
FAST_RR: Final = RATE / 2
"""Samples of the usual RR interval below which, above 120 a minute, a pause is `FAST_PAUSE`."""
FAST_PAUSE: Final = RATE
"""Samples of a pause of a fast heart."""
SHAPE: Final = "by the shape of the signal"
"""What an alarm rests on where no beats do."""


class Seen(NamedTuple):
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

    @property
    def is_normal(self) -> bool:
        """Whether it is a beat of letter N, and no run of other beats has ended with it."""
        return self.letters[-1:] == "N" and not self.ended


class BeatPattern(Protocol):
    """What a row asks of the beats."""

    @property
    def of_normal(self) -> bool:
        """Whether it may be found where `Seen.is_normal`."""

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

    of_normal: ClassVar[bool] = False

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

    of_normal: ClassVar[bool] = False

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

    of_normal: ClassVar[bool] = False

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

    of_normal: ClassVar[bool] = False

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

    of_normal: ClassVar[bool] = False

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

    of_normal: ClassVar[bool] = True

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

    of_normal: ClassVar[bool] = False

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
