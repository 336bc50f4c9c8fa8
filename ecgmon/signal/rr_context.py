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

_ORDINARY: Final = log(ORDINARY_S)

_NOTHING: Final = (0.0,) * BEFORE
_Logs = Annotated[list[float], msgspec.Meta(max_length=BEFORE)]
_LATEST_64: Final = (1 << _COUNTED) - 1
_LATEST_32: Final = (1 << _UNSTEADY) - 1
_LATEST_31: Final = _LATEST_32 >> 1
"""Bits of the latest beats that are counted."""


class RRContext(Stateful):
    """The intervals of one wearer, and what they say of the latest beat.

    Attributes
    ----------
    last : float
        The latest interval, as a logarithm of seconds.
    usual : float
        The median of the latest 32, the same.
    """

    __slots__ = (
        "_beat",
        "_beats",
        "_changes",
        "_early",
        "_even",
        "_latest",
        "_short",
        "_turns",
        "_uneven",
        "_windows",
        "last",
    )
    layout = Layout(
        "RR context",
        3,
        last=float,
        _beat=Index | None,
        _beats=Index,
        _latest=_Logs,
        _early=int,
        _short=int,
        _even=int,
        _uneven=int,
        _turns=int,
        _windows=NESTED,
        _changes=NESTED,
    )

    def __init__(self) -> None:
        self.last = _ORDINARY
        self._beat: int | None = None
        self._beats = 0
        self._latest: deque[float] = deque(maxlen=BEFORE)
        # A bit of each beat that is counted, the latest one the lowest.
        self._early = self._short = self._even = self._uneven = self._turns = 0
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
        self._note_change(last)
        self.last = last
        for window in self._windows:
            window.add(last)
        medians = [window.median for window in self._windows]
        usual, shares = medians[1], self._windows[2].quantiles(_SHARES)
        self._early = (self._early << 1 | (last - usual < -EARLY)) & _LATEST_64
        self._short = (self._short << 1 | (last - shares[-1] < -EARLY)) & _LATEST_64
        beats, self._beats = self._beats, self._beats + 1
        counted = min(beats + 1, _COUNTED)
        before = [each - usual for each in self._latest]
        self._latest.appendleft(last)
        return [
            *[last - median for median in medians],
            usual - _ORDINARY,
            *[each - usual for each in shares],
            last - shares[0],
            last - shares[-1],
            5 * self._changes.median,
            self._early.bit_count() / counted,
            self._short.bit_count() / counted,
            min(beats, WINDOWS[2]) / WINDOWS[2],
            *before,
            *_NOTHING[len(before) :],
            *self._steadiness(beats),
        ]

    def _note_change(self, last: float) -> None:
        """Take the next interval: how it differs from the last one, which is still the latest."""
        if not self._latest:
            self._changes.add(0.0)
            return
        change = last - self.last
        size = abs(change)
        self._changes.add(size)
        self._even = (self._even << 1 | (size < EVEN)) & _LATEST_32
        self._uneven = (self._uneven << 1 | (size > UNEVEN)) & _LATEST_64
        if len(self._latest) > 1:
            turns = change * (self.last - self._latest[1]) < 0
            self._turns = (self._turns << 1 | turns) & _LATEST_31

    def _steadiness(self, changes: int) -> tuple[float, float, float]:
        """Return the shares of even changes, of uneven ones and of turning points."""
        if not changes:
            return 1.0, 0.0, 0.0
        recent = min(changes, _UNSTEADY)
        return (
            self._even.bit_count() / recent,
            self._uneven.bit_count() / min(changes, _COUNTED),
            self._turns.bit_count() / recent,
        )
