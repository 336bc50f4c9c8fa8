"""A record at another sampling rate, as a device that samples at that rate would have it."""

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
from scipy import signal

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import UsageError
from ecgmon.records import Record

SLOWEST: Final = 100
FASTEST: Final = 1000
"""Samples per second that the wire takes."""


def at_rate(record: Record, rate: float) -> Record:
    """Resample a record, its annotations and gaps with it.

    Parameters
    ----------
    record : Record
        At any rate.
    rate : float
        Wanted samples per second.

    Returns
    -------
    Record
        The same one if it has this rate already.

    Raises
    ------
    UsageError
        If the wire does not take the rate.
    """
    if not SLOWEST <= rate <= FASTEST:
        raise UsageError(
            f"{record.name} cannot be sent at {rate:g} Hz: "
            f"give a --rate from {SLOWEST} to {FASTEST}."
        )
    if rate == record.rate:
        return record
    factor = Fraction(rate / record.rate).limit_denominator(FASTEST)
    known = record.samples != NO_VALUE
    at = np.arange(len(record.samples))
    # A filter would smear what is not measured over its neighbours: it sees a straight line.
    filled = np.interp(at, at[known], record.samples[known]) if known.any() else np.zeros(len(at))
    resampled = signal.resample_poly(
        filled, factor.numerator, factor.denominator, padtype="line"
    ).round()
    nearest = np.minimum(np.arange(len(resampled)) / float(factor), len(at) - 1).round()
    samples = np.clip(resampled, NO_VALUE + 1, -NO_VALUE - 1).astype(np.int16)
    samples[~known[nearest.astype(np.intp)]] = NO_VALUE
    marks = record.annotations
    return replace(
        record,
        rate=rate,
        samples=samples,
        annotations=marks
        # Downwards, so that an annotation stays in its second.
        and marks.moved(marks.samples * factor.numerator // factor.denominator),
        missing=tuple(
            (round(start * factor), min(round(stop * factor), len(samples)))
            for start, stop in record.missing
        ),
    )
