"""Alarm conditions of the heart rate: low, high and their extremes."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, Final

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import MARGIN, AlarmLimits
from ecgmon.core.alarm_timing import TIMING
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.state import NESTED, Index, Indices, Layout, Stateful
from ecgmon.signal import Second
from ecgmon.signal.qrs import CONFIRMED_AFTER
from monitor.alarms.conditions.asystole import PAUSE
from monitor.alarms.conditions.base import SignalCondition

SLOW: Final = 4
"""RR intervals whose mean must be back inside a low limit before its condition ends."""
FAST: Final = 8
"""RR intervals whose mean is held against the high limits, as many as in the rate that is shown. A
fast heart brings them soon, and in atrial fibrillation four are too often short by chance."""
FORGOTTEN: Final = 10
"""Seconds in a row without usable signal after which what is known of a slow heart is forgotten."""

FEW_KIN: Final = 2
"""A beat that looks like fewer of the eight before it may be noise (`ecgmon.signal.beat_kin`)."""
DOUBTFUL: Final = 4
"""Beats that may be noise, of the `FAST` + 1 of a fast heart, that are still believed. An ectopic
beat looks like none before it, and the first ones of a tachycardia do not."""
VENTRICULAR: Final = 0.3
"""Probability of a ventricular rhythm from which on all beats are believed, however unlike."""


@dataclass(slots=True)
class _Limit(Stateful):
    """Whether the rate is beyond one limit; ``side`` is 1 for a high limit, -1 for a low one."""

    layout = Layout(
        "limit of the heart rate", 2, ("limit", "side", "clear"), holds=bool, inside=Index
    )

    limit: float | None
    side: int
    clear: int
    holds: bool
    inside: int = 0

    def update(self, begins: float | None, ends: float | None) -> None:
        """Take the next second's rates, that which begins the condition and that which ends it.

        A rate that is not known changes nothing.
        """
        if self.limit is None:
            self.relieve()
        elif begins is not None and self.side * (begins - self.limit) > 0:
            self.holds, self.inside = True, 0
        elif self.holds and ends is not None:
            if self.side * (ends - self.limit) <= -MARGIN:
                self.relieve()
            else:
                self.inside = 0

    def relieve(self) -> None:
        """Take a second that speaks for ending the condition."""
        self.inside += 1
        if self.inside >= self.clear:
            self.holds = False


def _update(limit: _Limit, worse: _Limit, begins: float | None, ends: float | None) -> None:
    """Take the next second's rates for a limit and the extreme one; see `_Limit.update`."""
    limit.update(ends if worse.holds else begins, ends)
    worse.update(begins, ends)
    if worse.holds:
        limit.holds = False  # when the extreme ends, the mean then decides


