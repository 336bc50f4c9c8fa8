"""The causal signal chain: from samples in mV at 360 Hz to seconds, beats and model inputs.

    samples -> hold where missing -> band-pass -> history of some seconds
                                        |              |-> signal state and scale, each second
                                        |-> beats      |-> context of each window, resampled

The trainer pushes whole records through it, the monitor pushes whatever has arrived, for many
wearers in one call; both get the same bits. All that can be computed for all wearers together is:
hold, band-pass, the energy of beats and its peaks. Then each row is followed to the ends of its
own seconds and look-aheads, rows that come to one in groups.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.state import NESTED, Layout, StatefulRows
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE
from ecgmon.signal.beat_feed import Follower
from ecgmon.signal.completed import Completed
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.rhythm_segments import cut_atrial, cut_rhythms
from ecgmon.signal.rows import Rows
from ecgmon.signal.seconds import finish_seconds
from ecgmon.signal.stillness import QUARTER
from ecgmon.signal.types import Pushed, RhythmInputs, Windows
from ecgmon.signal.windows import cut_windows


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
        length = np.array([len(samples) for samples in millivolts], dtype=np.int64)
        at = np.zeros(len(rows), dtype=np.int64)
        while len(left := np.flatnonzero(at < length)):
            x, n = _side_by_side(millivolts, left, at[left], length[left])
            self._note_missing(rows[left], x, n)
            n = self._foreseen(rows[left], x, n, completed)
            self._push_piece(rows[left], x[:, : int(n.max())], n, completed)
            at[left] += n
        windows = Windows.concatenate(completed.windows, self.geometry)
        rhythms = RhythmInputs.concatenate(completed.rhythms)
        atrial = RhythmInputs.concatenate(completed.atrial, ATRIAL_SHAPE)
        return Pushed(windows, completed.seconds, rhythms, atrial)

    def _note_missing(
        self, rows: NDArray[np.intp], x: NDArray[np.float64], n: NDArray[np.int64]
    ) -> None:
        """Note up to where samples of each row were not measured."""
        measured = np.isfinite(x)
        if np.count_nonzero(measured) == n.sum():
            return
        for i in np.flatnonzero(measured.sum(axis=1) < n).tolist():
            last = np.flatnonzero(~measured[i, : n[i]])[-1]
            self._known.missed[rows[i]] = self.next[rows[i]] + last + 1

    def _foreseen(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        n: NDArray[np.int64],
        completed: Completed,
    ) -> NDArray[np.int64]:
        """Return how many of each row's next samples the filters can take at once.

        An electrode that comes back sits at another offset, so that the filters start anew at the
        first sample measured after an absent second: else they would ring for seconds. Here they
        do, where it is the next one; otherwise they stop before it, and at the end of a second
        that may turn out to be absent.
        """
        first = self.next[rows]
        second = WINDOW - first % WINDOW
        ends = second < n
        if ends.any():
            end = first + second
            ends &= end - WINDOW >= self._known.start[rows]
            lost = self._known.still.may_be_lost(rows, end)
            missed = ends & ~lost & (self._known.missed[rows] > end - WINDOW)
            for i in np.flatnonzero(missed).tolist():
                lost[i] = self._mostly_missing(rows[i], x[i, : second[i]])
            n = np.where(ends & lost, second, n)
        for i in np.flatnonzero(self._known.absent[rows]).tolist():
            measured = np.flatnonzero(np.isfinite(x[i, : n[i]]))
            if not len(measured):
                continue
            if measured[0] > 0:
                n[i] = measured[0]
                continue
            self._known.restart(int(rows[i]), int(first[i]))
            completed.follow.begin(int(rows[i]), int(first[i]))
        return n

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

    def _push_piece(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        n: NDArray[np.int64],
        completed: Completed,
    ) -> None:
        """Filter the first ``n`` of some rows' next samples, then follow each row through them."""
        first, valid = self.next[rows], np.isfinite(x)
        in_step = int(n.min()) == x.shape[1]
        if not in_step:
            valid &= np.arange(x.shape[1]) < n[:, None]
        held = self._hold(rows, x, valid, n)
        self._known.raw.append(rows, first, held.astype(np.float32))
        self._known.valid.append(rows, first, valid)
        if in_step:
            self._filter(rows, held, first)
        else:
            for length in np.unique(n).tolist():
                those = np.flatnonzero(n == length)
                self._filter(rows[those], held[those, :length], first[those])
        self._follow(rows, first, first + n, completed)
        completed.follow.samples(self._known, rows, first, first + n)

    def _filter(
        self, rows: NDArray[np.intp], x: NDArray[np.float64], first: NDArray[np.int64]
    ) -> None:
        self._known.filtered.append(rows, first, self._known.band_pass(rows, x).astype(np.float32))
        self._known.beats.take(rows, x, first)

    def _follow(
        self,
        rows: NDArray[np.intp],
        now: NDArray[np.int64],
        end: NDArray[np.int64],
        completed: Completed,
    ) -> None:
        """Bring each row from stream index ``now`` to ``end``, to which it is filtered.

        No row passes the end of its second or of its look-ahead without stopping there, so that
        what is known of it there does not depend on how its stream was cut.
        """
        late = self.geometry.look_ahead
        while len(rows):
            boundary = now + WINDOW - np.maximum(now % WINDOW, (now - late) % WINDOW)
            stop = np.minimum(end, boundary)
            for i, beats in self._known.beats.advance(rows, stop):
                row = rows[i]
                self._known.last_beat[row] = beats[-1]
                self._known.beat_count[row] += len(beats)
                self._known.confirmed[row] += beats
                completed.follow.beats(int(row), beats)
            self._note_stillness(rows, now, stop)
            self.next[rows] = stop
            ended = stop % WINDOW == 0
            if ended.any():
                completed.seconds += finish_seconds(self._known, rows[ended], stop[ended])
                completed.follow.scale(self._known, rows[ended], stop[ended])
                completed.rhythms.append(cut_rhythms(self._known, rows[ended], stop[ended]))
                completed.atrial += cut_atrial(self._known, rows[ended], stop[ended])
            complete = (stop - late) % WINDOW == 0
            if complete.any():
                completed.windows.append(
                    cut_windows(self._known, self.geometry, rows[complete], stop[complete])
                )
            further = stop < end
            rows, now, end = rows[further], stop[further], end[further]

    def _hold(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        valid: NDArray[np.bool_],
        n: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Hold the last measured value where nothing was measured."""
        if (self._known.missed[rows] <= self.next[rows]).all():
            self._known.held[rows] = x[np.arange(len(rows)), n - 1]
            return x
        padded = np.concatenate([self._known.held[rows][:, None], x], axis=1)
        source = np.where(valid, np.arange(1, x.shape[1] + 1), 0)
        held = np.take_along_axis(padded, np.maximum.accumulate(source, axis=1), axis=1)
        self._known.held[rows] = held[:, -1]
        return held

    def _note_stillness(
        self, rows: NDArray[np.intp], before: NDArray[np.int64], now: NDArray[np.int64]
    ) -> None:
        quarters = now // QUARTER - before // QUARTER
        some = quarters > 0
        if some.any():
            rows, before, end = rows[some], before[some], now[some] // QUARTER * QUARTER
            n = int(quarters.max()) * QUARTER
            raw, valid = self._known.raw.last(rows, end, n), self._known.valid.last(rows, end, n)
            self._known.still.advance(rows, before, raw, valid, end)

    def _mostly_missing(self, row: np.intp, x: NDArray[np.float64]) -> bool:
        """Tell whether most of the second of a row that ends with ``x`` was not measured."""
        end = int(self.next[row])
        before = self._known.valid.row(int(row), end + len(x) - WINDOW, end)
        return bool(2 * (before.sum() + np.isfinite(x).sum()) < WINDOW)


def _side_by_side(
    millivolts: NDArray[np.float64] | Sequence[NDArray[np.float64]],
    which: NDArray[np.intp],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return a stretch of some rows, at most a second, NaN after its end, and how long each is."""
    n = np.minimum(stop - start, WINDOW)
    if isinstance(millivolts, np.ndarray) and len(which) == len(millivolts) and np.ptp(start) == 0:
        return millivolts[:, start[0] : start[0] + WINDOW], n
    ends = (start + n).tolist()
    parts = [
        millivolts[i][a:b] for i, a, b in zip(which.tolist(), start.tolist(), ends, strict=True)
    ]
    x = np.full((len(which), int(n.max())), np.nan)
    x[np.arange(x.shape[1]) < n[:, None]] = np.concatenate(parts)
    return x, n
