"""Resampling of a model's input from `RATE` to the model's own rate."""

from functools import lru_cache
from math import gcd
from typing import Any

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
    window: Any = _low_pass(max(up, down))  # scipy's types know no array there
    # "line" extends each end along the straight line between both ends, so that a context whose
    # ends are not at zero does not ring there.
    filtered = signal.resample_poly(x, up, down, axis=-1, window=window, padtype="line")
    return np.asarray(filtered, dtype=np.float32)


@lru_cache(maxsize=64)
def _low_pass(factor: int) -> NDArray[np.float32]:
    """Return the filter that `scipy.signal.resample_poly` would design anew in each call.

    Parameters
    ----------
    factor : int
        By which the rate rises or falls, the larger one.
    """
    taps = signal.firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0))
    return np.asarray(taps, dtype=np.float32)
