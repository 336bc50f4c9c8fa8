"""The newest samples of a stream, from which its state is computed anew after a restart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class StreamTail:
    """The newest samples of a stream.

    Parameters
    ----------
    first : int
        Index of the first one, in the device's samples.
    counts : ndarray of int16, shape (n,)
        As the device sent them.
    rate_mhz : int
        Their rate.
    gain : float
        Counts per millivolt.
    lead : str
        Their lead.
    judged : int
        Stream index at 360 Hz up to which the journal has windows; 0 if it has none.
    gaps : tuple of (int, int)
        From which to which of the device's samples the journal has gaps, ascending: what they held
        is not in ``counts`` either, but a device may also have measured nothing.
    beats : int
        Stream index at 360 Hz after the latest beat that the journal has; 0 if it has none.
    """

    first: int
    counts: NDArray[np.int16]
    rate_mhz: int
    gain: float
    lead: str
    judged: int
    gaps: tuple[tuple[int, int], ...] = ()
    beats: int = 0

    @property
    def stop(self) -> int:
        """Index of the sample that follows."""
        return self.first + len(self.counts)
