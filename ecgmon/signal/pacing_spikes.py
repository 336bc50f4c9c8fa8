"""Removal of pacing spikes from the device's own samples, before a filter can smear them.

A spike rises and falls again within some milliseconds, between samples that lie on one level and
hardly change. A QRS complex is ten times as wide, so that beside its peak the signal changes as
fast as at its peak.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
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
        parts: list[NDArray[np.float64]] = []
        for one, new in zip(removers, samples, strict=True):
            if not len(one._raw):
                one._begin(new)
            one._next += len(new)
            parts += (one._raw, new)
        raw = np.concatenate(parts)
        bounds = [*accumulate(map(len, parts), initial=0)][::2]
        begins = _begins(raw, removers, bounds)
        each = enumerate(zip(removers, pairwise(bounds), strict=True))
        return [one._pass(raw, start, end, begins.get(i, ())) for i, (one, (start, end)) in each]

    def flush(self) -> NDArray[np.float64]:
        """Return the samples that wait, as they are, and begin anew after them."""
        raw = self._raw
        rest = self._pass(raw, 0, len(raw), _steep(raw).tolist(), final=True)
        self.reset(self._next)
        return rest

    def _begin(self, samples: NDArray[np.float64]) -> None:
        """Begin with these samples, if there are any, as if the first value had always stood."""
        if len(samples):
            self._raw, self._passed = np.full(self.beside + 1, samples[0]), self.beside + 1

    def _pass(
        self,
        raw: NDArray[np.float64],
        start: int,
        end: int,
        steep: Sequence[int],
        *,
        final: bool = False,
    ) -> NDArray[np.float64]:
        """Return the samples that pass of what was kept and has come, and keep the others.

        Parameters
        ----------
        raw : ndarray of float64, shape (n,)
            What was kept, and what has come, in mV, of one or more streams.
        start, end : int
            What of it is this stream's.
        steep : sequence of int
            Where in that part a spike may begin.
        final : bool
            Whether nothing follows.
        """
        clean, free = raw[start + self._passed : end].copy(), end - start
        if steep:
            free = self._bridge(raw[start:end], clean, steep, final=final)
            clean = clean[: free - self._passed]
        oldest = max(free - self.beside - 1, 0)
        self._raw, self._passed = raw[start + oldest : end].copy(), free - oldest
        return clean

    def _bridge(
        self,
        raw: NDArray[np.float64],
        clean: NDArray[np.float64],
        steep: Sequence[int],
        *,
        final: bool,
    ) -> int:
        """Put a straight line in place of each spike, and return from where on samples wait.

        Parameters
        ----------
        raw, steep, final
            As of `_pass`, but of this stream alone.
        clean : ndarray of float64
            The end of ``raw`` that has not passed; the lines are drawn here.
        """
        done = shift = self._passed
        end, needed = len(raw), self.longest + 1 + self.beside
        for at in steep:
            if at < done:
                continue
            if not final and at + needed >= end:
                return at
            if length := self._spike(raw, at):
                bridge = np.linspace(raw[at - 1], raw[at + length], length + 2)[1:-1]
                clean[at - shift : at - shift + length] = bridge
                self.found.append(self._next - end + at)
                done = at + length
        return end

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


def _begins(
    raw: NDArray[np.float64], removers: Sequence[SpikeRemover], bounds: Sequence[int]
) -> dict[int, list[int]]:
    """Return where spikes may begin, by the number of each stream that may have any.

    Parameters
    ----------
    raw : ndarray of float64, shape (n,)
        Of all streams, one after the other, in mV.
    removers : sequence of SpikeRemover
        Of each stream.
    bounds : sequence of int
        Where each stream begins in ``raw``, and where the last one ends.
    """
    found: dict[int, list[int]] = defaultdict(list)
    if len(steep := _steep(raw)):
        ends = np.array(bounds[1:])
        of = np.searchsorted(ends, steep, side="right")
        longest = np.array([one.longest for one in removers])[of]
        beside = np.array([one.beside for one in removers])[of]
        may = _may_be_spikes(raw, steep, ends[of], longest, beside)
        for i, at in zip(of[may].tolist(), steep[may].tolist(), strict=True):
            found[i].append(at - bounds[i])
    return found


def _may_be_spikes(
    raw: NDArray[np.float64],
    steep: NDArray[np.intp],
    ends: NDArray[np.intp],
    longest: NDArray[np.intp],
    beside: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Tell where a spike may begin by all it is known to be; where it is not over, it may.

    Parameters
    ----------
    raw : ndarray of float64, shape (n,)
        Of all streams, one after the other, in mV.
    steep : ndarray of intp, shape (m,)
        Where the signal is steep.
    ends, longest, beside : ndarray of intp, shape (m,)
        Where in ``raw`` the stream of each ends, and what its `SpikeRemover` looks at.
    """
    at, lengths = steep[:, None], np.arange(1, longest.max() + 1)
    before = raw[at - 1]
    # Beyond the longest spike of a stream whatever is found does not count.
    around = raw.take(at + np.arange(lengths[-1] + 1), mode="clip")
    inside, level = around[:, :-1], around[:, 1:]
    beyond = raw.take(at + lengths + beside[:, None], mode="clip")
    middle = (before + level) / 2
    top, bottom = np.maximum.accumulate(inside, axis=1), np.minimum.accumulate(inside, axis=1)
    height = np.maximum(top - middle, middle - bottom)
    change = np.maximum(np.abs(level - before), np.abs(beyond - level))
    change = np.maximum(change, np.abs(before - raw[at - 1 - beside[:, None]]))
    spikes = (height >= SPIKE_MV) & (change <= STEADY * height) & (lengths <= longest[:, None])
    may: NDArray[np.bool_] = spikes.any(axis=1) | (steep + longest + 1 + beside >= ends)
    return may
