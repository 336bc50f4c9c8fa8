"""Removal of pacing spikes from the device's own samples, before a filter can smear them.

A spike rises and falls again within some milliseconds, between samples that lie on one level and
hardly change. A QRS complex is ten times as wide, so that beside its peak the signal changes as
fast as at its peak.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, isnan
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import Index, Indices, Layout, Samples, Stateful

SPIKE_MV: Final = 0.7
"""Smallest spike in mV. Pacemakers leave 1 mV and more; the sharpest thing so narrow in the 44
records of MIT-BIH without paced beats has 0.62 mV."""
SHORT_S: Final = 0.0085
"""Longest time in s from the sample before a spike to the sample after it: 2 ms, smeared by the
device's own filter over two samples at 360 Hz."""
WIDE_MV: Final = 1.05
"""Smallest spike in mV of those that last up to `WIDE_S`. In the 44 records there is none above
0.93 mV."""
WIDE_S: Final = 0.0115
"""Longest time in s from the sample before a wide spike to the sample after it."""
BIPHASIC_S: Final = 0.0125
"""Longest time in s of a spike whose two phases point up and down: two samples at 250 Hz."""
BIPHASIC: Final = 1.5
"""A spike is biphasic if it changes from one sample to the next by so many times its height."""
STEADY: Final = 1 / 3
"""Largest change beside a spike, and from before it to after it, as a share of its height."""
BESIDE_HZ: Final = 360
"""The change beside a spike is that over one sample at this rate, or over more at a higher one."""

SLOWEST_HZ: Final = 200
"""Slowest rate at which spikes are found: below it a narrow R wave is as short."""


