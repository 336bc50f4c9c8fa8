"""Accepted counts of a stream become segments at one rate, many frames at once."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.state import NESTED, Index, Indices, Layout, Stateful
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.stillness import STEP_MV
from ecgmon.wire.messages import MAX_SPIKES
from monitor.wearers.pieces import Segments, StreamSegment

QUARTER: Final = RATE // 4
"""Samples that are processed together: a beat, and that none comes, is known so much later at most.
Shorter frames would each cost nearly as much."""
MAX_COUNTS: Final = 2 * RATE
"""Samples that wait to be converted at most; more are converted at once."""


@dataclass(eq=False, slots=True)
class Conversion(Stateful):
    """Converts what a stream has accepted, once somebody needs what it becomes.

    Each call of the front end costs about as much for a frame as for a quarter of a second.

    Parameters
    ----------
    rate_mhz : int
        Sampling rate in millihertz that the device declared.
    first : int
        Index of the first of the device's samples.

    Attributes
    ----------
    spikes : deque of int
        Indices at `RATE` of the pacing spikes in seconds that are not reported, the first
        `MAX_SPIKES` of each.
    """

    layout = Layout(
        "conversion",
        1,
        ("rate_mhz",),
        spikes=Indices,
        _segments=Segments,
        _end=Index,
        _taken=Index,
        _front=NESTED,
        _step=float,
    )

    rate_mhz: int
    first: int
    spikes: deque[int] = field(default_factory=deque, init=False)
    _segments: deque[StreamSegment] = field(default_factory=deque, init=False)
    _end: int = field(init=False)
    _front: FrontEnd = field(init=False)
    _step: float = field(default=STEP_MV, init=False)
    _counts: list[NDArray[np.int16]] = field(default_factory=list, init=False)
    """What is not converted yet, all of it at ``_gain``."""
    _waiting: int = field(default=0, init=False)
    """Samples of ``_counts``."""
    _taken: int = field(init=False)
    """Index of the device's sample after all that were taken."""
    _gain: float = field(default=0.0, init=False)
    _ripe_at: int | None = field(default=None, init=False)
    """Value of ``_taken`` from which on it is ripe; None if that is to be found anew."""

    def __post_init__(self) -> None:
        self._front = FrontEnd(self.rate_mhz, self.first)
        self._end = self._front.next
        self._taken = self.first

    def state(self) -> bytes:
        """Return the state; what waits is converted first, which changes no bit."""
        self.convert([self])
        return Stateful.state(self)

    @property
    def pending(self) -> deque[StreamSegment]:
        """What was converted and is not processed; who processes a segment removes it."""
        self.convert([self])
        return self._segments

    @property
    def end(self) -> int:
        """Index at `RATE` of the next sample of ``pending``."""
        self.convert([self])
        return self._end

    @property
    def has_new(self) -> bool:
        """Whether ``pending`` has samples."""
        return bool(self._counts or self._segments)

    def is_ripe(self, look_ahead: int, due: int) -> bool:
        """Tell whether ``pending`` holds what is to be processed without waiting for more.

        That is what reaches the end of a second, the look-ahead of a window or a quarter of a
        second counted from there, or an alarm; or a gap.

        Parameters
        ----------
        look_ahead : int
            Of the window model, in samples at `RATE`.
        due : int
            Index at `RATE` at which an alarm may be raised, if it lies ahead.
        """
        if self._segments or not self._counts:
            return bool(self._segments)
        if self._ripe_at is None:
            now = self._end
            second = now // WINDOW * WINDOW + WINDOW
            quarter = (now - look_ahead) // QUARTER * QUARTER + QUARTER + look_ahead
            stop = min(second, quarter)
            self._ripe_at = self._front.needed_for(min(stop, due) if due > now else stop)
        return self._taken >= self._ripe_at

    def push(self, counts: NDArray[np.int16], gain: float) -> None:
        """Take the next samples.

        Parameters
        ----------
        counts : ndarray of int16, shape (n,)
            `NO_VALUE` where nothing was measured.
        gain : float
            Counts per millivolt.
        """
        if gain != self._gain or self._waiting > MAX_COUNTS:
            self.convert([self])
            self._gain, self._step = gain, self._front.step(gain)
        self._counts.append(counts)
        self._waiting += len(counts)
        self._taken += len(counts)

    def flush(self) -> None:
        """Convert all, also what waits for samples that follow."""
        self.convert([self])
        self._append(self._front.flush())

    def skip_to(self, first: int) -> None:
        """Begin anew at the device's sample ``first``; what is still owed is dropped."""
        self.convert([self])
        self._front.reset(first)
        self._taken = first

    def append_gap(self) -> None:
        """Let a gap be processed that no samples follow."""
        first = self._front.next
        if first > self._end:
            segment = StreamSegment(first, first - self._end, [np.zeros(0)], self._step)
            self._segments.append(segment)
            self._end = first

    def spikes_of(self, start: int, stop: int) -> list[int]:
        """Return the pacing spikes from ``start`` to before ``stop`` that are not reported."""
        return [at for at in self.spikes if start <= at < stop]

    def report_spikes(self, start: int, stop: int) -> list[int]:
        """Return the pacing spikes of a second, and forget all before its end."""
        spikes = self.spikes_of(start, stop)
        while self.spikes and self.spikes[0] < stop:
            self.spikes.popleft()
        return spikes

    @classmethod
    def convert(cls, conversions: Iterable[Self]) -> None:
        """Convert what waits of one or more streams, for little more than that of one costs."""
        those = [one for one in conversions if one._counts]
        if not those:
            return
        converted = FrontEnd.push_all(
            [one._front for one in those],
            np.concatenate([counts for one in those for counts in one._counts]),
            [one._waiting for one in those],
            [one._gain for one in those],
        )
        for one, samples in zip(those, converted, strict=True):
            one._counts.clear()
            one._waiting, one._ripe_at = 0, None
            one._append(samples)

    def _append(self, samples: NDArray[np.float64]) -> None:
        """Let the samples be processed that the front end has just returned."""
        if not len(samples):
            return
        if found := self._front.found:
            for at in found:
                room = len(self.spikes) < MAX_SPIKES
                if room or self.spikes[-MAX_SPIKES] // WINDOW < at // WINDOW:
                    self.spikes.append(at)
            found.clear()
        end = self._front.next
        first = end - len(samples)
        missing = first - self._end
        if missing or not self._segments or self._segments[-1].step != self._step:
            self._segments.append(StreamSegment(first, missing, [samples], self._step))
        else:
            self._segments[-1].parts.append(samples)
        self._end = end
