"""What the chain hands on of the rows whose beats are cut: signal, beats and scale as they come."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(eq=False, slots=True)
class BeatFeed:
    """The next samples of a row, and what was found in them.

    Attributes
    ----------
    filtered : list of ndarray of float32
        Band-passed samples in mV, to be concatenated.
    measured : list of ndarray of bool
        Which of them were measured.
    beats : list of int
        Stream indices of the beats confirmed by these samples, ascending. A beat is given at the
        latest with the sample `ecgmon.signal.beat_segments.AFTER` after it.
    scale : list of (int, float32)
        The ends of seconds in these samples, ascending, and the unit of amplitude in mV from then
        on.
    begins : list of int
        Stream indices at which the filters started anew: what lies before is no signal.
    """

    filtered: list[NDArray[np.float32]] = field(default_factory=list)
    measured: list[NDArray[np.bool_]] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)
    scale: list[tuple[int, np.float32]] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
