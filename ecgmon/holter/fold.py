"""Beats in the order of time, folded into totals one by one."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.core.labels import BeatClass
from ecgmon.core.rhythm_limits import SHORTEST_RUN
from ecgmon.core.rhythm_rules import CYCLES, LETTERS, USUAL_OF, is_r_on_t
from ecgmon.holter.totals import BeatTotals, Episodes
from ecgmon.signal.qrs import LONGEST_RR

RATE_OF: Final = 8
"""RR intervals in a row that a slowest or fastest rate is of: one early beat makes no rate."""
PAUSE: Final = 2 * RATE
"""Samples of an RR interval that is a pause."""
LETTERS_KEPT: Final = 3 * CYCLES
"""Letters of the longest cycles, those of a trigeminy."""


class BeatFold:
    """The totals of beats that come in order, with what is remembered of the last ones.

    An RR interval counts where the beat names it, or where more than `LONGEST_RR` went by and
    nothing interrupted them: that is a long pause. No rate, run or cycle reaches across anything
    else, nor across such a pause.

    Attributes
    ----------
    totals : BeatTotals
        Of all that came so far; a run counts when it has ended.
    """

    def __init__(self) -> None:
        self.totals = BeatTotals()
        self._cycles = (
            _Cycle("NV", self.totals.bigeminy),
            _Cycle("NNV", self.totals.trigeminy),
        )
        self._latest: int | None = None
        self._letters = ""
        self._run = _Run()
        self._before: int | None = None
        self._normal: deque[int] = deque(maxlen=USUAL_OF)
        self._recent: deque[int] = deque(maxlen=RATE_OF)

    def beat(self, at: int, label: BeatClass, rr: int | None, hour: int) -> None:
        """Take the next beat.

        Parameters
        ----------
        at : int
            Its stream index, above that of the beat before.
        label : BeatClass
            Its class.
        rr : int or None
            Samples since the beat before; None if that is not known.
        hour : int
            The number of the hour it lies in.
        """
        totals, letter = self.totals, LETTERS[label]
        interval = self._interval(at, rr)
        if interval is None or interval > LONGEST_RR:
            self.interrupt()
        self._latest = at
        each = totals.hour(hour)
        totals.classes[label] += 1
        each.classes[label] += 1
        if interval is not None:
            rate = self._rate(interval)
            totals.rate.add(interval, rate)
            each.rate.add(interval, rate)
            totals.pauses += interval >= PAUSE
            totals.longest_rr = max(totals.longest_rr, interval)
            totals.r_on_t += self._letters[-1:] == "V" and self._on_t(interval, letter)
            if self._letters[-1:] + letter == "NN":
                self._normal.append(interval)
        if letter != self._letters[-1:]:
            self._end_run()
        self._run.add(at)
        self._letters = (self._letters + letter)[-LETTERS_KEPT:]
        self._before = interval
        for cycle in self._cycles:
            cycle.beat(at, self._letters)

    def interrupt(self) -> None:
        """Take that nothing reaches from before to after here."""
        self._end_run()
        self._latest, self._letters = None, ""
        self._recent.clear()

    def _interval(self, at: int, rr: int | None) -> int | None:
        if self._latest is None:
            return None
        interval = at - self._latest
        return interval if rr == interval or (rr is None and interval > LONGEST_RR) else None

    def _rate(self, interval: int) -> float | None:
        if interval > LONGEST_RR:
            return None
        self._recent.append(interval)
        return 60 * RATE * RATE_OF / sum(self._recent) if len(self._recent) == RATE_OF else None

    def _on_t(self, interval: int, letter: str) -> bool:
        if self._before is None or len(self._normal) < USUAL_OF:
            return False
        return is_r_on_t(self._before, interval, median_low(self._normal), letter)

    def _end_run(self) -> None:
        run, self._run = self._run, _Run()
        letter = self._letters[-1:]
        if letter not in ("S", "V") or run.beats < 2:
            return
        of = self.totals.ventricular if letter == "V" else self.totals.supraventricular
        if run.beats < SHORTEST_RUN:
            of.couplets += 1
            return
        of.runs += 1
        of.beats += run.beats
        of.longest = max(of.longest, run.beats)
        rate = 60 * RATE * (run.beats - 1) / (run.last - run.first)
        of.fastest = rate if of.fastest is None else max(rate, of.fastest)


@dataclass(slots=True)
class _Run:
    """Beats in a row of one letter, of which this many are known."""

    beats: int = 0
    first: int = 0
    last: int = 0

    def add(self, at: int) -> None:
        self.first = self.first if self.beats else at
        self.last = at
        self.beats += 1


@dataclass(slots=True)
class _Cycle:
    """A bigeminy or trigeminy that goes on, or the last one.

    Parameters
    ----------
    letters : str
        Of one cycle.
    total : Episodes
        Where its episodes count: from the first beat of the first cycle to the last of the last.
    """

    letters: str
    total: Episodes
    _since: int = LETTERS_KEPT
    _last: int = 0
    _at: deque[int] = field(default_factory=lambda: deque(maxlen=LETTERS_KEPT))

    def beat(self, at: int, letters: str) -> None:
        """Take the next beat, with the letters up to it that nothing interrupts."""
        self._at.append(at)
        self._since += 1
        if not letters.endswith(CYCLES * self.letters):
            return
        if self._since == len(self.letters):  # one cycle after the last one
            self.total.samples += at - self._last
        else:
            self.total.episodes += 1
            self.total.samples += at - self._at[-CYCLES * len(self.letters)]
        self._since, self._last = 0, at
