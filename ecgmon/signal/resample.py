"""Resampling of a model's input from `RATE` to the model's own rate."""

from functools import lru_cache
from math import gcd
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE

CROSSINGS: Final = 10
"""Zero crossings of the low-pass's sinc function on each side of its centre."""
KAISER_BETA: Final = 5.0
"""Shape of its Kaiser window. Both are those of `scipy.signal.resample_poly`."""


def resample(x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Resample contexts that were band-passed to 30 Hz.

    At a whole fraction of `RATE` every k-th sample is taken: the band-pass already is the
    anti-aliasing filter. Other rates go through a polyphase filter. The result has the bits of
    `scipy.signal.resample_poly`, which is not used here because a monitor would need 50 MB of
    memory and half a second more to import it.

    Parameters
    ----------
    x : ndarray of float32, shape (r, n), n >= 2
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
    phases = _phases(x.shape[1], rate // common, RATE // common)
    extended = _extended(x, phases)
    resampled = np.zeros((len(x), phases.samples.shape[1]), dtype=np.float32)
    for samples, taps in zip(phases.samples, phases.taps, strict=True):
        resampled += extended[:, samples] * taps  # one after the other, whatever rows are beside
    return resampled


class Phases(NamedTuple):
    """What each sample of the result is made of.

    Parameters
    ----------
    before, after : int
        Samples by which a context is extended.
    samples : ndarray of intp, shape (k, m)
        Indices into the extended context, oldest first.
    taps : ndarray of float32, shape (k, m)
        What they are multiplied by.
    """

    before: int
    after: int
    samples: NDArray[np.intp]
    taps: NDArray[np.float32]


def _extended(x: NDArray[np.float32], phases: Phases) -> NDArray[np.float32]:
    """Extend contexts along the straight line through both ends.

    So a context whose ends are not at zero does not ring there.
    """
    last = x.shape[1] - 1
    slope = (x[:, -1:] - x[:, :1]) / np.float32(last)
    left = np.arange(-phases.before, 0, dtype=np.float32)
    right = np.arange(1, phases.after + 1, dtype=np.float32)
    return np.concatenate([x[:, :1] + left * slope, x, x[:, -1:] + right * slope], axis=1)


@lru_cache(maxsize=64)
def _phases(n: int, up: int, down: int) -> Phases:
    """Return how contexts of a length are resampled by a ratio."""
    filter_ = up * _low_pass(max(up, down))
    half = len(filter_) // 2
    at = np.arange(-(-n * up // down)) * down + half  # of the result, at the rate times ``up``
    newest = at // up
    k = -(-len(filter_) // up)
    samples = newest + np.arange(1 - k, 1)[:, None]
    tap = at - samples * up
    inside = tap < len(filter_)
    taps = np.where(inside, filter_[np.where(inside, tap, 0)], np.float32(0))
    before, after = max(-int(samples.min()), 0), max(int(samples.max()) - n + 1, 0)
    return Phases(before, after, samples + before, taps)


def _low_pass(factor: int) -> NDArray[np.float32]:
    """Return a low-pass at the rate divided by a factor: a sinc function in a Kaiser window."""
    at = np.arange(-CROSSINGS * factor, CROSSINGS * factor + 1)
    taps = np.sinc(at / factor) / factor * np.kaiser(len(at), KAISER_BETA)
    return np.asarray(taps / taps.sum(), dtype=np.float32)
