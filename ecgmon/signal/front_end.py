"""Conversion of one stream: ADC counts become mV at `RATE`, and pacing spikes are removed.

An end of the device's range is no value, a spike is bridged, and then the rate is converted.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import sqrt
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import NESTED, Index, Indices, Layout, Stateful
from ecgmon.core.units import millivolts
from ecgmon.signal.pacing_spikes import SpikeRemover
from ecgmon.signal.rate_converter import RateConverter

RAIL: Final = 32767
"""Absolute value in counts at which the ADC saturates."""
RAIL_S: Final = 0.1
"""A saturated line is not measured after this many seconds; a clipped peak is shorter."""


class FrontEnd(Stateful):
    """Takes the samples of one stream, bit-identically for every way of cutting it.

    Parameters
    ----------
    rate_mhz : int
        The device's rate in millihertz.
    first : int
        Index of the first sample.

    Attributes
    ----------
    found : list of int
        Indices at `RATE` of the pacing spikes found since the list was last emptied.
    """

    layout = Layout(
        "front end",
        1,
        ("_rate_mhz",),
        _remover=NESTED,
        _converter=NESTED,
        _railed=Index,
        found=Indices,
    )

    def __init__(self, rate_mhz: int, first: int = 0) -> None:
        self._rate_mhz = rate_mhz
        self._remover = SpikeRemover(rate_mhz, first)
        self._converter = RateConverter(rate_mhz, first)
        self._longest = round(RAIL_S * rate_mhz / 1000)
        self._railed = 0
        self.found: list[int] = []
        # Conversion leaves of white noise what lies below its cut-off.
        passed = 1.0 if self._converter.reach == 0 else 0.84 * min(1.0, RATE * 1000 / rate_mhz)
        self._noise = sqrt(passed)

    @property
    def next(self) -> int:
        """Index at `RATE` of the next output."""
        return self._converter.next

    def needed_for(self, stop: int) -> int:
        """Return the index of the device's sample before which all are needed for outputs.

        Parameters
        ----------
        stop : int
            Index at `RATE` of the output after those; a spike in progress may need more.
        """
        return (stop - 1) * self._rate_mhz // (RATE * 1000) + 1 + self._converter.reach

    def step(self, gain: float) -> float:
        """Return what noise of one count becomes, root mean square in mV."""
        return self._noise / gain

    def reset(self, first: int) -> None:
        """Begin anew at the device's sample ``first``; what was owed is dropped."""
        self._remover.reset(first)
        self._converter.reset(first)
        self._railed = 0

    def push(self, samples: NDArray[np.int16], gain: float) -> NDArray[np.float64]:
        """Take the next samples in counts and return the outputs in mV from index ``next`` on.

        An output is NaN where nothing was measured.
        """
        return self.push_all([self], samples, [len(samples)], [gain])[0]

    @classmethod
    def push_all(
        cls,
        fronts: Sequence[Self],
        counts: NDArray[np.int16],
        lengths: Sequence[int],
        gains: Sequence[float],
    ) -> list[NDArray[np.float64]]:
        """Push the next samples of one or more streams, for little more than those of one cost.

        Parameters
        ----------
        fronts : sequence of FrontEnd
            One for each stream.
        counts : ndarray of int16, shape (n,)
            The next samples of all in counts, one stream after the other.
        lengths : sequence of int
            How many of them are of each.
        gains : sequence of float
            Counts per millivolt, of each.

        Returns
        -------
        list of ndarray of float64
            What `push` returns for each.
        """
        values = millivolts(counts, np.repeat(gains, lengths))
        bounds = list(pairwise(accumulate(lengths, initial=0)))
        railed = (counts >= RAIL) | (counts <= -RAIL)
        any_railed = bool(np.count_nonzero(railed))
        for one, (start, end) in zip(fronts, bounds, strict=True):
            if any_railed and railed[start:end].any():
                values[start:end][one._rails(counts[start:end])] = np.nan
            elif end > start:
                one._railed = 0
        removers = [one._remover for one in fronts]
        passed = SpikeRemover.push_all(removers, [values[start:end] for start, end in bounds])
        return [one._convert(clean) for one, clean in zip(fronts, passed, strict=True)]

    def flush(self) -> NDArray[np.float64]:
        """Return the outputs still owed; what follows is taken as after a `reset`."""
        owed = self._convert(self._remover.flush())
        self._railed = 0
        return np.concatenate([owed, self._converter.flush()])

    def _convert(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if found := self._remover.found:
            self.found += [round(at * RATE * 1000 / self._rate_mhz) for at in found]
            found.clear()
        return self._converter.push(values)

    def _rails(self, samples: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Tell which samples lie at an end of the range for too long to be clipped peaks."""
        inside = np.abs(samples.astype(np.int32)) < RAIL
        at = np.arange(len(samples))
        last = np.maximum.accumulate(np.where(inside, at, -1 - self._railed))
        self._railed = int(at[-1] - last[-1])
        long: NDArray[np.bool_] = at - last > self._longest
        return long
