"""The schedule of a device: frames of a record and the time from which each can be sent."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.records import Record

FRAME_S: Final = 0.1
"""Seconds of signal in a frame."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a record is played.

    Parameters
    ----------
    speed : float
        Multiple of real time; infinity for as fast as the monitor takes it.
    burst_s : float
        Seconds of signal that the radio delivers at once; 0 for every frame at its own time.
    """

    speed: float = 1.0
    burst_s: float = 0.0

    def due(self, taken_s: float) -> float:
        """Return when, in seconds after the start, what was taken by ``taken_s`` can be sent."""
        if self.burst_s:
            # Rounded first, so that a frame that ends with the burst belongs to it.
            taken_s = math.ceil(round(taken_s / self.burst_s, 9)) * self.burst_s
        return taken_s / self.speed


@dataclass(frozen=True, eq=False, slots=True)
class Outgoing:
    """A frame to be: ``samples`` from stream index ``first`` on, not before ``due_s``."""

    due_s: float
    first: int
    samples: NDArray[np.int16]

    @property
    def end(self) -> int:
        """Index of the sample that follows."""
        return self.first + len(self.samples)


def schedule(record: Record, first: int, stop: int, pace: Pace) -> Iterator[Outgoing]:
    """Cut samples ``first`` to ``stop - 1`` of a record into frames, in the order of time.

    Stream indices count from ``first``. Beyond its last sample the record starts over. What it
    says is missing is left out. A last, incomplete burst is sent when the signal ends.
    """
    size, n = round(FRAME_S * record.rate), len(record.samples)
    last = (stop - first) / record.rate / pace.speed
    at = first
    while at < stop:
        start = at - at % n  # where this round of the record began
        inside = at - start
        gap = next((gap for gap in record.missing if gap[0] <= inside < gap[1]), None)
        if gap is not None:
            at = start + gap[1]
            continue
        gaps = (gap[0] for gap in record.missing if gap[0] > inside)
        until = min([inside + size, n, stop - start, *gaps])
        due_s = min(pace.due((start + until - first) / record.rate), last)
        yield Outgoing(due_s, at - first, record.samples[inside:until])
        at = start + until
