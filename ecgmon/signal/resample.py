"""Resampling of a model's input from `RATE` to the model's own rate."""

from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ecgmon.core.constants import RATE


def resample(x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Resample contexts that were band-passed to 30 Hz.

    At a whole fraction of `RATE` every k-th sample is taken: the band-pass already is the
    anti-aliasing filter. Other rates go through a polyphase filter, row by row.

    Parameters
    ----------
    x : ndarray of float32, shape (r, n)
        Contexts at `RATE`.
    rate : int
        Wanted rate in Hz.

    Returns
    -------
    ndarray of float32, shape (r, n * rate / RATE)
    """
    if RATE % rate == 0:
        return np.ascontiguousarray(x[:, :: RATE // rate])
    common = gcd(rate, RATE)
    up, down = rate // common, RATE // common
    # "line" extends each end along the straight line between both ends, so that a context whose
    # ends are not at zero does not ring there.
    resampled: NDArray[np.float32] = signal.resample_poly(  # type: ignore[call-overload] # array
        x, up, down, axis=-1, window=_low_pass(max(up, down)), padtype="line"
    )
    return resampled


@cache
def _low_pass(most: int) -> NDArray[np.float32]:
    """Return the filter that `scipy.signal.resample_poly` designs anew in each call by default."""
    taps: NDArray[np.float64] = signal.firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0))
    return taps.astype(np.float32)
