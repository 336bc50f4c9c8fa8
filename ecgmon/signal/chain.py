"""The causal signal chain: from samples in mV at 360 Hz to seconds, beats and model inputs.

    samples -> hold where missing -> band-pass -> history of some seconds
                                        |              |-> signal state and scale, each second
                                        |-> beats      |-> context of each window, resampled

The trainer pushes whole records through it, the monitor pushes whatever has arrived, for many
wearers in one call; both get the same bits. All that can be computed for all wearers together is:
hold, band-pass, the energy of beats and its peaks. Then they are followed together, each to the
ends of its own seconds and look-aheads (`ecgmon.signal.following`).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.state import NESTED, Layout, StatefulRows
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE
from ecgmon.signal.beat_feed import Follower
from ecgmon.signal.completed import Completed
from ecgmon.signal.following import follow
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.row_pieces import RowPieces, side_by_side
from ecgmon.signal.rows import Rows
from ecgmon.signal.types import Pushed, RhythmInputs, Windows


class SignalChain(StatefulRows):
    """The streaming signal chain of a stack of wearers whose models share one geometry.

    Parameters
    ----------
    geometry : Geometry
        What their models see.
    rows : int
        Number of wearers.

    Attributes
    ----------
    next : ndarray of int64, shape (rows,)
        Stream index of each row's next sample.
    """

    layout = Layout("signal chain", 1, ("geometry",), _known=NESTED)

    def __init__(self, geometry: Geometry, rows: int) -> None:
        self.geometry = geometry
        self._known = Rows(geometry, rows)
        self.next = self._known.next

    def reset(self, row: int, first: int) -> None:
        """Start a row anew at stream index ``first``: a new stream, or after a gap.

        History before ``first`` is zero, as it is after the band-pass of a constant.
        """
        self._known.reset(row, first)

    def push(
        self,
        rows: NDArray[np.intp],
        millivolts: NDArray[np.float64] | Sequence[NDArray[np.float64]],
        step: NDArray[np.float64] | None = None,
        spikes: Sequence[Sequence[int]] = (),
        follow: Follower | None = None,
    ) -> Pushed:
        """Process the next samples of some rows and return the seconds and windows they complete.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        millivolts : ndarray of float64, shape (r, n), or sequence of r ndarrays
            The next samples of each, NaN where nothing was measured; as an array, as many of each.
        step : ndarray of float64, shape (r,), optional
            What noise of one of the device's counts is in them, root mean square in mV; as before
            where it is left out, and at first that of MIT-BIH.
        spikes : sequence of sequence of int, optional
            For each row the stream indices of the pacing spikes found since the last call.
        follow : Follower, optional
            Is told what is found on the way.

        Returns
        -------
        Pushed
            Bit-identical for every way of cutting the stream into calls.
        """
        if step is not None:
            self._known.still.step[rows] = step
        if spikes:
            for row, found in zip(rows.tolist(), spikes, strict=True):
                self._known.still.spikes(row, found)
        completed = Completed(follow or Follower())
        now = first = self.next[rows]
        stop = first + np.array([len(samples) for samples in millivolts], dtype=np.int64)
        while len(left := (now < stop).nonzero()[0]):
            pieces = side_by_side(rows[left], now[left], _rest(millivolts, left, now - first))
            self._note_missing(pieces)
            pieces = self._foreseen(pieces, completed)
            self._push_pieces(pieces, completed)
            now = self.next[rows]
        windows = Windows.concatenate(completed.windows, self.geometry)
        rhythms = RhythmInputs.concatenate(completed.rhythms)
        atrial = RhythmInputs.concatenate(completed.atrial, ATRIAL_SHAPE)
        return Pushed(windows, completed.seconds, rhythms, atrial)

    def _note_missing(self, pieces: RowPieces) -> None:
        """Note up to where samples of each row were not measured."""
        n = pieces.stop - pieces.first
        if np.count_nonzero(pieces.valid) == int(n.sum()):
            return
        for i in np.flatnonzero(pieces.valid.sum(axis=1) < n).tolist():
            last = np.flatnonzero(~pieces.valid[i, : n[i]])[-1]
            self._known.missed[pieces.rows[i]] = pieces.first[i] + last + 1

    def _foreseen(self, pieces: RowPieces, completed: Completed) -> RowPieces:
        """Return of each row's next samples what the filters can take at once.

        An electrode that comes back sits at another offset, so that the filters start anew at the
        first sample measured after an absent second: else they would ring for seconds. Here they
        do, where it is the next one; otherwise they stop before it, and at the end of a second
        that may turn out to be absent.
        """
        rows, first, end = pieces.rows, pieces.first, pieces.next_second
        lost = self._known.still.may_be_lost(rows, end)
        doubtful = lost | (self._known.missed[rows] > end - WINDOW)
        doubtful &= (end < pieces.stop) & (end - WINDOW >= self._known.start[rows])
        absent = self._known.absent[rows]
        if not np.count_nonzero(doubtful | absent):
            return pieces
        stop = pieces.stop.copy()
        for i in doubtful.nonzero()[0].tolist():
            if lost[i] or self._mostly_missing(rows[i], pieces.valid[i, : end[i] - first[i]]):
                stop[i] = end[i]
        for i in absent.nonzero()[0].tolist():
            measured = np.flatnonzero(pieces.valid[i, : stop[i] - first[i]])
            if not len(measured):
                continue
            if measured[0] > 0:
                stop[i] = first[i] + measured[0]
                continue
            self._known.restart(int(rows[i]), int(first[i]))
            completed.follow.begin(int(rows[i]), int(first[i]))
        return pieces.up_to(stop) if np.count_nonzero(stop != pieces.stop) else pieces

    def recent(self, row: int, n: int) -> NDArray[np.float32]:
        """Return up to ``n`` of a row's latest band-passed samples in mV, for drawing.

        The sample after them has the stream index ``next[row]``.
        """
        at = np.array([row], dtype=np.intp)
        latest = self._known.filtered.last(at, self.next[at], min(n, self._known.filtered.size))
        return latest.reshape(-1)

    def confirmed(self, row: int) -> tuple[int, ...]:
        """Return the beats of a row confirmed since its last whole second that are not weak."""
        weak = self._known.beats.weak(row, self._known.confirmed[row])
        return tuple(beat for beat in self._known.confirmed[row] if beat not in weak)

    def lost(self, row: int) -> int | None:
        """Return from which stream index on a row's line is lost because it is still; or None."""
        return self._known.still.lost(row)

    def are_lost(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        """Tell for each of some rows whether `lost` returns a stream index."""
        return self._known.still.are_lost(rows)

    def _push_pieces(self, pieces: RowPieces, completed: Completed) -> None:
        """Filter the next samples of some rows, then follow each row through them."""
        known, rows, first = self._known, pieces.rows, pieces.first
        held = self._hold(pieces)
        known.raw.append(rows, first, held.astype(np.float32))
        known.valid.append(rows, first, pieces.valid)
        filtered = known.band_pass(rows, held, pieces.lengths).astype(np.float32)
        known.filtered.append(rows, first, filtered)
        known.beats.take(rows, held, first, pieces.lengths)
        follow(known, self.geometry, pieces, completed)
        completed.follow.samples(known, rows, first, pieces.stop)
        self.next[rows] = pieces.stop

    def _hold(self, pieces: RowPieces) -> NDArray[np.float64]:
        """Hold the last measured value where nothing was measured."""
        rows, x = pieces.rows, pieces.x
        if not np.count_nonzero(self._known.missed[rows] > pieces.first):
            self._known.held[rows] = x[np.arange(len(rows)), pieces.stop - pieces.first - 1]
            return x
        padded = np.concatenate([self._known.held[rows][:, None], x], axis=1)
        source = np.where(pieces.valid, np.arange(1, x.shape[1] + 1), 0)
        held = np.take_along_axis(padded, np.maximum.accumulate(source, axis=1), axis=1)
        self._known.held[rows] = held[:, -1]
        return held

    def _mostly_missing(self, row: np.intp, valid: NDArray[np.bool_]) -> bool:
        """Tell whether most of the second of a row that ends with these was not measured."""
        end = int(self.next[row])
        before = self._known.valid.row(int(row), end + len(valid) - WINDOW, end)
        return bool(2 * (before.sum() + valid.sum()) < WINDOW)


def _rest(
    millivolts: NDArray[np.float64] | Sequence[NDArray[np.float64]],
    which: NDArray[np.intp],
    done: NDArray[np.int64],
) -> NDArray[np.float64] | Sequence[NDArray[np.float64]]:
    """Return what is left of some rows, as an ndarray where they are in step."""
    if len(which) == len(millivolts):
        if not np.count_nonzero(done):
            return millivolts
        if isinstance(millivolts, np.ndarray) and not np.count_nonzero(done - done[0]):
            return millivolts[:, done[0] :]
    each = zip(which.tolist(), done[which].tolist(), strict=True)
    return [millivolts[i][at:] for i, at in each]
