"""Heart rates that were measured, against those of the reference's beats.

EC57 asks for the root mean square error, as a share of the mean reference rate, and that the method
of the reference rate is disclosed. Ours is the monitor's: at the end of each second the mean of the
last `AVERAGED` RR intervals; not known with less than two of them, nor `LONGEST_S` after the last
beat. Ventricular flutter and what the reference calls unreadable interrupt it. As mxm of the WFDB
software does, each measured rate is compared with the reference's nearest in time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from trainer.evaluation.ec57.marks import Marks

AVERAGED: Final = 8
"""RR intervals whose mean is the reference's rate."""
LONGEST_S: Final = 4
"""Seconds after a beat for which its rate stands."""
MEASURED: Final = "="
"""WFDB's symbol of a measurement; the heart rate is that of subtype 0."""
HIGHEST: Final = 1000.0
"""Rates in 1/min of which a file is taken for damaged lie above."""


@dataclass(frozen=True, slots=True)
class RateErrors:
    """Errors of heart rates, of one record or of several.

    Parameters
    ----------
    n : int
        Rates that were compared.
    squares : float
        Sum of the squared errors, in 1/min^2.
    reference : float
        Sum of the reference's rates, in 1/min.
    """

    n: int = 0
    squares: float = 0.0
    reference: float = 0.0

    @classmethod
    def compare(cls, reference: Marks, test: Iterable[Annotation], start: int, stop: int) -> Self:
        """Compare the rates of a tested annotator from sample ``start`` to ``stop``."""
        at, rates = reference_rates(reference, stop)
        mine = [
            (one.sample, rate)
            for one in test
            if start <= one.sample <= stop and (rate := measured(one)) is not None
        ]
        if not mine or not len(at):
            return cls()
        when, found = map(np.array, zip(*mine, strict=True))
        after = np.searchsorted(at, when).clip(max=len(at) - 1)
        before = (after - 1).clip(min=0)
        nearest = np.where(when - at[before] < at[after] - when, before, after)
        nearest = np.where(when > at[after], after, nearest)  # after the last of the reference
        true = rates[nearest]
        return cls(len(mine), float(((found - true) ** 2).sum()), float(true.sum()))

    def __add__(self, other: Self) -> Self:
        """Return the errors of both."""
        return type(self)(
            self.n + other.n, self.squares + other.squares, self.reference + other.reference
        )

    @property
    def rms(self) -> float | None:
        """The root mean square error in 1/min; None where nothing was compared."""
        return sqrt(self.squares / self.n) if self.n else None

    @property
    def normalized(self) -> float | None:
        """The same as a share of the mean reference rate."""
        return self.rms * self.n / self.reference if self.rms is not None else None

    def everything(self) -> dict[str, float | None]:
        """Return all that a result file says of them."""
        mean = self.reference / self.n if self.n else None
        return {
            "measurements": self.n,
            "mean_reference": mean,
            "rms": self.rms,
            "normalized_rms": self.normalized,
        }


def measured(one: Annotation) -> float | None:
    """Return the heart rate in 1/min that an annotation states; None if it states none."""
    if symbol(one) != MEASURED or one.subtype:
        return None
    try:
        rate = float(one.note)
    except ValueError:
        return None
    return rate if isfinite(rate) and 0 < rate <= HIGHEST else None


def reference_rates(reference: Marks, stop: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ends of the seconds up to ``stop`` with a known rate, and these rates in 1/min."""
    beats = reference.beats
    breaks = np.array(
        sorted(begin for begin, _ in (*reference.flutter, *reference.shutdown)), dtype=np.int64
    )
    ends = np.arange(RATE, stop + 1, RATE)
    last = np.searchsorted(beats, ends, side="right") - 1
    # The first beat after the last interruption before each second's end.
    since = np.concatenate([[0], np.searchsorted(beats, breaks)])
    first = since[np.searchsorted(breaks, ends, side="right")]
    first = np.maximum(first, last - AVERAGED)
    known = (last - first >= 2) & (ends - beats[last.clip(min=0)] <= LONGEST_S * RATE)
    first, last = first[known], last[known]
    rates = 60.0 * RATE * (last - first) / (beats[last] - beats[first])
    return ends[known], rates
