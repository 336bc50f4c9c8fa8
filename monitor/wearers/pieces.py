"""Consecutive samples of a stream: as a device sent them, and as they are processed."""

from collections import deque
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import MAX_ITEMS


class Piece(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Consecutive samples of a stream that were accepted.

    Parameters
    ----------
    stream : int
        The stream's 64-bit id.
    first : int
        Index of the first sample, in the device's samples.
    rate_mhz : int
        Sampling rate in millihertz.
    gain : float
        Counts per millivolt.
    lead : str
        Name of the lead.
    samples : ndarray of int16, shape (n,), n >= 1
        Counts; `NO_VALUE` where nothing was measured.
    """

    stream: int
    first: int
    rate_mhz: int
    gain: float
    lead: str
    samples: NDArray[np.int16]

    @property
    def end(self) -> int:
        """Index of the sample that follows."""
        return self.first + len(self.samples)

    def after(self, count: int) -> "Piece":
        """Return the piece without its first ``count`` samples."""
        return msgspec.structs.replace(self, first=self.first + count, samples=self.samples[count:])


class StreamSegment(msgspec.Struct, eq=False):
    """Consecutive samples at `RATE` that are to be processed.

    Parameters
    ----------
    first : int
        Index of the first sample.
    missing : int
        Samples before it that never arrived.
    parts : list of ndarray of float64
        The samples in mV, to be concatenated.
    step : float
        Noise of one of the device's counts in them, root mean square in mV.
    """

    first: int
    missing: int
    parts: list[NDArray[np.float64]]
    step: float


def take(pending: deque[StreamSegment], until: int) -> StreamSegment | None:
    """Take the next samples that wait, up to index ``until``; None if there are none."""
    if not pending or pending[0].first >= until:
        return None
    segment = pending.popleft()
    samples = np.concatenate(segment.parts)
    n = until - segment.first
    if n >= len(samples):
        return segment
    pending.appendleft(StreamSegment(until, 0, [samples[n:]], segment.step))
    return StreamSegment(segment.first, segment.missing, [samples[:n]], segment.step)


Segments = Annotated[list[StreamSegment], msgspec.Meta(max_length=MAX_ITEMS)]
"""Segments that wait, in the state of a stream."""
