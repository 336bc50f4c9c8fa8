"""Accepted counts of a stream become segments at one rate, many frames at once."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.state import NESTED, Index, Indices, Layout, Stateful
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.stillness import STEP_MV
from ecgmon.wire.messages import MAX_SPIKES
from monitor.wearers.pieces import Segments, StreamSegment

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

    def __post_init__(self) -> None:
        self._front = FrontEnd(self.rate_mhz, self.first)
        self._end = self._front.next
        self._taken = self.first

    def state(self) -> bytes:
        """Return the state; what waits is converted first, which changes no bit."""
        self._convert()
        return Stateful.state(self)

    @property
    def pending(self) -> deque[StreamSegment]:
        """What was converted and is not processed; who processes a segment removes it."""
        self._convert()
        return self._segments

    @property
    def end(self) -> int:
        """Index at `RATE` of the next sample of ``pending``."""
        self._convert()
        return self._end

    @property
    def has_new(self) -> bool:
        """Whether ``pending`` has samples."""
        return bool(self._counts or self._segments)

    def reaches(self, grid: int, offset: int = 0) -> bool:
        """Tell whether ``pending`` reaches a multiple of ``grid`` beyond an offset, or a gap.

        Parameters
        ----------
        grid, offset : int
            In samples at `RATE`.
        """
        if self._segments or not self._counts:
            return bool(self._segments)
        end = self._front.next_after(self._taken)
        return (end - offset) // grid > (self._end - offset) // grid

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
            self._convert()
            self._gain = gain
        self._counts.append(counts)
        self._waiting += len(counts)
        self._taken += len(counts)

    def flush(self) -> None:
        """Convert all, also what waits for samples that follow."""
        self._convert()
        first = self._front.next
        self._append(first, self._front.flush())

    def skip_to(self, first: int) -> None:
        """Begin anew at the device's sample ``first``; what is still owed is dropped."""
        self._convert()
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

    def _convert(self) -> None:
        if not self._counts:
            return
        counts = self._counts[0] if len(self._counts) == 1 else np.concatenate(self._counts)
        self._counts.clear()
        self._waiting = 0
        first, self._step = self._front.next, self._front.step(self._gain)
        self._append(first, self._front.push(counts, self._gain))

    def _append(self, first: int, samples: NDArray[np.float64]) -> None:
        if not len(samples):
            return
        for at in self._front.found:
            if len(self.spikes) < MAX_SPIKES or self.spikes[-MAX_SPIKES] // WINDOW < at // WINDOW:
                self.spikes.append(at)
        self._front.found.clear()
        missing = first - self._end
        if missing or not self._segments or self._segments[-1].step != self._step:
            self._segments.append(StreamSegment(first, missing, [samples], self._step))
        else:
            self._segments[-1].parts.append(samples)
        self._end = first + len(samples)
