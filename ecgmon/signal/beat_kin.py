"""How many of the beats before it a beat looks like: whether it is a beat at all, or noise.

The beats of a heart come in few shapes, whatever these are, and noise that passes for a beat comes
in another one each time.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BEFORE: Final = 8
"""Beats that each is compared with."""
ALIKE: Final = 0.85
"""Correlation from which on two are alike. Chosen with all of MIT-BIH and noise of NSTDB in view,
as was what `monitor.alarms.conditions.heart_rate` makes of it."""
SHIFT: Final = 2
"""Samples of a neighbourhood, 17 ms, by which an R peak may have been found elsewhere."""
LIKE_IN_SIZE: Final = 2.0
"""One of two that are alike is at most so many times as large."""
START, STOP = 12, 38
"""Samples of a neighbourhood that are compared: 150 ms before the R peak to 67 ms after it."""


def kin(
    segments: NDArray[np.float32], beat: NDArray[np.float32], known: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return how many of the `BEFORE` beats before it each beat looks like.

    Parameters
    ----------
    segments : ndarray of float32, shape (n, BEFORE, SEGMENT)
        Neighbourhoods of the beats before each (`ecgmon.signal.atrial_segments`).
    beat : ndarray of float32, shape (n, SEGMENT)
        Neighbourhoods of the beats.
    known : ndarray of bool, shape (n, BEFORE)
        Which of those before there are.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 to `BEFORE`; where fewer are known, those that are not count as alike.
    """
    before, before_size = normalised(_shifted(np.ascontiguousarray(segments)))
    now, size = normalised(beat[:, START:STOP])
    found = np.einsum("nbsw,nw->nbs", before, now).max(axis=2)
    ratio = before_size[:, :, SHIFT] / size[:, None]
    alike = (found >= ALIKE) & (ratio <= LIKE_IN_SIZE) & (ratio >= 1 / LIKE_IN_SIZE)
    count: NDArray[np.int64] = (alike | ~known).sum(axis=1)
    return count


def _shifted(segments: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is compared of neighbourhoods, [beat, before, shift, sample], without a copy.

    `sliding_window_view` gives the same view in thirty times the time.
    """
    shape = (*segments.shape[:2], 2 * SHIFT + 1, STOP - START)
    strides = (*segments.strides, segments.itemsize)
    offset = (START - SHIFT) * segments.itemsize
    view: NDArray[np.float32] = np.ndarray(shape, np.float32, segments, offset, strides)
    return view


def normalised(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return signals of mean 0 and length 1, and their lengths before."""
    x = x - x.mean(axis=-1, keepdims=True)
    length = np.sqrt((x * x).sum(axis=-1)) + np.float32(1e-6)
    return x / length[..., None], length
