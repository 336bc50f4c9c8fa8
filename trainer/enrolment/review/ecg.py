"""The ECG around one beat: the beat in a box, its neighbours, RR intervals and labels below."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import HATCH, Canvas, Look
from ecgmon.terminal.paper import (
    CELLS_PER_SECOND,
    GUTTER,
    SAMPLES_PER_CELL,
    draw_grid,
    draw_one_millivolt,
    draw_times,
    draw_trace,
)
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.vocabulary import Judgement, Vocabulary

CONTEXT_CELLS_PER_SECOND: Final = 4
_CONTEXT_PER_DOT: Final = RATE // CONTEXT_CELLS_PER_SECOND // 2
_BELOW: Final = ("RR ms", "label", "time")
_BOX: Final = CELLS_PER_SECOND // 2
"""Cells of the box on each side of its beat: a second in all."""


def shown(width: int) -> int:
    """Return how many samples `draw_beat` shows on so many columns."""
    return (width - GUTTER) * SAMPLES_PER_CELL


def draw_beat(
    canvas: Canvas,
    lead: Lead,
    vocabulary: Vocabulary,
    beat: int,
    look: Look,
    answers: Mapping[int, Judgement],
    given: NDArray[np.int8] | None,
) -> None:
    """Draw some seconds with one beat in the middle, in a box of one second.

    Parameters
    ----------
    canvas : Canvas
        Where to, at least as high as the rows below the paper and a few.
    lead : Lead
        The signal.
    vocabulary : Vocabulary
        What may be said of it.
    beat : int
        Which of its beats.
    look : Look
        How the trace looks in the box.
    answers : mapping of int to Judgement
        What has been judged.
    given : ndarray of int8, optional
        Labels to show where nothing is judged, shape (m,).
    """
    width, height = canvas.width - GUTTER, canvas.height - 2 - len(_BELOW)
    middle = width // 2
    first = int(lead.beats[beat]) // SAMPLES_PER_CELL - middle
    left, right = middle - _BOX - 1, middle + _BOX + 1
    plot = canvas.part(1, GUTTER, height, width)
    values = lead.read(first * SAMPLES_PER_CELL, width * SAMPLES_PER_CELL + 1)
    span = lead.span(values)
    draw_grid(plot, span, first)
    for row in range(height):
        for column in (left, right):
            plot.write(row, column, "│", Look.FAINT)
    # Neighbours may come into the box: what is nearer to them does not belong to the beat.
    cells = np.arange(left + 1, right)
    nearest = lead.nearest((first + cells) * SAMPLES_PER_CELL)
    looks = np.full(width, Look.FAINT, np.uint8)
    looks[cells[nearest == beat]] = look
    draw_trace(plot, values, span, looks)
    _draw_nothing(plot, values)
    draw_one_millivolt(canvas.part(1, 0, height, GUTTER), span)
    edge = "─" * _BOX
    canvas.write(0, GUTTER + left, f"┌{edge}▼{edge}┐", Look.STRONG)
    canvas.write(1 + height, GUTTER + left, f"└{edge}▲{edge}┘", Look.STRONG)
    rows = []
    for number, name in enumerate(_BELOW, start=2 + height):
        canvas.write(number, 1, name, Look.FAINT)
        rows.append(canvas.part(number, GUTTER, 1, width))
    intervals, marks, times = rows
    beats = np.flatnonzero(abs(lead.beats - lead.beats[beat]) < width * SAMPLES_PER_CELL).tolist()
    _draw_intervals(intervals, lead, beats, beat, first)
    for one in beats:
        text, mark = "", Look.TEXT
        if one in answers:
            answer = vocabulary.of[answers[one]]
            text, mark = f"[{answer.mark}]", answer.mark_look
        elif given is not None:
            label = vocabulary.labels.get(int(given[one]))
            text, mark = (label.mark, label.mark_look) if label else ("-", Look.UNUSABLE)
        column = int(lead.beats[one]) // SAMPLES_PER_CELL - first
        marks.write(0, column - len(text) // 2, text, mark)
    draw_times(times, first)


def draw_context(canvas: Canvas, lead: Lead, beat: int) -> None:
    """Draw more seconds, smaller, with a line under those that `draw_beat` shows."""
    width, height = canvas.width - GUTTER, canvas.height - 2
    per_cell = 2 * _CONTEXT_PER_DOT
    canvas.head(f"{width / CONTEXT_CELLS_PER_SECOND:.0f} s around it")
    first = int(lead.beats[beat]) // per_cell - width // 2
    plot = canvas.part(1, GUTTER, height, width)
    values = lead.read(first * per_cell, width * per_cell + 1)
    draw_trace(plot, values, lead.span(values), Look.FAINT, _CONTEXT_PER_DOT)
    _draw_nothing(plot, values)
    under = canvas.part(1 + height, GUTTER, 1, width)
    half = round(shown(canvas.width) / per_cell / 2)
    under.write(0, width // 2 - half, "─" * (2 * half + 1), Look.GRID)
    under.write(0, width // 2, "▲", Look.STRONG)


def _draw_nothing(plot: Canvas, values: NDArray[np.float32]) -> None:
    """Hatch the columns without any sample: before the record, after it, or not measured."""
    absent = np.isnan(values[:-1].reshape(plot.width, -1)).all(axis=1)
    plot.codes[:, absent] = ord(HATCH)
    plot.looks[:, absent] = Look.GRID


def _draw_intervals(row: Canvas, lead: Lead, beats: list[int], beat: int, first: int) -> None:
    """Draw the interval between each two neighbours in ms, those beside the beat to be seen."""
    for before, after in pairwise(beats):
        look = Look.TEXT if beat in (before, after) else Look.FAINT
        start, stop = (int(lead.beats[b]) // SAMPLES_PER_CELL - first for b in (before, after))
        room = stop - start - 1
        number = f"{lead.rr_ms(after)}"
        inside = start >= 0 and stop < row.width  # a number cut at the edge would be another one
        text = next((t for t in (f" {number} ", number) if len(t) <= room and inside), "")
        row.write(0, start + 1, f"{text:─^{room}}", look)
        row.write(0, start, "╵", look)
        row.write(0, stop, "╵", look)
