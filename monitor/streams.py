"""Order in what devices send: one stream a wearer, by sample index, never by time of arrival."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ecgmon.grid import RATE
from ecgmon.records import millivolts
from ecgmon.wire import Frame


@dataclass(eq=False, slots=True)
class Segment:
    """Consecutive samples, after ``missing`` samples that never arrived."""

    first: int
    missing: int
    parts: list[NDArray[np.float64]]


@dataclass(eq=False, slots=True)
class Stream:
    """A wearer's current stream.

    Parameters
    ----------
    wearer : str
        Whose stream it is.
    number : int
        The frame's 64-bit stream id.
    row : int
        Row of the wearer in its signal chain.
    rate_mhz : int
        Sampling rate in millihertz that the device declared.
    """

    wearer: str
    number: int
    row: int
    rate_mhz: int
    next: int = 0
    received: int = 0
    missing: int = 0
    repeated: int = 0
    pending: deque[Segment] = field(default_factory=deque)
    next_window: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    _fastest: float = float("inf")

    def accept(self, frame: Frame, arrival: float) -> int:
        """Take a frame: drop what is known already, note what is missing before it.

        Parameters
        ----------
        frame : Frame
            Of this stream.
        arrival : float
            Monotonic time of arrival in seconds.

        Returns
        -------
        int
            How many of its samples were known, and dropped; they are its first ones.
        """
        known = min(max(self.next - frame.first, 0), len(frame.samples))
        self.repeated += known
        if known == len(frame.samples):
            return known
        samples = millivolts(frame.samples[known:], frame.gain)
        missing = frame.first + known - self.next
        self.missing += missing
        if missing or not self.pending:
            self.pending.append(Segment(self.next + missing, missing, [samples]))
        else:
            self.pending[-1].parts.append(samples)
        self.received += len(samples)
        self.next = frame.end
        self._fastest = min(self._fastest, arrival - self.next / RATE)
        return known

    def skip_to(self, segment: Segment) -> None:
        """Remember what is missing before a segment until the seconds it touches are reported."""
        self.gaps = [gap for gap in self.gaps if gap[1] > self.next_window]
        self.gaps.append((segment.first - segment.missing, segment.first))

    def missing_of(self, start: int, stop: int) -> int:
        """Return how many of these samples fell into the latest gaps."""
        return sum(max(0, min(stop, b) - max(start, a)) for a, b in self.gaps)

    def lag(self, now: float) -> float:
        """Return by how many seconds the newest sample is late, against the fastest delivery."""
        return max(now - self._fastest - self.next / RATE, 0.0) if self.received else 0.0
