"""Signal state of each second: signal, noisy or absent."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.wire.frame import NO_VALUE
from ecgmon.wire.messages import SignalState

SIGNAL: Final = 0
NOISY: Final = 1
ABSENT: Final = 2
NAMES: Final[tuple[SignalState, ...]] = ("signal", "noisy", "absent")

USABLE: Final = 0.6
"""Smallest share of an enrolment's seconds that can be used; fewer do not show a wearer's usual
rhythm."""
FLAT_MV: Final = 0.02
"""Peak-to-peak amplitude below which nothing living is connected: four steps of a 5 uV ADC."""
ARTEFACT_MV: Final = 8.0
"""Peak-to-peak amplitude after the band-pass that no QRS complex reaches."""
ROUGHNESS_MV: Final = 0.12
"""Median absolute second difference of broad-band noise that hides the ECG. A QRS complex fills a
tenth of a second, so the median does not see it. Clean MIT-BIH seconds have about 0.01 mV."""
CLIPPED_RUN: Final = 4
"""Samples in a row at an end of a second's range, 11 ms, that no peak stays at..."""
CLIPPED_STEP: Final = 0.05
"""...if it also comes or goes by such a part of the range from one sample to the next."""
CLIPPED_SPAN: Final = 64
"""Counts from end to end below which the converter's own steps look like that."""


def signal_state(
    raw: NDArray[np.float32], filtered: NDArray[np.float32], valid: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Judge one second of some wearers.

    Parameters
    ----------
    raw : ndarray of float32, shape (r, n)
        Samples in mV, the last value held where there was none.
    filtered : ndarray of float32, shape (r, n)
        The same samples after the band-pass.
    valid : ndarray of bool, shape (r, n)
        Where the device measured a value.

    Returns
    -------
    ndarray of int8, shape (r,)
        `SIGNAL`, `NOISY` or `ABSENT`.
    """
    half = raw.shape[1] // 2
    flat = np.minimum(np.ptp(raw[:, :half], axis=1), np.ptp(raw[:, half:], axis=1)) < FLAT_MV
    absent = flat | (valid.mean(axis=1) < 0.5)
    roughness = np.median(np.abs(np.diff(raw, n=2, axis=1)), axis=1)
    noisy = (np.ptp(filtered, axis=1) > ARTEFACT_MV) | (roughness > ROUGHNESS_MV)
    return np.where(absent, ABSENT, np.where(noisy, NOISY, SIGNAL)).astype(np.int8)


def clipped(counts: NDArray[np.int16]) -> bool:
    """Tell whether a second of one wearer runs into an end of the device's range.

    It then stays at its highest or its lowest value, and comes there or leaves by a step. A peak
    of an ECG is round; of MIT-BIH's seconds one in ten thousand looks like it.

    Parameters
    ----------
    counts : ndarray of int16, shape (n,)
        As the device sent them, `NO_VALUE` where it measured none.
    """
    measured = np.flatnonzero(counts != NO_VALUE)
    values = counts.astype(np.int32)
    low, high = (values[measured].min(), values[measured].max()) if len(measured) else (0, 0)
    if high - low < CLIPPED_SPAN:
        return False
    steep = CLIPPED_STEP * (high - low)
    for end in (low, high):
        bounds = np.flatnonzero(np.diff(values == end, prepend=False, append=False))
        for start, stop in bounds.reshape(-1, 2).tolist():
            sides = [side for side in (start - 1, stop) if 0 <= side < len(counts)]
            steps = [abs(values[side] - end) for side in sides if counts[side] != NO_VALUE]
            if stop - start >= CLIPPED_RUN and max(steps, default=0) >= steep:
                return True
    return False
