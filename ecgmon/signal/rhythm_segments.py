"""Input of rhythm models: the last seconds of signal, cut at the end of every second."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.signal.atrial_segments import is_due
from ecgmon.signal.geometry import RHYTHM
from ecgmon.signal.quality import ABSENT
from ecgmon.signal.resample import resample
from ecgmon.signal.rows import Rows
from ecgmon.signal.types import RhythmInputs
from ecgmon.signal.windows import is_measured


def cut_rhythms(known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> RhythmInputs:
    """Cut what a rhythm model sees of rows whose second has just ended."""
    context = known.filtered.last(rows, end, RHYTHM.context)
    seen = resample(context / known.scale(rows)[:, None], RHYTHM.rate)
    present = known.signal_state[rows] != ABSENT
    return RhythmInputs(rows, end, seen, is_measured(known, RHYTHM.context, rows, end) & present)


def cut_atrial(known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> list[RhythmInputs]:
    """Cut what a model of atrial rhythms sees of rows whose second has just ended, if it is due."""
    due = is_due(end)
    if not np.count_nonzero(due):
        return []
    rows, end = rows[due], end[due]
    return [RhythmInputs(rows, end, *known.atrial.inputs(rows, end))]
