"""Cutting the inputs of beats out of the signal of many wearers, as a chain goes through it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, NESTED, Indices, Layout, StatefulRows
from ecgmon.signal.beat_feed import Follower
from ecgmon.signal.beat_segments import AFTER, AROUND, BEFORE, VALUES, BeatContexts, scaled
from ecgmon.signal.row_beats import NEVER
from ecgmon.signal.rows import Rows
from ecgmon.signal.windows import HOLE


@dataclass(frozen=True, eq=False, slots=True)
class BeatInputs:
    """Beats that are complete, in the order of time in each row.

    Parameters
    ----------
    rows : ndarray of intp, shape (m,)
        Whose beats.
    at : ndarray of int64, shape (m,)
        Stream index of each R peak.
    inputs : ndarray of float32, shape (m, VALUES)
        See `ecgmon.signal.beat_segments.BeatContexts.add`.
    settled : ndarray of bool, shape (m,)
        Whether the signal is real throughout, as `ecgmon.signal.types.Windows.settled` says
        of windows. Otherwise the model must not be asked.
    """

    rows: NDArray[np.intp]
    at: NDArray[np.int64]
    inputs: NDArray[np.float32]
    settled: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at)


class BeatSegments(StatefulRows):
    """Cuts the inputs of beats out of the signal of a stack of wearers, as it comes.

    A beat is complete with the sample `AFTER` after it; in a row's first second, with that
    second's end. `CutBeats` hands on what a chain finds.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout(
        "beat segments",
        3,
        _start=ARRAY,
        _begin=ARRAY,
        _scale=ARRAY,
        _scale_before=ARRAY,
        _ended=ARRAY,
        _waiting=Indices,
        _due=ARRAY,
        _contexts=NESTED,
    )

    def __init__(self, rows: int) -> None:
        # Stream indices of the first sample, and of the first one since the filters began anew.
        self._start = np.zeros(rows, dtype=np.int64)
        self._begin = np.zeros(rows, dtype=np.int64)
        # Since the end of the last second, and before it; 0 where no second had ended yet.
        self._scale = np.zeros(rows, dtype=np.float32)
        self._scale_before = np.zeros(rows, dtype=np.float32)
        self._ended = np.zeros(rows, dtype=np.int64)
        self._waiting: list[list[int]] = [[] for _ in range(rows)]
        # Stream index up to which samples must be known for a beat to be complete.
        self._due = np.full(rows, NEVER, dtype=np.int64)
        self._contexts = BeatContexts(rows)

    def reset(self, row: int, first: int) -> None:
        """Start a row anew at stream index ``first``: a new stream or model, or after a gap."""
        self._start[row] = self._begin[row] = first
        self._scale[row] = self._scale_before[row] = 0
        self._waiting[row] = []
        self._due[row] = NEVER
        self._contexts.reset(row)

    def begin(self, row: int, first: int) -> None:
        """Take that the filters of a row start anew at stream index ``first``."""
        self._begin[row] = first

    def add(self, row: int, beats: list[int]) -> None:
        """Take the stream indices of the next beats of a row, ascending."""
        self._waiting[row] += beats
        self._wake(row)

    def rescale(
        self, rows: NDArray[np.intp], end: NDArray[np.int64], unit: NDArray[np.float32]
    ) -> None:
        """Take the unit of amplitude in mV of some rows from the end of a second on."""
        first = np.flatnonzero(self._scale[rows] == 0)
        self._scale_before[rows], self._scale[rows] = self._scale[rows], unit
        self._ended[rows] = end
        for row in rows[first].tolist():
            self._wake(row)

    def complete(
        self, known: Rows, rows: NDArray[np.intp], stop: NDArray[np.int64]
    ) -> BeatInputs | None:
        """Return the beats of some rows that are complete now; None without any.

        Parameters
        ----------
        known : Rows
            The rows of a chain.
        rows : ndarray of intp, shape (r,)
            Which of them, each at most once.
        stop : ndarray of int64, shape (r,)
            Stream index of the first sample of each that is not known, at most a second after that
            of the call before.

        Returns
        -------
        BeatInputs or None
            Bit-identical for every way of cutting the stream into calls.
        """
        due = np.flatnonzero(self._due[rows] <= stop)
        if not len(due):
            return None
        of: list[int] = []
        found: list[int] = []
        for row, end in zip(rows[due].tolist(), stop[due].tolist(), strict=True):
            beats = [beat for beat in self._waiting[row] if beat + AFTER <= end]
            del self._waiting[row][: len(beats)]
            self._wake(row)
            of += [row] * len(beats)
            found += beats
        mine, at = np.array(of, dtype=np.intp), np.array(found, dtype=np.int64)
        around = known.filtered.last(mine, at + AFTER, AROUND)
        for i in np.flatnonzero(at - BEFORE < self._start[mine]).tolist():
            around[i, : self._start[mine[i]] - at[i] + BEFORE] = 0
        # The scale of the last whole second when the beat is complete, or of the first one.
        earlier = (self._ended[mine] > at + AFTER) & (self._scale_before[mine] > 0)
        unit = np.where(earlier, self._scale_before[mine], self._scale[mine])
        settled = at - BEFORE >= self._begin[mine]
        measured = known.valid.last(mine, at + AFTER, AROUND)
        for i in np.flatnonzero(settled & ~measured.all(axis=1)).tolist():
            settled[i] = sliding_window_view(measured[i], HOLE).any(axis=1).all()
        return BeatInputs(mine, at, self._contexts.add(mine, at, scaled(around, unit)), settled)

    def _wake(self, row: int) -> None:
        """Note when the next beat of a row is complete."""
        waiting = self._waiting[row]
        self._due[row] = waiting[0] + AFTER if waiting and self._scale[row] else NEVER


