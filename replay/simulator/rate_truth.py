"""Stretches in which a simulated heart rate is beyond the limits, from the beats alone.

The monitor's rules, judged once a second:

- a low limit: each of the last three RR intervals, the running one counted once it is as long, is
  longer than the limit's; over once the mean of the last four has been 3/min inside for 30 s, of an
  extreme limit for 10 s.
- a high limit: the mean of the last eight is beyond it; over in the same way.
"""

from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW

RateKind = Literal["extreme-low-rate", "extreme-high-rate", "low-rate", "high-rate"]
Span = tuple[int, int]
"""Sample indices: the first of the span and the first after it."""

LIMITS: Final[dict[RateKind, float]] = {
    "low-rate": 50.0,
    "extreme-low-rate": 35.0,
    "high-rate": 120.0,
    "extreme-high-rate": 150.0,
}
"""In 1/min."""
MARGIN: Final = 3.0
CLEAR: Final = 30
EXTREME_CLEAR: Final = 10
"""Seconds in a row with the rate inside that end an alarm."""
SURE: Final = 2.0
"""In 1/min. Closer to a limit nothing is sure: beats are not found to the sample."""
KNOWN_AFTER: Final = (0, round(0.3 * RATE))
"""A beat is known at the earliest and at the latest so many samples after it."""
PAUSE: Final = 4 * RATE
"""A longer silence is an asystole and no RR interval."""

_THREE, _FOUR, _EIGHT = range(3)


class Flags(NamedTuple):
    """After which seconds an alarm of a kind may or must be raised or over."""

    kind: RateKind
    may_raise: NDArray[np.bool_]
    must_raise: NDArray[np.bool_]
    may_end: NDArray[np.bool_]
    must_end: NDArray[np.bool_]


def rate_flags(beats: NDArray[np.int64], n_seconds: int, lost: Collection[Span]) -> Iterator[Flags]:
    """Hold the rate of each second against each limit.

    Parameters
    ----------
    beats : ndarray of int64
        Sample indices of every beat, ascending.
    n_seconds : int
        Whole seconds of the stream.
    lost : collection of (start, stop)
        Where the signal shows no beats; no RR interval reaches across.
    """
    rates = np.stack([_rates(beats, n_seconds, lost, late) for late in KNOWN_AFTER])
    for kind, limit in LIMITS.items():
        low, clear = "low" in kind, EXTREME_CLEAR if "extreme" in kind else CLEAR
        outside = (limit - rates if low else rates - limit).transpose(2, 0, 1)
        begins, mean = (outside[_THREE], outside[_FOUR]) if low else (outside[_EIGHT],) * 2
        # What is not known is NaN: it raises nothing, and may or may not delay the end.
        yield Flags(
            kind,
            (begins > -SURE).any(axis=0),
            (begins > SURE).all(axis=0),
            _lasting((~(mean > SURE - MARGIN)).any(axis=0), clear),
            _lasting((mean <= -SURE - MARGIN).all(axis=0), clear),
        )


def _rates(
    beats: NDArray[np.int64], n_seconds: int, lost: Collection[Span], late: int
) -> NDArray[np.float64]:
    """Return the rates after each second in 1/min.

    Returns
    -------
    ndarray of float64, shape (n_seconds, 3)
        The highest of three intervals, the means of four and of eight; NaN where not known.
    """
    rates = np.full((n_seconds, 3), np.nan)
    for second in range(n_seconds):
        now = (second + 1) * WINDOW - late
        recent = beats[: np.searchsorted(beats, now, side="right")][-9:]
        rr = np.diff(recent)
        complete = [
            rr[i] <= PAUSE and not any(a < recent[i + 1] and b > recent[i] for a, b in lost)
            for i in range(len(rr))
        ]
        rr = rr[len(rr) - complete[::-1].index(False) :] if False in complete else rr
        running = now - recent[-1] if len(recent) else 0
        if running > PAUSE:
            continue
        for which, n in ((_THREE, 3), (_FOUR, 4), (_EIGHT, 8)):
            if len(rr) >= n:
                last = rr[-n:].copy()
                last[0] = max(last[0], running)
                rates[second, which] = 60 * RATE / (last.min() if n == 3 else last.mean())
    return rates


def _lasting(flags: NDArray[np.bool_], seconds: int) -> NDArray[np.bool_]:
    """Tell after which seconds the flags have been set for so many in a row."""
    count = np.convolve(flags.astype(np.intp), np.ones(seconds, dtype=np.intp))[: len(flags)]
    lasting: NDArray[np.bool_] = count == seconds
    return lasting