class SpikeRemover(Stateful):
    """Finds the pacing spikes of one stream and bridges each by a straight line.

    Samples pass at once, except for those that may be a spike in progress: they wait for what
    follows, at most 20 ms.

    Parameters
    ----------
    rate_mhz : int
        The device's rate in millihertz.
    first : int
        Index of the first sample.

    Attributes
    ----------
    found : list of int
        Indices of the spikes that were found since the list was last emptied.
    beside : int
        Samples over which the change beside a spike is looked at.
    longest : int
        Samples of the longest spike.
    """

    layout = Layout(
        "spike remover",
        1,
        ("beside", "_short", "_wide", "longest"),
        found=Indices,
        _next=Index,
        _raw=Samples(64),
        _passed=Index,
    )

    def __init__(self, rate_mhz: int, first: int = 0) -> None:
        rate = rate_mhz / 1000
        self.beside = ceil(rate / BESIDE_HZ)
        self._short = max(int(SHORT_S * rate) - 1, int(rate >= SLOWEST_HZ))
        self._wide = int(WIDE_S * rate) - 1 if rate >= SLOWEST_HZ else 0
        self.longest = max(int(BIPHASIC_S * rate) - 1, 1)
        self.found: list[int] = []
        self.reset(first)

    def reset(self, first: int) -> None:
        """Begin anew at sample ``first``; what waited is dropped."""
        self._next = first
        self._raw = np.zeros(0)
        self._passed = 0

    def push(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the next samples in mV, NaN where nothing was measured.

        Returns
        -------
        ndarray of float64
            The samples that follow those returned before, without spikes; bit-identical however
            the stream is cut, and identical to the samples where there is no spike.
        """
        return self.push_all([self], [samples])[0]

    @classmethod
    def push_all(
        cls, removers: Sequence[Self], samples: Sequence[NDArray[np.float64]]
    ) -> list[NDArray[np.float64]]:
        """Push the next samples of one or more streams, for little more than those of one cost.

        Parameters
        ----------
        removers : sequence of SpikeRemover
            One for each stream.
        samples : sequence of ndarray of float64
            The next samples of each in mV.

        Returns
        -------
        list of ndarray of float64
            What `push` returns for each.
        """
        parts = [
            part
            for one, new in zip(removers, samples, strict=True)
            for part in (one._begin(new), new)
        ]
        raw = np.concatenate(parts)
        ends = np.cumsum([len(part) for part in parts])[1::2]
        steep = _steep(raw)
        upto = np.searchsorted(steep, ends)
        steep = steep[_may_be_spikes(raw, steep, removers, ends, upto)]
        upto = np.searchsorted(steep, ends).tolist()
        passed, start, known = [], 0, 0
        for one, end, stop in zip(removers, ends.tolist(), upto, strict=True):
            passed.append(one._pass(raw[start:end], (steep[known:stop] - start).tolist()))
            start, known = end, stop
        return passed

    def flush(self) -> NDArray[np.float64]:
        """Return the samples that wait, as they are, and begin anew after them."""
        rest = self._pass(self._raw, _steep(self._raw).tolist(), final=True)
        self.reset(self._next)
        return rest

    def _begin(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is kept before the next samples."""
        if not len(self._raw) and len(samples):
            # As if the first value had always stood.
            self._raw, self._passed = np.full(self.beside + 1, samples[0]), self.beside + 1
        self._next += len(samples)
        return self._raw

    def _pass(
        self, raw: NDArray[np.float64], steep: Sequence[int], *, final: bool = False
    ) -> NDArray[np.float64]:
        """Return the samples that pass of what was kept and has come, and keep the others.

        Parameters
        ----------
        raw : ndarray of float64, shape (n,)
            What was kept, and what has come, in mV.
        steep : sequence of int
            Where in ``raw`` a spike may begin.
        final : bool
            Whether nothing follows.
        """
        end = free = len(raw)
        done = shift = self._passed
        clean = raw[shift:].copy()
        needed = self.longest + 1 + self.beside
        for at in steep:
            if at < done:
                continue
            if not final and at + needed >= end:
                free = at
                break
            length = self._spike(raw, at)
            if length:
                before, after = raw[at - 1], raw[at + length]
                bridge = np.linspace(before, after, length + 2)[1:-1]
                clean[at - shift : at - shift + length] = bridge
                self.found.append(self._next - end + at)
                done = at + length
        oldest = max(free - self.beside - 1, 0)
        self._raw, self._passed = raw[oldest:].copy(), free - oldest
        return clean[: free - shift]

    def _spike(self, raw: NDArray[np.float64], at: int) -> int:
        """Return how many samples from ``at`` on are a spike, 0 for none."""
        if not self._short:
            return 0
        # Plain numbers: so few are compared that numpy's calls would take most of the time.
        around = raw[at - 1 - self.beside : at + self.longest + self.beside + 1].tolist()
        start = 1 + self.beside
        for after in range(start + 1, start + self.longest + 1):
            if after + self.beside >= len(around):
                return 0
            inside, length = around[start:after], after - start
            before, level = around[start - 1], around[after]
            middle = (before + level) / 2
            height = max(max(inside) - middle, middle - min(inside))
            if height < SPIKE_MV:  # as of nearly all R waves
                continue
            outside = (around[0], before, level, around[after + self.beside])
            if any(map(isnan, (*inside, *outside))):
                continue
            if max(abs(b - a) for a, b in pairwise(outside)) > STEADY * height:
                continue
            two = any(abs(b - a) >= BIPHASIC * height for a, b in pairwise(inside))
            if length <= self._short or two:
                return length
            if height >= WIDE_MV and length <= self._wide:
                return length
        return 0


def _steep(raw: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return where the signal changes so much from the sample before that a spike may begin."""
    return np.flatnonzero(np.abs(np.diff(raw)) > SPIKE_MV * STEADY) + 1


def _may_be_spikes(
    raw: NDArray[np.float64],
    steep: NDArray[np.intp],
    removers: Sequence[SpikeRemover],
    ends: NDArray[np.intp],
    upto: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Tell where a spike may begin by all it is known to be; where it is not over, it may.

    Parameters
    ----------
    raw : ndarray of float64, shape (n,)
        Of all streams, one after the other, in mV.
    steep : ndarray of intp, shape (m,)
        Where the signal is steep.
    removers : sequence of SpikeRemover
        Of each stream.
    ends, upto : ndarray of intp, shape (r,)
        Where each stream ends in ``raw``, and what of ``steep`` is its.
    """
    of = np.repeat(np.arange(len(removers)), np.diff(upto, prepend=0))
    longest = np.array([one.longest for one in removers])[of]
    beside = np.array([one.beside for one in removers])[of]
    may: NDArray[np.bool_] = steep + longest + 1 + beside >= ends[of]
    whole = np.flatnonzero(~may)
    at, beside, longest = steep[whole], beside[whole], longest[whole]
    before = raw[at - 1]
    top, bottom = np.full(len(at), -np.inf), np.full(len(at), np.inf)
    step = np.abs(before - raw[at - 1 - beside])
    for length in range(1, int(longest.max(initial=0)) + 1):
        some = np.flatnonzero(longest >= length)
        whole, at, beside, longest = whole[some], at[some], beside[some], longest[some]
        before, top, bottom, step = before[some], top[some], bottom[some], step[some]
        inside, level = raw[at + length - 1], raw[at + length]
        top, bottom = np.maximum(top, inside), np.minimum(bottom, inside)
        middle = (before + level) / 2
        height = np.maximum(top - middle, middle - bottom)
        beyond = np.abs(raw[at + length + beside] - level)
        calm = np.maximum(np.maximum(step, np.abs(level - before)), beyond) <= STEADY * height
        may[whole[(height >= SPIKE_MV) & calm]] = True
    return may
