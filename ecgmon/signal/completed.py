"""What a call of the chain has completed so far: windows, seconds, rhythms, and feeds of rows."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ecgmon.signal.beat_feed import BeatFeed
from ecgmon.signal.row_pieces import RowPieces
from ecgmon.signal.rows import Rows
from ecgmon.signal.types import RhythmInputs, Second, Windows


@dataclass(eq=False, slots=True)
class Completed:
    """Collects while the chain follows its rows.

    Parameters
    ----------
    feeds : dict of int to BeatFeed
        By row, of the rows that are followed.
    """

    feeds: dict[int, BeatFeed]
    windows: list[Windows] = field(default_factory=list)
    seconds: list[Second] = field(default_factory=list)
    rhythms: list[RhythmInputs] = field(default_factory=list)
    atrial: list[RhythmInputs] = field(default_factory=list)

    def begin(self, row: int, first: int) -> None:
        """Take that the filters of a row start anew at stream index ``first``."""
        if feed := self.feeds.get(row):
            feed.begins.append(first)

    def beats(self, row: int, beats: list[int]) -> None:
        """Take beats that were confirmed in a row."""
        if feed := self.feeds.get(row):
            feed.beats += beats

    def samples(self, pieces: RowPieces, filtered: NDArray[np.float32]) -> None:
        """Take what was filtered of some rows, shape (r, n); it is not to change afterwards."""
        if not self.feeds:
            return
        samples, measured = pieces.each(filtered), pieces.each(pieces.valid)
        for i, row in enumerate(pieces.rows.tolist()):
            if feed := self.feeds.get(row):
                feed.filtered.append(samples[i])
                feed.measured.append(measured[i])

    def scale(self, known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> None:
        """Take the scale of some rows, at the ends of their seconds."""
        for row, at, unit in zip(rows.tolist(), end.tolist(), known.scale(rows), strict=True):
            if feed := self.feeds.get(row):
                feed.scale.append((at, unit))
