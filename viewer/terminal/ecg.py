"""The moving ECG: the trace, what was said of each of its windows, and the time below it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.labels import BeatClass
from ecgmon.terminal.canvas import HATCH, Canvas, Look
from ecgmon.terminal.paper import (
    CELLS_PER_SECOND,
    GUTTER,
    SAMPLES_PER_CELL,
    VoltageSpan,
    draw_grid,
    draw_one_millivolt,
    draw_times,
    draw_trace,
)
from ecgmon.wire import messages
from viewer.model.beat_list import BeatList
from viewer.model.trace import SIZE
from viewer.model.wearer import ViewState
from viewer.terminal.format import UNUSABLE, Verdict, verdict

_LOOKS: Final[dict[Verdict, Look]] = {
    "normal": Look.NORMAL,
    "abnormal": Look.ABNORMAL,
    **dict.fromkeys(UNUSABLE, Look.UNUSABLE),
}

BEATS: Final[dict[BeatClass, tuple[str, Look]]] = {
    "N": ("·", Look.FAINT),
    "S": ("S", Look.STRONG),
    "V": ("V", Look.ABNORMAL),
    "F": ("F", Look.ABNORMAL),
    "Q": ("Q", Look.TEXT),
}
"""What stands above a beat: the letter of its class, for a normal one the annotators' dot."""
LABELS_FROM: Final = 6
"""Rows from which on the letters of beats have one."""


def draw(canvas: Canvas, state: ViewState) -> None:
    """Draw the newest seconds, the newest sample at the right.

    Above the trace are the classes of its beats, where a model judges them. The picture moves by
    whole cells, and a cell always covers the same samples: its shape does not change while it
    moves.
    """
    width = min(canvas.width - GUTTER, SIZE // SAMPLES_PER_CELL)
    labelled = int(len(state.beats) > 0 and canvas.height >= LABELS_FROM)
    height = max(canvas.height - 2 - labelled, 1)
    if width < 1 or canvas.height < 1:
        return
    left = canvas.width - width
    first = -(-state.clock // SAMPLES_PER_CELL) - width
    plot = canvas.part(labelled, left, height, width)
    marks = canvas.part(labelled + height, left, 1, width)
    looks = np.full(width, Look.PENDING, np.uint8)

    span = VoltageSpan(state.scale.low, state.scale.high)
    draw_grid(plot, span, first)
    for second in range(first * SAMPLES_PER_CELL // RATE, state.clock // RATE + 1):
        if window := state.window(second):
            _window(marks, looks, window, window.first // SAMPLES_PER_CELL - first)
    for start, count in state.gaps.items():
        end = -(-(start + count) // SAMPLES_PER_CELL) - first
        _gap(plot, marks, start // SAMPLES_PER_CELL - first, end, count)
    values = state.trace.read(first * SAMPLES_PER_CELL, width * SAMPLES_PER_CELL + 1)
    draw_trace(plot, values, span, looks)
    draw_one_millivolt(canvas.part(labelled, left - GUTTER, height, GUTTER), span)
    draw_times(canvas.part(labelled + height + 1, left, 1, width), first)
    if labelled:
        _labels(canvas.part(0, left, 1, width), state.beats, first)


def _window(marks: Canvas, looks: NDArray[np.uint8], window: messages.Window, start: int) -> None:
    called = verdict(window)
    begin, end = max(start, 0), max(start + CELLS_PER_SECOND, 0)
    looks[begin:end] = _LOOKS[called]
    if called == "abnormal":
        labels = ["abnormal", "abn", "!"]
        if window.probability is not None:
            labels.insert(0, f"abnormal {window.probability:.2f}")
        # One cell stays free, so that neighbours can be told apart.
        _label(marks.part(0, begin, 1, end - 1 - begin), labels, " ", Look.ABNORMAL_MARK)
    elif called != "normal":
        _label(
            marks.part(0, begin, 1, end - begin), [f" {called} "], UNUSABLE[called], Look.UNUSABLE
        )


def _labels(row: Canvas, beats: BeatList, first: int) -> None:
    stop = first + row.width
    for beat in beats.between(first * SAMPLES_PER_CELL, stop * SAMPLES_PER_CELL):
        row.write(0, beat.at // SAMPLES_PER_CELL - first, *BEATS[beat.label])


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