class CutBeats(Follower):
    """Cuts the beats of some rows out of what a chain is given in a call.

    Parameters
    ----------
    segments : BeatSegments
        The stack whose rows they are.
    rows : collection of int
        Which rows.
    """

    def __init__(self, segments: BeatSegments, rows: Collection[int]) -> None:
        self._segments = segments
        self._rows = frozenset(rows)
        self._parts: list[BeatInputs] = []

    def found(self) -> BeatInputs:
        """Return the beats that are complete by the samples of the call."""
        if len(self._parts) == 1:
            return self._parts[0]
        nothing = BeatInputs(
            np.zeros(0, dtype=np.intp),
            np.zeros(0, dtype=np.int64),
            np.zeros((0, VALUES), dtype=np.float32),
            np.zeros(0, dtype=bool),
        )
        fields = (
            [getattr(part, name) for part in [nothing, *self._parts]]
            for name in BeatInputs.__slots__
        )
        return BeatInputs(*map(np.concatenate, fields))

    def begin(self, row: int, first: int) -> None:
        """Take that the filters of a row start anew."""
        if row in self._rows:
            self._segments.begin(row, first)

    def beats(self, row: int, beats: list[int]) -> None:
        """Take beats, which are not complete yet."""
        if row in self._rows:
            self._segments.add(row, beats)

    def scale(self, known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> None:
        """Take the scale of rows whose second ends."""
        mine = self._mine(rows)
        if mine.any():
            self._segments.rescale(rows[mine], end[mine], known.scale(rows[mine]))

    def samples(
        self,
        known: Rows,
        rows: NDArray[np.intp],
        first: NDArray[np.int64],
        stop: NDArray[np.int64],
    ) -> None:
        """Cut the beats that are complete by these samples."""
        mine = self._mine(rows)
        if part := self._segments.complete(known, rows[mine], stop[mine]):
            self._parts.append(part)

    def _mine(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which rows are among those whose beats are cut: not a lead judged only earlier."""
        return np.array([row in self._rows for row in rows.tolist()], dtype=bool)
