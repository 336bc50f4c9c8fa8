"""ECG paper on character cells: the trace, the grid, the calibration pulse and the time axis."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.terminal.braille import envelope, strokes
from ecgmon.terminal.canvas import Canvas, Look

SAMPLES_PER_DOT: Final = 12
SAMPLES_PER_CELL: Final = 2 * SAMPLES_PER_DOT
CELLS_PER_SECOND: Final = RATE // SAMPLES_PER_CELL
GUTTER: Final = 8
"""Columns left of the paper, for the pulse."""
STEPS_MV: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
_SQUARE_CELLS: Final = CELLS_PER_SECOND // 5
"""The grid has a point at the corners of the squares of 0.2 s."""


class VoltageSpan(NamedTuple):
    """The millivolts at the bottom and at the top of a drawing."""

    low: float
    high: float

    def share(self, millivolts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where values lie between the bottom (0) and the top (1) of the drawing."""
        return (millivolts - np.float32(self.low)) / np.float32(self.high - self.low)


def step_over(millivolts: float) -> float:
    """Return the smallest of `STEPS_MV` that is not below a value, or the largest."""
    return next((step for step in STEPS_MV if step >= millivolts), STEPS_MV[-1])


def moment(sample: int) -> str:
    """Return the time of a sample since the start of its stream: ``mm:ss`` or ``h:mm:ss``."""
    minutes, seconds = divmod(sample // RATE, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def draw_trace(
    plot: Canvas,
    values: NDArray[np.float32],
    span: VoltageSpan,
    looks: NDArray[np.uint8] | Look,
    samples_per_dot: int = SAMPLES_PER_DOT,
) -> None:
    """Draw a signal over the whole width.

    Parameters
    ----------
    plot : Canvas
        Where to.
    values : ndarray of float32, shape (2 * plot.width * samples_per_dot + 1,)
        Millivolts, NaN where there is no sample; the last one only joins the one before to it.
    span : VoltageSpan
        What to draw.
    looks : Look or ndarray of uint8, shape (plot.width,)
        How it looks, column by column.
    samples_per_dot : int
        Samples in one column of dots.
    """
    low, high = envelope(values, samples_per_dot)
    plot.paint(strokes(span.share(low), span.share(high), plot.height), looks)


def draw_grid(plot: Canvas, span: VoltageSpan, first: int) -> None:
    """Draw the corners of the squares; ``first`` is the stream's number of the left cell."""
    size = span.high - span.low
    step = next((mv for mv in (0.5, 1.0, 2.0) if mv * plot.height >= 2 * size), size)
    levels = np.arange(np.ceil(span.low / step), span.high / step + 0.5) * step
    rows = ((span.high - levels) / size * plot.height).astype(int)
    columns = range(-first % _SQUARE_CELLS, plot.width, _SQUARE_CELLS)
    corners = np.ix_(np.minimum(rows, plot.height - 1), columns)
    plot.codes[corners] = ord("·")
    plot.looks[corners] = Look.GRID


def draw_one_millivolt(gutter: Canvas, span: VoltageSpan) -> None:
    """Draw the calibration pulse that begins every printed ECG."""
    base = min(0.0, span.high - 1)
    low, high = span.share(np.array([base, base + 1], np.float32))
    bottoms = np.array([low, low, high, high, low, low])
    tops = np.array([low, high, high, high, high, low])
    pulse = gutter.part(0, 0, gutter.height, len(tops) // 2)
    pulse.paint(strokes(bottoms, tops, gutter.height), Look.FAINT)
    middle = int((1 - (low + high) / 2) * gutter.height)
    gutter.write(min(middle, gutter.height - 1), pulse.width, "1 mV", Look.FAINT)


def draw_times(axis: Canvas, first: int) -> None:
    """Draw a tick for each second; ``first`` is the stream's number of the left cell."""
    for column in range(-first % CELLS_PER_SECOND, axis.width, CELLS_PER_SECOND):
        second = (first + column) // CELLS_PER_SECOND
        if second >= 0:
            axis.tick(column, moment(second * RATE))
