"""Streaming conversion of one stream from the device's rate to `RATE`, in exact time.

Output ``k`` stands for time ``k / RATE`` of the stream and lies at position ``k * rate / RATE`` of
the device's samples. It is a weighted sum of as many input samples before as after that position:
a sinc with its cut-off at 42 % of the lower rate, under a Kaiser window of 70 dB. Any position
finds its weights in one table, linearly between neighbours, so that every rate costs the same.

========  =======  ====================  ================
rate      latency  flat within 0.1 % to  below 0.1 % from
========  =======  ====================  ================
100 Hz    100 ms   31 Hz                 53 Hz
250 Hz    40 ms    79 Hz                 132 Hz
1,000 Hz  40 ms    125 Hz                178 Hz
========  =======  ====================  ================
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import Index, Layout, Samples, Stateful

MIN_RATE: Final = 100
"""Slowest rate in Hz that is converted: its Nyquist frequency lies above the band of the chain."""
MAX_RATE: Final = 1000
"""Fastest rate in Hz that is converted."""

_RATE_MHZ: Final = RATE * 1000
_CUTOFF: Final = 0.42
"""Cutoff frequency as a share of the lower rate: the amplitude is halved there."""
_BETA: Final = 6.76
"""Kaiser window whose ripples are below 70 dB, 0.03 %."""
_CELLS: Final = 512
"""Positions between two samples that the table holds; what lies between is exact to 1e-6."""
_BLOCK: Final = 512
"""Input samples taken at once, so that the memory of a call is bounded."""


def first_output(index: int, rate_mhz: int) -> int:
    """Return the first index at `RATE` whose time is not before that of a device's sample.

    The device's samples ``a`` to ``b - 1`` become ``first_output(a)`` to ``first_output(b) - 1``,
    so that samples and gaps on both grids follow each other without overlap.

    Parameters
    ----------
    index : int
        In the device's samples, any size.
    rate_mhz : int
        The device's rate in millihertz.
    """
    return -(-index * _RATE_MHZ // rate_mhz)


class RateConverter(Stateful):
    """Converts one stream to `RATE`, bit-identically for every way of cutting it.

    A stream at `RATE` passes unchanged and at once. Otherwise an output needs the ``reach`` input
    samples after it, the only latency: 40 ms, or 10 samples at rates below 250 Hz.

    Samples that were not measured (NaN) are held for the filter, those before the first measured
    one at its value; an output is NaN where the input sample nearest to it is.

    Parameters
    ----------
    rate_mhz : int
        The stream's rate in millihertz, `MIN_RATE` to `MAX_RATE` Hz.
    first : int
        Index of the stream's first sample.

    Attributes
    ----------
    reach : int
        Input samples on each side of an output that count.
    next : int
        Index at `RATE` of the next output.
    """

    layout = Layout(
        "rate converter",
        1,
        ("_rate",),
        _end=Index,
        next=Index,
        _held=Samples(_BLOCK),
        _absent=Samples(_BLOCK),
        _measured=bool,
    )

    def __init__(self, rate_mhz: int, first: int = 0) -> None:
        if not MIN_RATE * 1000 <= rate_mhz <= MAX_RATE * 1000:
            raise ValueError(f"{rate_mhz} mHz is not between {MIN_RATE} and {MAX_RATE} Hz")
        self._rate = rate_mhz
        self._passes = rate_mhz == _RATE_MHZ
        self.reach = 0 if self._passes else max(10, rate_mhz // 25_000)
        self.reset(first)

    def reset(self, first: int) -> None:
        """Begin anew at an input sample, the edge held at its value; what was owed is dropped.

        Parameters
        ----------
        first : int
            Index of the next input sample, any size.
        """
        self._end = first
        self.next = first_output(first, self._rate)
        self._held = np.zeros(0)
        self._absent = np.zeros(0, dtype=bool)
        self._measured = False

    def push(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the next input samples.

        Parameters
        ----------
        samples : ndarray of float64, shape (n,)
            NaN where not measured.

        Returns
        -------
        ndarray of float64, shape (m,)
            Outputs from index ``next``, as it was before this call.
        """
        if self._passes:
            self.next += len(samples)
            return samples
        blocks = range(0, len(samples), _BLOCK)
        return np.concatenate([np.zeros(0), *(self._take(samples[i : i + _BLOCK]) for i in blocks)])

    def flush(self) -> NDArray[np.float64]:
        """Return the outputs still owed, the edge held at the last sample.

        What is pushed after this is filtered as after a `reset` to the sample that follows.
        """
        if not len(self._held):
            return np.zeros(0)
        end = self._end
        last = np.nan if self._absent[-1] else self._held[-1]
        owed = self._take(np.full(self.reach, last))
        self.reset(end)
        return owed

    def _take(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(self._held):
            samples = np.concatenate([np.full(self.reach - 1, samples[0]), samples])
            self._end -= self.reach - 1
        self._end += len(samples)
        self._held = np.concatenate([self._held, samples])
        self._absent = np.concatenate([self._absent, np.isnan(samples)])
        self._hold(len(samples))
        # The last output whose right side is complete lies before sample `end - reach`.
        stop = max(first_output(self._end - self.reach, self._rate), self.next)
        outputs = self._outputs(stop - self.next)
        self.next = stop
        needless = self._before(stop) - (self._end - len(self._held))
        self._held, self._absent = self._held[needless:], self._absent[needless:]
        return outputs

    def _hold(self, new: int) -> None:
        """Put the last measured value, or else the first one, where there is none."""
        absent = self._absent[-new:]
        if self._measured and not absent.any():
            return
        measured = np.flatnonzero(~np.isnan(self._held))
        if len(measured):
            self._measured = True
            index = np.searchsorted(measured, np.arange(len(self._held)), side="right") - 1
            self._held = self._held[measured[np.maximum(index, 0)]]

    def _before(self, output: int) -> int:
        """Return the index of the first input sample that counts for an output."""
        return output * self._rate // _RATE_MHZ - (self.reach - 1)

    def _outputs(self, n: int) -> NDArray[np.float64]:
        left = self._before(self.next) - (self._end - len(self._held))
        steps = self.next * self._rate % _RATE_MHZ + self._rate * np.arange(n)
        advanced, part = np.divmod(steps, _RATE_MHZ)
        cell, between = np.divmod(part * _CELLS, _RATE_MHZ)
        first = left + advanced
        table, rise = _weights(min(_RATE_MHZ / self._rate, 1.0) * _CUTOFF, self.reach)
        weights = table[cell] + rise[cell] * (between / _RATE_MHZ)[:, None]
        inputs = self._held[first[:, None] + np.arange(2 * self.reach)]
        outputs: NDArray[np.float64] = (inputs * weights).sum(axis=1)
        outputs[self._absent[first + self.reach - 1 + (2 * part >= _RATE_MHZ)]] = np.nan
        return outputs


@lru_cache(maxsize=64)
def _weights(cutoff: float, reach: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights of the inputs around each position, and what they rise by to the next.

    Parameters
    ----------
    cutoff : float
        In cycles per input sample.
    reach : int
        Input samples on each side.

    Returns
    -------
    tuple of ndarray of float64, shape (`_CELLS`, 2 reach)
        The weights of a position sum to one, so that a constant stays one.
    """
    position = np.arange(_CELLS + 1) / _CELLS
    t = np.arange(1 - reach, reach + 1) - position[:, None]
    window = np.i0(_BETA * np.sqrt(np.maximum(1 - (t / reach) ** 2, 0)))
    weights = np.sinc(2 * cutoff * t) * window
    weights /= weights.sum(axis=1, keepdims=True)
    return weights[:-1], np.diff(weights, axis=0)
