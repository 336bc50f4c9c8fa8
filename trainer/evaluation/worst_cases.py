"""The worst cases of an evaluation, drawn: pictures beside its page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ecgmon.core.constants import RATE
from ecgmon.records import Record

MOST: Final = 6
"""So many are drawn."""
SHOWN_S: Final = 25
"""Longest stretch of signal in one picture, in seconds."""
BEFORE_S: Final = 5
"""So much of the signal before a case is in its picture."""
_SIZE: Final = (10.0, 2.0)
"""Of a picture, in inches."""
_ANNOTATED: Final = "#a01590"
_ANNOUNCED: Final = "#2f6fa8"


@dataclass(frozen=True, slots=True)
class WorstCase:
    """What went wrong in a record, in samples at 360 Hz.

    Parameters
    ----------
    record : str
        Its name, such as ``vfdb/418``.
    what : str
        In words, such as *asystole, not alarmed*.
    span : (int, int)
        Where.
    annotated, announced : sequence of (int, int)
        Where experts saw it, and where the monitor alarmed.
    """

    record: str
    what: str
    span: tuple[int, int]
    annotated: Sequence[tuple[int, int]] = ()
    announced: Sequence[tuple[int, int]] = ()

    @property
    def title(self) -> str:
        """Where and what it is, and for how long."""
        start, stop = (at / RATE for at in self.span)
        return f"{self.record} at {start:.0f} s, {self.what}, {stop - start:.0f} s"


def draw_all(
    folder: Path, cases: Iterable[WorstCase], read: Callable[[str], Record]
) -> list[tuple[str, str]]:
    """Draw some cases, and remove older pictures.

    Parameters
    ----------
    folder : Path
        Where their pictures are written; made if it is not there.
    cases : iterable of WorstCase
        The worst first; those after `MOST` are left out.
    read : callable
        Gives a record at 360 Hz by its name.

    Returns
    -------
    list of (str, str)
        Title and file name of each picture.

    Raises
    ------
    RecordError
        If a record cannot be read.
    OSError
        If a picture cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("worst-*.png"):
        old.unlink()
    drawn = []
    for number, case in enumerate([*cases][:MOST], 1):
        name = f"worst-{number}.png"
        draw(folder / name, read(case.record), case)
        drawn.append((case.title, name))
    return drawn


def draw(path: Path, record: Record, case: WorstCase) -> None:
    """Draw a case: its signal, a bar where experts saw it, and one where the monitor alarmed."""
    end = len(record.samples)
    first = max(min(case.span[0], end) - BEFORE_S * RATE, 0)
    stop = min(case.span[1] + BEFORE_S * RATE, first + SHOWN_S * RATE, end)
    millivolts = record.millivolts()[first:stop]
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=_SIZE)
        figure.subplots_adjust(0.06, 0.2, 0.99, 0.9)
        axes = figure.subplots()
        axes.plot(np.arange(first, stop) / RATE, millivolts, color="#1f2328", linewidth=0.6)
        for spans, colour, height in (
            (case.annotated, _ANNOTATED, 1.0),
            (case.announced, _ANNOUNCED, 0.95),
        ):
            for start, end in spans:
                left, right = max(start, first) / RATE, min(end, stop) / RATE
                if left < right:
                    axes.axvspan(left, right, ymin=height - 0.04, ymax=height, color=colour)
        axes.set_xlim(first / RATE, stop / RATE)
        axes.set_xlabel("s")
        axes.set_ylabel("mV")
        axes.set_title(case.title, fontsize=8, loc="left")
        figure.savefig(path, dpi=100, metadata={"Software": None})
