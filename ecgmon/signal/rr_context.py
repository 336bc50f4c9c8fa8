"""RR context of a beat: how early it is, against this wearer's rhythm of seconds and of minutes.

A premature beat is early against the beats around; an irregular rhythm, as atrial fibrillation, is
uneven throughout. Therefore a beat's interval is compared with quantiles of four windows, and the
unevenness of the latest intervals stands beside it. Intervals count as logarithms: what is half as
long is as far from the usual one as what is twice as long.
"""

from collections import deque
from math import log
from typing import Annotated, Final

import msgspec
import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.core.state import NESTED, Index, Layout, Stateful
from ecgmon.signal.sliding_quantiles import SlidingQuantiles

WINDOWS: Final = (8, 32, 128, 1024)
"""Intervals of the four windows: seconds, half a minute, two minutes, a quarter of an hour."""
SHORTEST_S: Final = 0.15
LONGEST_S: Final = 3.0
"""Bounds of an interval; beyond them it says no more than that it is short, or long."""
ORDINARY_S: Final = 0.8
"""An ordinary interval, and what counts as the one before the first beat."""
BEFORE: Final = 6
"""Intervals before the last one that are given one by one."""
EARLY: Final = 0.15
"""A beat is early if its interval is shorter than another one by 14 %, as a logarithm."""
EVEN: Final = 0.04
UNEVEN: Final = 0.12
"""Differences of neighbouring intervals below and above which a rhythm is even or not."""
_SHARES: Final = (0.1, 0.25, 0.75, 0.9)
_COUNTED: Final = 64
"""Beats of which early ones and uneven intervals are counted."""
_UNSTEADY: Final = 32
"""Intervals whose turning points and evenness are counted."""
VALUES: Final = len(WINDOWS) + 1 + len(_SHARES) + 2 + 4 + BEFORE + 3
"""Numbers that describe a beat's rhythm."""

_Logs = Annotated[list[float], msgspec.Meta(max_length=_COUNTED + 1)]
_Flags = Annotated[list[bool], msgspec.Meta(max_length=_COUNTED)]


class RRContext(Stateful):
    """The intervals of one wearer, and what they say of the latest beat.

    Attributes
    ----------
    last : float
        The latest interval, as a logarithm of seconds.
    usual : float
        The median of the latest 32, the same.
    """

    __slots__ = ("_beat", "_beats", "_changes", "_early", "_latest", "_short", "_windows", "last")
    layout = Layout(
        "RR context",
        1,
        last=float,
        _beat=Index | None,
        _beats=Index,
        _latest=_Logs,
        _early=_Flags,
        _short=_Flags,
        _windows=NESTED,
        _changes=NESTED,
    )

    def __init__(self) -> None:
        self.last = log(ORDINARY_S)
        self._beat: int | None = None
        self._beats = 0
        self._latest: deque[float] = deque(maxlen=_COUNTED + 1)
        self._early: deque[bool] = deque(maxlen=_COUNTED)
        self._short: deque[bool] = deque(maxlen=_COUNTED)
        self._windows = tuple(SlidingQuantiles(window) for window in WINDOWS)
        self._changes = SlidingQuantiles(_UNSTEADY)

    @property
    def usual(self) -> float:
        """Median of the latest 32 intervals, as a logarithm of seconds."""
        return self._windows[1].median

    def add(self, beat: int) -> list[float]:
        """Take the next beat and describe its rhythm.

        Parameters
        ----------
        beat : int
            Stream index of its R peak.

        Returns
        -------
        list of float, length `VALUES`
            The interval over the median of each window. The usual interval over `ORDINARY_S`. The
            deciles 1 and 9 and the quartiles of two minutes, over the usual one. The interval over
            both deciles. Five times the median change from interval to interval; the shares of
            beats that are early against the usual one and against the ninth decile; how much of
            two minutes is known. The `BEFORE` intervals before over the usual one. The shares of
            even changes, of uneven ones, and of turning points. "Over" is a difference of
            logarithms.
        """
        interval = ORDINARY_S if self._beat is None else (beat - self._beat) / RATE
        self._beat = beat
        last = log(min(max(interval, SHORTEST_S), LONGEST_S))
        self._changes.add(abs(last - self.last) if self._latest else 0.0)
        self.last = last
        self._latest.append(last)
        for window in self._windows:
            window.add(last)
        usual, minutes = self.usual, self._windows[2]
        shares = [minutes.quantile(share) for share in _SHARES]
        self._early.append(last - usual < -EARLY)
        self._short.append(last - shares[-1] < -EARLY)
        described = [last - window.median for window in self._windows]
        described += [usual - log(ORDINARY_S), *(each - usual for each in shares)]
        described += [last - shares[0], last - shares[-1], 5 * self._changes.median]
        described += [sum(flags) / len(flags) for flags in (self._early, self._short)]
        described.append(min(self._beats, WINDOWS[2]) / WINDOWS[2])
        self._beats += 1
        return described + self._before(usual) + self._steadiness()

    def _before(self, usual: float) -> list[float]:
        """Return the intervals before the last one, the latest first, and 0 where there is none."""
        known = list(self._latest)[-2 : -BEFORE - 2 : -1]
        return [each - usual for each in known] + [0.0] * (BEFORE - len(known))

    def _steadiness(self) -> list[float]:
        latest = np.array(self._latest)
        changes = latest[1:] - latest[:-1] if len(latest) > 1 else np.zeros(1)
        size, recent = np.abs(changes), changes[-_UNSTEADY:]
        turns = int(np.count_nonzero(recent[1:] * recent[:-1] < 0))
        even = int(np.count_nonzero(size[-_UNSTEADY:] < EVEN))
        uneven = int(np.count_nonzero(size > UNEVEN))
        return [even / len(recent), uneven / len(changes), turns / len(recent)]
