"""State of the QRS detector for one wearer: recent beats, usual energy and heart rate."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.core.state import MAX_ITEMS, Index, Indices, Layout, Stateful
from ecgmon.signal.peaks import Peak

REFRACTORY: Final = round(0.2 * RATE)
"""Refractory period in samples: no heart beats twice within 200 ms (Pan & Tompkins 1985)."""
KEPT: Final = 16
"""Number of beats remembered: as many as fit into three seconds."""
REFERENCE_SECONDS: Final = 30
"""The usual energy is the median of each second's smallest beat over this many seconds of signal.
Artefacts do not raise it, and beats that turn small for good become usual in half that time."""
NEVER: Final = int(np.iinfo(np.int64).max)
"""Stream index that no stream reaches."""

_LATEST: Final[partial[deque[Any]]] = partial(deque, maxlen=KEPT)


@dataclass(slots=True)
class RowBeats(Stateful):
    """The state of `ecgmon.signal.qrs.BeatDetector` for one row."""

    layout = Layout(
        "beats",
        2,
        beats=Indices,
        clean=Index,
        energies=list[float],
        intervals=list[tuple[Index, Index]],
        kept=float,
        level=float,
        peaks=Annotated[list[tuple[Index, float]], msgspec.Meta(max_length=MAX_ITEMS)],
        pending=Index,
        pending_value=float,
        rr=float,
        smallest=list[float],
        usual=float,
        weak=Indices,
        without=Index,
    )

    beats: deque[int] = field(default_factory=_LATEST)
    clean: int = 0
    energies: deque[float] = field(default_factory=_LATEST)
    intervals: deque[tuple[int, int]] = field(default_factory=_LATEST)
    kept: float = 0.0
    level: float = 0.0
    peaks: list[Peak] = field(default_factory=list)
    pending: int = -1
    pending_value: float = 0.0
    rr: float = float(RATE)
    smallest: deque[float] = field(default_factory=partial(deque, maxlen=REFERENCE_SECONDS))
    usual: float = 0.0
    weak: deque[int] = field(default_factory=_LATEST)
    without: int = 0

    def wakes(self) -> int:
        """Return the stream index up to which samples must be known for a beat to be confirmed."""
        # A local maximum shows only one sample later, so time stands one sample back.
        if self.pending >= 0:
            return self.pending + REFRACTORY + 2
        return self.peaks[0][0] + REFRACTORY + 2 if self.peaks else NEVER
