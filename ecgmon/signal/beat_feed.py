"""What the chain hands on of the rows that are followed: signal, beats and scale as they come."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ecgmon.signal.rows import Rows


class Follower:
    """Is told by a chain what it finds in some of its rows; this one listens to nothing.

    Within a piece of at most a second of the stream, `begin` comes first, if at all; then the
    beats and the end of a second, then `samples`.
    """

    def begin(self, row: int, first: int) -> None:
        """Take that the filters of a row start anew at stream index ``first``."""

    def beats(self, row: int, beats: list[int]) -> None:
        """Take beats that were confirmed in a row: their stream indices, ascending.

        A beat is given at the latest with the sample `ecgmon.signal.beat_segments.AFTER` after it.
        """

    def scale(self, known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> None:
        """Take that a second of some rows ends at stream index ``end``, and so a new scale."""

    def samples(
        self,
        known: Rows,
        rows: NDArray[np.intp],
        first: NDArray[np.int64],
        stop: NDArray[np.int64],
    ) -> None:
        """Take that some rows are known from stream index ``first`` to before ``stop``."""


@dataclass(eq=False, slots=True)
class BeatFeed:
    """All samples of a row that came in a call, and what was found in them.

    Attributes
    ----------
    filtered : list of ndarray of float32
        Band-passed samples in mV, to be concatenated.
    beats : list of int
        Stream indices of the beats confirmed by these samples, ascending.
    scale : list of (int, float32)
        The ends of seconds in these samples, ascending, and the unit of amplitude in mV from then
        on.
    begins : list of int
        Stream indices at which the filters started anew: what lies before is no signal.
    """

    filtered: list[NDArray[np.float32]] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)
    scale: list[tuple[int, np.float32]] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)


class BeatFeeds(Follower):
    """Keeps all that comes, of whole records.

    Parameters
    ----------
    rows : iterable of int
        Rows that are followed.

    Attributes
    ----------
    of : dict of int to BeatFeed
        What came of each of them.
    """

    def __init__(self, rows: Iterable[int]) -> None:
        self.of = {row: BeatFeed() for row in rows}

    def begin(self, row: int, first: int) -> None:
        """Keep where the filters start anew."""
        if feed := self.of.get(row):
            feed.begins.append(first)

    def beats(self, row: int, beats: list[int]) -> None:
        """Keep beats."""
        if feed := self.of.get(row):
            feed.beats += beats

    def scale(self, known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> None:
        """Keep the scale."""
        for row, at, unit in zip(rows.tolist(), end.tolist(), known.scale(rows), strict=True):
            if feed := self.of.get(row):
                feed.scale.append((at, unit))

    def samples(
        self,
        known: Rows,
        rows: NDArray[np.intp],
        first: NDArray[np.int64],
        stop: NDArray[np.int64],
    ) -> None:
        """Keep the band-passed samples."""
        for row, start, end in zip(rows.tolist(), first.tolist(), stop.tolist(), strict=True):
            if feed := self.of.get(row):
                feed.filtered.append(known.filtered.row(row, start, end).copy())