class HeartRateConditions(SignalCondition):
    """The four alarm conditions of the heart rate, evaluated once a second.

    A low condition begins when each of the last three RR intervals is longer than the limit's: a
    pause or two are no slow heart. The running interval counts as one of them once it is as long
    itself, so that a slow heart is noticed before its next beat. It ends by the mean of `SLOW`
    intervals. A high condition begins and ends by the mean of `FAST`. A running interval beyond 4 s
    is asystole's business, and the rate is not known.

    Only intervals between strong beats within usable signal count. A second without it breaks the
    running interval and speaks for ending what holds. A high condition needs all its intervals
    since then, for noise does not begin and end with such a second, and beats of which no more than
    `DOUBTFUL` may be noise by their shape; what is known of a slow heart, which brings few, is
    forgotten after `FORGOTTEN` such seconds in a row.

    A condition ends after `AlarmTiming.clear_s` seconds in a row with the rate inside by `MARGIN`;
    in between, seconds in which the rate is not known count for neither. The
    extreme condition holds in place of the plain one, which takes over when the extreme ends only
    if the mean is beyond the plain limit then.

    Parameters
    ----------
    limits : AlarmLimits
        The limits.
    holding : collection of Kind
        What held before the stream began.
    """

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        "extreme-low-rate": Properties("high", "physiological", True, "heart rate extremely low"),
        "extreme-high-rate": Properties("high", "physiological", True, "heart rate extremely high"),
        "low-rate": Properties("medium", "physiological", False, "heart rate low"),
        "high-rate": Properties("medium", "physiological", False, "heart rate high"),
    }
    layout = Layout(
        "heart rate conditions",
        2,
        _limits=NESTED,
        _intervals=Indices,
        _kin=Indices,
        _ventricular=bool,
        _beat=Index | None,
        _usable_from=Index,
        _lost=Index,
        _unbroken=Index,
    )

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._limits: dict[Kind, _Limit] = {
            kind: _Limit(limit, side, TIMING[self.kinds[kind].priority].clear_s, kind in holding)
            for kind, limit, side in (
                ("low-rate", limits.low_rate, -1),
                ("high-rate", limits.high_rate, 1),
                ("extreme-low-rate", limits.extreme_low_rate, -1),
                ("extreme-high-rate", limits.extreme_high_rate, 1),
            )
        }
        self._intervals: deque[int] = deque(maxlen=FAST)
        self._kin: deque[int] = deque(maxlen=FAST + 1)
        self._ventricular = False
        self._beat: int | None = None
        self._usable_from = 0
        self._lost = 0
        self._unbroken = 0

    def second(self, second: Second) -> dict[Kind, bool]:
        """Take a whole second and return which conditions hold after it."""
        if second.state == "signal":
            known = zip_longest(second.beats, second.kin, fillvalue=FEW_KIN)
            strong = [(beat, kin) for beat, kin in known if beat not in second.weak]
            return self._advance(second.end, strong)
        return self._lose(second.end)

    def rhythm(self, end: int, verdict: RhythmVerdict | None) -> Mapping[Kind, bool]:
        """Take whether a ventricular rhythm is likely: its beats may be unlike each other."""
        self._ventricular = verdict is not None and verdict.ventricular >= VENTRICULAR
        return {}

    def gap(self, first: int) -> None:
        """Forget all intervals: samples before index ``first`` are missing."""
        self._intervals.clear()
        self._beat, self._usable_from = None, max(self._usable_from, first)

    def text(self, kind: Kind) -> str:
        """Return the text with the limit that it went by."""
        return f"{super().text(kind)}: limit {self._limits[kind].limit:g} beats a minute"

    def _advance(self, end: int, beats: Iterable[tuple[int, int]]) -> dict[Kind, bool]:
        """Take a second of signal that ended at ``end`` and its strong beats with their kin."""
        self._lost = 0
        longest = 0
        for beat, alike in beats:
            self._take(beat)
            self._kin.append(alike)
            longest = max(longest, self._shortest())
        running = end - CONFIRMED_AFTER - self._beat if self._beat is not None else 0
        longest = max(longest, self._shortest(running))
        slow = 60.0 * RATE / longest if longest else None
        believed = self._unbroken >= FAST and self._are_believed()
        fast = self._mean(FAST, running) if believed else None
        low, lower = self._limits["low-rate"], self._limits["extreme-low-rate"]
        mean = self._mean(SLOW, running) if low.holds or lower.holds else None
        _update(low, lower, slow, mean)
        _update(self._limits["high-rate"], self._limits["extreme-high-rate"], fast, fast)
        return self._holds()

    def _lose(self, end: int) -> dict[Kind, bool]:
        """Take a second without usable signal."""
        self._lost += 1
        self._unbroken = 0
        if self._lost >= FORGOTTEN:
            self._intervals.clear()
        self._beat, self._usable_from = None, max(self._usable_from, end)
        for limit in self._limits.values():
            limit.relieve()
        return self._holds()

    def _take(self, beat: int) -> None:
        if beat < self._usable_from:
            return
        if self._beat is not None:
            if beat - self._beat > PAUSE:
                self._intervals.clear()
            else:
                self._intervals.append(beat - self._beat)
                self._unbroken += 1
        self._beat = beat

    def _are_believed(self) -> bool:
        """Tell whether few of the last beats may be noise, or the rhythm is ventricular."""
        return self._ventricular or sum(map(FEW_KIN.__gt__, self._kin)) <= DOUBTFUL

    def _shortest(self, running: int = 0) -> int:
        """Return the shortest of the last three intervals; 0 if they are not known."""
        last = self._intervals
        if len(last) < 3 or running > PAUSE:
            return 0
        return min(max(last[-3], running), last[-2], last[-1])

    def _mean(self, n: int, running: int) -> float | None:
        """Return the mean rate of the last ``n`` intervals in 1/min.

        The running one takes the place of the oldest where it is the longer one already.
        """
        if len(self._intervals) < n or running > PAUSE:
            return None
        last = list(self._intervals)[-n:] if n < FAST else self._intervals
        return 60.0 * RATE * n / (sum(last) + max(running - last[0], 0))

    def _holds(self) -> dict[Kind, bool]:
        return {kind: limit.holds for kind, limit in self._limits.items()}
