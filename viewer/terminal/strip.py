"""The abnormal probability of the last minutes, as a strip of bars."""

from typing import Final

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.terminal.paper import GUTTER, moment
from viewer.model.wearer import WINDOWS, ViewState
from viewer.terminal.format import UNUSABLE, Verdict, verdict

SECONDS_PER_COLUMN: Final = 2
_LEGEND_FROM: Final = 74
_BARS: Final = np.array([ord(c) for c in " ▁▂▃▄▅▆▇█"], np.uint32)
# What a column of several seconds tells: the worst of them, so that calm never hides trouble.
_WORST_FIRST: Final[tuple[Verdict, ...]] = ("abnormal", *UNUSABLE, "normal")


def draw(canvas: Canvas, state: ViewState) -> None:
    """Draw a heading, the bars with the newest at the right, and the times when there is room."""
    width = min(canvas.width - GUTTER, WINDOWS // SECONDS_PER_COLUMN)
    if canvas.height < 2 or width < 1:
        return
    canvas.head(f"abnormal probability, last {moment(width * SECONDS_PER_COLUMN * RATE)}")
    legend = "  ".join(f"{mark} {called}" for called, mark in UNUSABLE.items())
    if canvas.width >= _LEGEND_FROM:
        canvas.write_right(0, f" {legend}", Look.FAINT)
    axis = canvas.height >= 5
    height = canvas.height - 1 - axis
    left = canvas.width - width
    first = -(-state.clock // (RATE * SECONDS_PER_COLUMN)) - width
    scale = canvas.part(1, 0, height, left)
    scale.write_right(0, "1.0 ", Look.FAINT)
    scale.write_right(height - 1, "0.0 ", Look.FAINT)
    bars = canvas.part(1, left, height, width)
    if state.opened:
        row = height - 1 - int(min(max(state.opened.threshold, 0.0), 0.999) * height)
        bars.write(row, 0, "┄" * width, Look.GRID)
        scale.write_right(row, f"{state.opened.threshold:.2f} ┄"[:GUTTER], Look.TEXT)
    for column in range(width):
        _column(bars.part(0, column, height, 1), state, (first + column) * SECONDS_PER_COLUMN)
    if axis:
        times = canvas.part(canvas.height - 1, left, 1, width)
        per_minute = 60 // SECONDS_PER_COLUMN
        for column in range(-first % per_minute, width, per_minute):
            if first + column >= 0:
                times.tick(column, moment((first + column) * SECONDS_PER_COLUMN * RATE))


def _column(bar: Canvas, state: ViewState, second: int) -> None:
    windows = [w for s in range(second, second + SECONDS_PER_COLUMN) if (w := state.window(s))]
    if not windows:
        return
    called = min((verdict(window) for window in windows), key=_WORST_FIRST.index)
    if called in UNUSABLE:
        bar.write(bar.height - 1, 0, UNUSABLE[called], Look.UNUSABLE)
        return
    probability = max(window.probability or 0.0 for window in windows)
    # A bar is never empty: the lowest eighth says that the model has judged, at about 0.
    eighths = 1 + round(min(max(probability, 0.0), 1.0) * (8 * bar.height - 1))
    codes = _BARS[np.clip(eighths - 8 * np.arange(bar.height), 0, 8)][::-1, None]
    bar.paint(codes, Look.ABNORMAL if called == "abnormal" else Look.NORMAL)
