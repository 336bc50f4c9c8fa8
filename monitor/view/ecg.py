"""The moving ECG: the trace, what was said of each of its windows, and the time below it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.grid import RATE
from ecgmon.terminal.braille import envelope, strokes
from ecgmon.terminal.canvas import HATCH, Canvas, Look
from ecgmon.wire import messages
from monitor.view.state import ViewState
from monitor.view.trace import SIZE, Scale
from monitor.view.words import UNUSABLE, Verdict, moment, verdict

SAMPLES_PER_DOT: Final = 12
SAMPLES_PER_CELL: Final = 2 * SAMPLES_PER_DOT
CELLS_PER_SECOND: Final = RATE // SAMPLES_PER_CELL
GUTTER: Final = 8
_SQUARE_CELLS: Final = CELLS_PER_SECOND // 5
"""The grid is that of ECG paper, with a point at the corners of its squares of 0.2 s."""
_LOOKS: Final[dict[Verdict, Look]] = {
    "normal": Look.NORMAL,
    "abnormal": Look.ABNORMAL,
    **dict.fromkeys(UNUSABLE, Look.UNUSABLE),
}


def draw(canvas: Canvas, state: ViewState) -> None:
    """Draw the newest seconds, the newest sample at the right.

    The picture moves by whole cells, and a cell always covers the same samples: its shape does
    not change while it moves.
    """
    width = min(canvas.width - GUTTER, SIZE // SAMPLES_PER_CELL)
    height = max(canvas.height - 2, 1)
    if width < 1 or canvas.height < 1:
        return
    left = canvas.width - width
    first = -(-state.clock // SAMPLES_PER_CELL) - width
    plot = canvas.part(0, left, height, width)
    marks = canvas.part(height, left, 1, width)
    looks = np.full(width, Look.PENDING, np.uint8)

    _grid(plot, state.scale, first)
    for second in range(first * SAMPLES_PER_CELL // RATE, state.clock // RATE + 1):
        if window := state.window(second):
            _window(marks, looks, window, window.first // SAMPLES_PER_CELL - first)
    for start, count in state.gaps.items():
        end = -(-(start + count) // SAMPLES_PER_CELL) - first
        _gap(plot, marks, start // SAMPLES_PER_CELL - first, end, count)
    values = state.trace.read(first * SAMPLES_PER_CELL, width * SAMPLES_PER_CELL + 1)
    low, high = envelope(values, SAMPLES_PER_DOT)
    plot.paint(strokes(_share(low, state.scale), _share(high, state.scale), height), looks)
    _one_millivolt(canvas.part(0, left - GUTTER, height, GUTTER), state.scale)
    _times(canvas.part(height + 1, left, 1, width), first)


def _share(millivolts: NDArray[np.float32], scale: Scale) -> NDArray[np.float32]:
    """Return where values lie between the bottom (0) and the top (1) of the drawing."""
    return (millivolts - np.float32(scale.low)) / np.float32(scale.high - scale.low)


def _grid(plot: Canvas, scale: Scale, first: int) -> None:
    span = scale.high - scale.low
    step = next((mv for mv in (0.5, 1.0, 2.0) if mv * plot.height >= 2 * span), span)
    levels = np.arange(np.ceil(scale.low / step), scale.high / step + 0.5) * step
    rows = ((scale.high - levels) / span * plot.height).astype(int)
    columns = range(-first % _SQUARE_CELLS, plot.width, _SQUARE_CELLS)
    corners = np.ix_(np.minimum(rows, plot.height - 1), columns)
    plot.codes[corners] = ord("·")
    plot.looks[corners] = Look.GRID


def _window(marks: Canvas, looks: NDArray[np.uint8], window: messages.Window, start: int) -> None:
    said = verdict(window)
    begin, end = max(start, 0), max(start + CELLS_PER_SECOND, 0)
    looks[begin:end] = _LOOKS[said]
    if said == "abnormal":
        labels = ["abnormal", "abn", "!"]
        if window.probability is not None:
            labels.insert(0, f"abnormal {window.probability:.2f}")
        # One cell stays free, so that neighbours can be told apart.
        _label(marks.part(0, begin, 1, end - 1 - begin), labels, " ", Look.ABNORMAL_MARK)
    elif said != "normal":
        _label(marks.part(0, begin, 1, end - begin), [f" {said} "], UNUSABLE[said], Look.UNUSABLE)


def _gap(plot: Canvas, marks: Canvas, start: int, end: int, count: int) -> None:
    begin, end = max(start, 0), max(end, 0)
    hatched = plot.part(0, begin, plot.height, end - begin)
    hatched.codes[:] = ord(HATCH)
    hatched.looks[:] = Look.GRID
    labels = [f" gap {count / RATE:.1f} s ", "gap"]
    _label(marks.part(0, begin, 1, end - begin), labels, HATCH, Look.UNUSABLE)


def _label(mark: Canvas, labels: list[str], fill: str, look: Look) -> None:
    """Write the longest label that is not cut: the end of *abnormal* would read *normal*."""
    label = next((label for label in labels if len(label) <= mark.width), "")
    mark.write(0, 0, f"{label:{fill}^{mark.width}}", look)


def _one_millivolt(gutter: Canvas, scale: Scale) -> None:
    """Draw the calibration pulse that begins every printed ECG."""
    base = min(0.0, scale.high - 1)
    low, high = _share(np.array([base, base + 1], np.float32), scale)
    bottoms = np.array([low, low, high, high, low, low])
    tops = np.array([low, high, high, high, high, low])
    pulse = gutter.part(0, 0, gutter.height, len(tops) // 2)
    pulse.paint(strokes(bottoms, tops, gutter.height), Look.FAINT)
    middle = int((1 - (low + high) / 2) * gutter.height)
    gutter.write(min(middle, gutter.height - 1), pulse.width, "1 mV", Look.FAINT)


def _times(axis: Canvas, first: int) -> None:
    for column in range(-first % CELLS_PER_SECOND, axis.width, CELLS_PER_SECOND):
        second = (first + column) // CELLS_PER_SECOND
        if second >= 0:
            axis.tick(column, moment(second * RATE))
