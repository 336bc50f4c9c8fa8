"""Windows for the model: each is cut from the history once its look-ahead has arrived."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.quality import SIGNAL
from ecgmon.signal.resample import resample
from ecgmon.signal.rows import Rows
from ecgmon.signal.types import Windows

HOLE: Final = RATE // 5
"""Samples in a row, 0.2 s, that were not measured and that a model may take for something abnormal:
just before normal seconds of strangers such a hole makes 1.6 times as many false verdicts, one of
0.45 s four times as many (the generic model, records of MIT-BIH that it was not trained on)."""


def cut_windows(
    known: Rows, geometry: Geometry, rows: NDArray[np.intp], now: NDArray[np.int64]
) -> Windows:
    """Cut the window whose look-ahead each row has just completed."""
    if geometry.unit == "second":
        known.units[rows, :-1] = known.units[rows, 1:]
        known.units[rows, -1] = known.scale(rows)
    end = now - geometry.look_ahead
    complete = end - WINDOW >= known.start[rows]
    if not np.count_nonzero(complete):
        return Windows.concatenate([], geometry)
    rows, now, end = rows[complete], now[complete], end[complete]
    scale = known.scale(rows)
    units = known.units[rows] if geometry.unit == "second" else scale[:, None]
    return Windows(
        rows,
        end - WINDOW,
        resample(_in_units(known, geometry, rows, now, units), geometry.rate),
        scale,
        known.signal_state[rows],
        _heart_rates(known, rows, end),
        known.last_beat[rows],
        known.beat_count[rows],
        is_measured(known, geometry.context, rows, now),
    )


def _in_units(
    known: Rows,
    geometry: Geometry,
    rows: NDArray[np.intp],
    now: NDArray[np.int64],
    units: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the context before ``now``, each second in its own of some units or all in one."""
    whole = known.filtered.last(rows, now, geometry.blocks * WINDOW)
    blocks = whole.reshape(len(rows), geometry.blocks, WINDOW) / units[:, :, None]
    return blocks.reshape(whole.shape)[:, -geometry.context :]


def is_measured(
    known: Rows, context: int, rows: NDArray[np.intp], end: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell of some rows whether the context before stream index ``end`` is real throughout."""
    settled: NDArray[np.bool_] = end - context >= known.real_from[rows]
    (holed,) = (settled & (known.missed[rows] > end - context)).nonzero()
    if len(holed):
        measured = known.valid.last(rows[holed], end[holed], context)
        some = np.logical_or.reduce(sliding_window_view(measured, HOLE, axis=1), axis=2)
        settled[holed] = some.all(axis=1)
    return settled


def _heart_rates(
    known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the heart rates, NaN where noise or the lack of a signal hides the beats."""
    each = zip(rows.tolist(), end.tolist(), strict=True)
    rates = [known.beats.heart_rate(row, at) for row, at in each]
    return np.where(known.signal_state[rows] == SIGNAL, rates, np.nan)
