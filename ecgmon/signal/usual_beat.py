"""The usual beat of a wearer: the shape that most of the last beats have, whatever it is.

A wearer's own model has learned one. Another posture, other electrodes or an illness changes it for
longer than an ectopic beat does, and then the model judges what it has not seen. The shape is that
of the QRS complex, without its size, which the unit follows (`ecgmon.signal.scale`).
"""

from collections.abc import Container, Iterator
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.signal.atrial_segments import SEGMENT
from ecgmon.signal.beat_kin import ALIKE, SHIFT, START, STOP, normalised
from ecgmon.signal.types import RhythmInputs

EVERY_S: Final = 60
"""Seconds from one usual beat to the next: as long as beats are kept (`atrial_segments`)."""
FEWEST: Final = 16
"""Beats in seconds of signal from which on one is usual: half of those that are kept."""
SAMPLES: Final = STOP - START + 2 * SHIFT
"""Samples of a usual beat, at 120 Hz from 167 ms before the R peak on: those by which beats are
compared anyway, and room for `SHIFT`."""


def usual_beat(last: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the shape that most of a row's last beats have.

    It is the median of those that look like the median of all. Where these are not most, as in
    bigeminy or in noise, nothing is usual.

    Parameters
    ----------
    last : ndarray of float32, shape ATRIAL_SHAPE
        The last beats (`ecgmon.signal.atrial_segments`).

    Returns
    -------
    ndarray of float32, shape (`SAMPLES`,), or None
        Of mean 0 and length 1.
    """
    signal = last[last[:, SEGMENT + 2] > 0, START - SHIFT : STOP + SHIFT]
    if len(signal) < FEWEST:
        return None
    beats, _ = normalised(signal)
    alike = beats @ _median(beats) >= ALIKE
    return _median(beats[alike]) if 2 * alike.sum() > len(beats) else None


def middle(usual: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the median of usual beats, shape (n, `SAMPLES`); NaN where there was none."""
    known = usual[np.isfinite(usual).all(axis=1)]
    return tuple(_median(known).tolist()) if len(known) else ()


def likeness(now: NDArray[np.float32], before: NDArray[np.float32]) -> float:
    """Return how alike two usual beats are: their correlation, 1 for the same shape.

    The R peak may have been found up to `SHIFT` samples elsewhere.
    """
    views, _ = normalised(sliding_window_view(now, STOP - START))
    kept, _ = normalised(before[SHIFT : SHIFT + STOP - START])
    return float((views @ kept).max())


def each_minute(
    last: RhythmInputs, rows: Container[int]
) -> Iterator[tuple[int, int, NDArray[np.float32] | None]]:
    """Yield row, stream index and usual beat at each whole minute of some rows.

    Parameters
    ----------
    last : RhythmInputs
        The last beats, as a signal chain hands them out.
    rows : container of int
        Which rows.
    """
    due = np.flatnonzero(last.end // WINDOW % EVERY_S == 0).tolist()
    for i, row, end in zip(due, last.rows[due].tolist(), last.end[due].tolist(), strict=True):
        if row in rows:
            yield row, end, usual_beat(last.inputs[i])


def _median(beats: NDArray[np.float32]) -> NDArray[np.float32]:
    shape, _ = normalised(np.median(beats, axis=0))
    return shape
