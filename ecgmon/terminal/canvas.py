"""A grid of character cells that panels paint on, and that Rich prints.

Whatever is painted is clipped to the grid, so no picture is ever larger than its terminal.
"""

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

BLANK: Final = 0x20
BRAILLE: Final = 0x2800
HATCH: Final = "\u2571"
"""The diagonal of box drawing: nothing has been measured here."""
_STAND_INS: Final = (
    "▁▂▃▄▅▆▇█▀░╌┄─·╵…│┌┐└┘▼▲←→↑↓‖" + HATCH,
    '.._-=+##":~--.|~:++++v^<>^v=/',
)


class Look(IntEnum):
    """How a cell looks, by what it means; see `_STYLES`."""

    TEXT = 0
    FAINT = 1
    GRID = 2
    NORMAL = 3
    PENDING = 4
    ABNORMAL = 5
    UNUSABLE = 6
    HIGH = 7
    MEDIUM = 8
    LOW = 9
    STRONG = 10
    # From here on in reverse video.
    TITLE = 11
    NOTICE = 12
    WARNING = 13
    ABNORMAL_MARK = 14
    HIGH_RAISED = 15
    MEDIUM_RAISED = 16
    LOW_RAISED = 17


_REVERSED: Final = Look.TITLE


def _style(color: int, attributes: str = "") -> Style:
    return Style.parse(f"{attributes} color({color}) on color(233)")


# Red, yellow and cyan are kept for alarms (IEC 60601-1-8), so abnormal windows are magenta.
# Everything that matters is also bold or reversed, which remains where there is no colour.
_STYLES: Final = {
    Look.TEXT: _style(252),
    Look.FAINT: _style(245),
    Look.GRID: _style(239, "dim"),
    Look.NORMAL: _style(84),
    Look.PENDING: _style(255),
    Look.ABNORMAL: _style(213, "bold"),
    Look.UNUSABLE: _style(245),
    Look.HIGH: _style(203, "bold"),
    Look.MEDIUM: _style(221, "bold"),
    Look.LOW: _style(80, "bold"),
    Look.STRONG: _style(255, "bold"),
    Look.TITLE: _style(247, "bold reverse"),
    Look.NOTICE: _style(111, "bold reverse"),
    Look.WARNING: _style(255, "bold reverse"),
    Look.ABNORMAL_MARK: _style(213, "bold reverse"),
    Look.HIGH_RAISED: _style(203, "bold reverse"),
    Look.MEDIUM_RAISED: _style(221, "bold reverse"),
    Look.LOW_RAISED: _style(80, "bold reverse"),
}


def _ascii() -> NDArray[np.uint32]:
    """Return the ASCII stand-in of each character that the panels use."""
    table = np.full(BRAILLE + 257, ord("?"), np.uint32)  # the last one for all that follow
    table[:0x7F] = np.arange(0x7F)
    for shown, stand_in in zip(*_STAND_INS, strict=True):
        table[ord(shown)] = ord(stand_in)
    for bits in range(1, 256):
        rows = [bool(bits & mask) for mask in (0x09, 0x12, 0x24, 0xC0)]
        if sum(rows) > 2 or (sum(rows) == 2 and rows[0] and rows[3]):
            stand_in = "|"
        elif not (rows[2] or rows[3]):
            stand_in = "'"
        elif not (rows[0] or rows[1]):
            stand_in = "."
        else:
            stand_in = "-"
        table[BRAILLE + bits] = ord(stand_in)
    return table


_ASCII: Final = _ascii()


class Canvas:
    """A grid of cells, or a part of one.

    Parameters
    ----------
    width, height : int
        Size in cells.
    """

    def __init__(self, width: int, height: int) -> None:
        self.codes: NDArray[np.uint32] = np.full((height, width), BLANK, np.uint32)
        self.looks: NDArray[np.uint8] = np.zeros((height, width), np.uint8)

    @property
    def width(self) -> int:
        """Columns of cells."""
        columns: int = self.codes.shape[1]
        return columns

    @property
    def height(self) -> int:
        """Rows of cells."""
        return len(self.codes)

    def part(self, row: int, column: int, height: int, width: int) -> Self:
        """Return a part of the grid: painting on it paints on the whole."""
        part = object.__new__(type(self))
        inside = slice(row, row + max(height, 0)), slice(column, column + max(width, 0))
        part.codes, part.looks = self.codes[inside], self.looks[inside]
        return part

    def write(self, row: int, column: int, text: str, look: Look = Look.TEXT) -> int:
        """Write one line of text; return the column after it.

        Characters that are not exactly one cell wide, or that steer the terminal, become ``?``.
        """
        if 0 <= row < self.height:
            shown = plain(text)[max(-column, 0) : max(self.width - column, 0)]
            at = slice(max(column, 0), max(column, 0) + len(shown))
            self.codes[row, at] = np.frombuffer(shown.encode("utf-32-le"), "<u4")
            self.looks[row, at] = look
        return column + len(text)

    def head(self, text: str, look: Look = Look.TEXT) -> None:
        """Write a heading on the first row, with a rule behind it."""
        column = self.write(0, 0, text, look) + 1
        self.write(0, column, "─" * (self.width - column), Look.GRID)

    def tick(self, column: int, text: str) -> None:
        """Write a tick on an axis of one row, and its text unless the border would cut it."""
        room = column + 1 + len(text) <= self.width
        self.write(0, column, f"╵{text}" if room else "╵", Look.FAINT)

    def write_right(self, row: int, text: str, look: Look = Look.TEXT) -> None:
        """Write one line of text at the right border."""
        self.write(row, self.width - len(text), text, look)

    def paint(self, codes: NDArray[np.uint32], looks: NDArray[np.uint8] | Look) -> None:
        """Paint a drawing of the grid's size; its blanks are transparent."""
        drawn = codes != BLANK
        self.codes[drawn] = codes[drawn]
        self.looks[drawn] = np.broadcast_to(looks, codes.shape)[drawn]

    def lines(self, *, ascii_only: bool = False) -> Iterator[list[Segment]]:
        """Yield the grid row by row, for Rich to print."""
        codes = self.codes
        if ascii_only:
            codes = _ASCII[np.minimum(codes, len(_ASCII) - 1)]
        text = codes.astype("<u4").tobytes().decode("utf-32-le")
        shown = self._looks_shown()
        changes = shown[:, 1:] != shown[:, :-1]
        for row, looks in enumerate(shown.tolist()):
            at = row * self.width
            borders = [0, *(np.flatnonzero(changes[row]) + 1).tolist(), self.width]
            yield [
                Segment(text[at + start : at + stop], _STYLES[looks[start]])
                for start, stop in pairwise(borders)
            ]

    def _looks_shown(self) -> NDArray[np.uint8]:
        """Return the looks, where plain blanks look like what is left of them.

        Nobody sees the difference, and a distant terminal is sent a third less.
        """
        seen = (self.codes != BLANK) | (self.looks >= _REVERSED)
        left = np.maximum.accumulate(np.where(seen, np.arange(self.width), 0), axis=1)
        looks = np.take_along_axis(self.looks, left, axis=1)
        return np.where(looks >= _REVERSED, self.looks, looks)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print the whole grid."""
        for line in self.lines(ascii_only=options.ascii_only):
            yield from line
            yield Segment.line()


def plain(text: str) -> str:
    """Return a text with ``?`` for what is not one cell wide or steers the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() and cell_len(c) == 1 else "?" for c in text)
