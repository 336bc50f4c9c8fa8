"""Input of beat models: the signal around a beat, and the RR intervals before it.

All of it is known half a second after the beat, so that a monitor can do the same.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.signal.resample import resample

BEFORE: Final = RATE
"""Samples before the R peak: the beat before is in sight unless the heart is slow."""
AFTER: Final = RATE // 2
"""Samples after it, by which every result is late."""
BEAT_RATE: Final = 125
"""Samples per second of the input, those of Kachuee et al. (2018)."""
LENGTH: Final = 187
"""Samples of the input."""
CHANNELS: Final = 5
"""Signal, its difference from the usual beat, the last two RR intervals, the usual one."""
SHAPES: Final = 2
"""The first channels, which are signal; the others are constant."""
_BEATS: Final = 31
"""Beats whose median is the usual one."""
_USUAL: Final = 8
"""RR intervals whose mean is the usual one."""
_LONGEST: Final = 2.0
"""Seconds above which an interval says no more than that it is long."""
_ORDINARY: Final = 0.8
"""Seconds of an interval that is not known yet."""


def beat_inputs(
    filtered: NDArray[np.float32], scale: NDArray[np.float32], beats: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Cut the inputs of beats.

    Parameters
    ----------
    filtered : ndarray of float32, shape (n,)
        Band-passed signal at `RATE` in mV.
    scale : ndarray of float32, shape (seconds,)
        Unit of amplitude in mV in each second.
    beats : ndarray of int64, shape (m,)
        Sample index of each beat, ascending, all of them: intervals are counted between them.

    Returns
    -------
    ndarray of float32, shape (m, CHANNELS, LENGTH)
        Channel 0 is the signal in units of ``scale``, channel 1 its difference from the median of
        the `_BEATS` beats before. The others are constant: the last RR interval and the one before
        it over the usual one, less 1, and the usual one in seconds, less 0.8. Where the record
        ends, or has not begun, the signal is 0.
    """
    padded = np.pad(filtered, (BEFORE, AFTER))
    around = padded[beats[:, None] + np.arange(BEFORE + AFTER)]
    # That of the last second that is whole when the beat is judged, or of the first one.
    unit = scale[np.clip((beats + AFTER) // RATE - 1, 0, len(scale) - 1)]
    shape = resample((around / unit[:, None]).astype(np.float32), BEAT_RATE)[:, :LENGTH]
    shapes = np.stack([shape, shape - _usual_beat(shape)], axis=1)
    constant = np.repeat(_intervals(beats)[:, :, None], LENGTH, axis=2)
    return np.concatenate([shapes, constant], axis=1)


def _usual_beat(shape: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of up to `_BEATS` beats before each, of the first itself; as ``shape``."""
    usual = shape.copy()
    for number in range(1, min(_BEATS, len(shape))):
        usual[number] = np.median(shape[:number], axis=0)
    if len(shape) > _BEATS:
        usual[_BEATS:] = np.median(sliding_window_view(shape[:-1], _BEATS, axis=0), axis=-1)
    return usual


def _intervals(beats: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what is known of each beat's RR intervals, shape (m, 3)."""
    rr = np.minimum(np.diff(beats) / RATE, _LONGEST)
    # The first beat has none before it, and the second one only one.
    last = np.concatenate([[_ORDINARY], rr])[: len(beats)]
    before = np.concatenate([last[:2], rr[:-1]])[: len(beats)]
    sums = np.concatenate([[0.0], np.cumsum(rr)])
    number = np.arange(len(beats))
    first = np.maximum(number - _USUAL, 0)
    usual = np.where(
        number > 0, (sums[number] - sums[first]) / np.maximum(number - first, 1), _ORDINARY
    )
    known = [last / usual - 1, before / usual - 1, usual - _ORDINARY]
    return np.stack(known, axis=1).astype(np.float32)
