"""The whole causal chain, from samples in millivolts to a model's input windows.

    samples -> hold where missing -> band-pass -> ring of the last seconds
                                        |              |-> signal state and scale, each second
                                        |-> beats      |-> context of each window, resampled

The trainer pushes whole records through it, the monitor pushes whatever has arrived, for many
wearers in one call; both get the same bits.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal.filter import band_pass
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.qrs import LONGEST_RR, BeatDetector
from ecgmon.signal.quality import (
    ABSENT,
    HUM_BEATS,
    HUM_RISE,
    NAMES,
    NOISY,
    RECENT,
    SIGNAL,
    hasty,
    heartlike,
    hum,
    signal_state,
)
from ecgmon.signal.resample import resample
from ecgmon.signal.scale import AmplitudeScale
from ecgmon.signal.stillness import QUARTER, Stillness
from ecgmon.signal.types import Pushed, Second, Windows

HOLE: Final = RATE // 5
"""Samples in a row, 0.2 s, that were not measured and that a model may take for something abnormal:
just before normal seconds of strangers such a hole makes 1.6 times as many false verdicts, one of
0.45 s four times as many (the generic model, records of MIT-BIH that it was not trained on)."""

_T = TypeVar("_T", bound=np.generic)


class SignalChain:
    """Streaming signal state of a stack of wearers whose models share one geometry.

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

    def __init__(self, geometry: Geometry, rows: int) -> None:
        self.geometry = geometry
        size = max(geometry.context, RECENT) + WINDOW
        self._filtered = np.zeros((rows, size), dtype=np.float32)
        self._raw = np.zeros((rows, size), dtype=np.float32)
        self._valid = np.zeros((rows, size), dtype=bool)
        self._band_pass = band_pass(rows)
        self._scale = AmplitudeScale(rows)
        self._beats = BeatDetector(rows)
        self._still = Stillness(rows, self._beats.longest_rr)
        self._hum = np.zeros(rows)
        self._held = np.zeros(rows)
        self._absent = np.zeros(rows, dtype=bool)
        self._start = np.zeros(rows, dtype=np.int64)
        self._real_from = np.zeros(rows, dtype=np.int64)
        self.next = np.zeros(rows, dtype=np.int64)
        self._state = np.zeros(rows, dtype=np.int8)
        self._last_beat = np.zeros(rows, dtype=np.int64)
        self._beat_count = np.zeros(rows, dtype=np.int64)
        self._confirmed: list[list[int]] = [[] for _ in range(rows)]

    def reset(self, row: int, first: int) -> None:
        """Start a row anew at stream index ``first``: a new stream, or after a gap.

        History before ``first`` is zero, as it is after the band-pass of a constant.
        """
        self._filtered[row] = 0
        self._raw[row] = 0
        self._valid[row] = False
        self._band_pass.reset(row)
        self._scale.reset(row)
        self._beats.reset(row)
        self._still.reset(row, first)
        self._hum[row] = 0
        self._held[row] = 0
        self._absent[row] = False
        self._start[row] = self.next[row] = self._last_beat[row] = first
        self._real_from[row] = first
        self._beat_count[row] = 0
        self._confirmed[row] = []

    def push(
        self,
        rows: NDArray[np.intp],
        millivolts: NDArray[np.float64],
        step: NDArray[np.float64] | None = None,
        spikes: Sequence[Sequence[int]] = (),
    ) -> Pushed:
        """Take the next samples of some rows and return what they complete.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        millivolts : ndarray of float64, shape (r, n)
            Their next samples, NaN where nothing was measured.
        step : ndarray of float64, shape (r,), optional
            What noise of one of the device's counts is in them, root mean square in mV; as before
            where it is left out, and at first that of MIT-BIH.
        spikes : sequence of sequence of int, optional
            For each row the stream indices of the pacing spikes found since the last call.

        Returns
        -------
        Pushed
            Bit-identical for every way of cutting the stream into calls.
        """
        if step is not None:
            self._still.step[rows] = step
        if spikes:
            for row, found in zip(rows.tolist(), spikes, strict=True):
                self._still.spikes(row, found)
        windows: list[Windows] = []
        seconds: list[Second] = []
        at, n = 0, millivolts.shape[1]
        while at < n:
            # No row passes the end of a second or of a look-ahead inside a piece, so that what
            # is known of a row there does not depend on how its stream was cut.
            stop = min(n, at + int(self._to_boundary(rows).min()))
            stop = self._restart_after_absence(rows, millivolts, at, stop)
            done = self._push_piece(rows, millivolts[:, at:stop])
            if len(done.windows):
                windows.append(done.windows)
            seconds += done.seconds
            at = stop
        return Pushed(Windows.concatenate(windows, self.geometry), seconds)

    def _restart_after_absence(
        self, rows: NDArray[np.intp], x: NDArray[np.float64], at: int, stop: int
    ) -> int:
        """Start the filters anew at the first sample measured after an absent second.

        An electrode that comes back sits at another offset: without this the filters would ring
        for seconds. Returns where the piece must stop so that no row has to restart inside it.
        """
        for i in np.flatnonzero(self._absent[rows]):
            measured = np.flatnonzero(np.isfinite(x[i, at:stop]))
            if not len(measured):
                continue
            if measured[0] > 0:
                stop = at + int(measured[0])
                continue
            self._band_pass.reset(rows[i])
            if self._still.since[rows[i]] < self.next[rows[i]] - WINDOW:
                self._beats.restart(rows[i])
            else:
                self._beats.reset(rows[i])
            self._absent[rows[i]] = False
            self._real_from[rows[i]] = self.next[rows[i]]  # what was held before is no signal
        return stop

    def _to_boundary(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        position = self.next[rows]
        late = self.geometry.look_ahead
        return np.minimum(WINDOW - position % WINDOW, WINDOW - (position - late) % WINDOW)

    def recent(self, row: int, n: int) -> NDArray[np.float32]:
        """Return up to ``n`` of a row's latest band-passed samples in mV, for drawing.

        The sample after them has the stream index ``next[row]``.
        """
        n = min(n, self._filtered.shape[1])
        at = np.array([row], dtype=np.intp)
        latest: NDArray[np.float32] = self._last(self._filtered, at, self.next[at], n)[0]
        return latest

    def confirmed(self, row: int) -> tuple[int, ...]:
        """Return the beats of a row confirmed since its last whole second that are not weak."""
        weak = self._beats.weak(row, self._confirmed[row])
        return tuple(beat for beat in self._confirmed[row] if beat not in weak)

    def lost(self, row: int) -> int | None:
        """Return from which stream index on a row's line is lost because it is still; or None."""
        return self._still.lost(row)

    def _push_piece(self, rows: NDArray[np.intp], x: NDArray[np.float64]) -> Pushed:
        first, n = self.next[rows], x.shape[1]
        valid = np.isfinite(x)
        held = self._hold(rows, x, valid)
        filtered = self._band_pass(rows, held)
        for row, beats in zip(rows, self._beats(rows, held, first), strict=True):
            if beats:
                self._last_beat[row] = beats[-1]
                self._beat_count[row] += len(beats)
                self._confirmed[row] += beats
        where = (first[:, None] + np.arange(n)) % self._filtered.shape[1]
        self._filtered[rows[:, None], where] = filtered
        self._raw[rows[:, None], where] = held
        self._valid[rows[:, None], where] = valid
        self.next[rows] = first + n
        self._note_stillness(rows, first)

        seconds = self._finish_seconds(rows[(first + n) // WINDOW > first // WINDOW])
        late = self.geometry.look_ahead
        complete = (first + n - late) // WINDOW > (first - late) // WINDOW
        return Pushed(self._cut(rows[complete]), seconds)

    def _hold(
        self, rows: NDArray[np.intp], x: NDArray[np.float64], valid: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Hold the last measured value where nothing was measured."""
        if valid.all():
            self._held[rows] = x[:, -1]
            return x
        padded = np.concatenate([self._held[rows][:, None], x], axis=1)
        source = np.where(valid, np.arange(1, x.shape[1] + 1), 0)
        held = np.take_along_axis(padded, np.maximum.accumulate(source, axis=1), axis=1)
        self._held[rows] = held[:, -1]
        return held

    def _note_stillness(self, rows: NDArray[np.intp], before: NDArray[np.int64]) -> None:
        some = self.next[rows] // QUARTER > before // QUARTER
        if some.any():
            rows, before = rows[some], before[some]
            end = self.next[rows] // QUARTER * QUARTER
            raw = self._last(self._raw, rows, end, WINDOW)
            valid = self._last(self._valid, rows, end, WINDOW)
            self._still.advance(rows, before, raw, valid, end)

    def _finish_seconds(self, rows: NDArray[np.intp]) -> list[Second]:
        """Judge the second just completed in each row; usable ones move the scale."""
        if not len(rows):
            return []
        end = self.next[rows] // WINDOW * WINDOW
        filtered = self._last(self._filtered, rows, end, WINDOW)
        raw = self._last(self._raw, rows, end, WINDOW)
        state = signal_state(raw, filtered, self._last(self._valid, rows, end, WINDOW))
        lost = (state != ABSENT) & self._still.lost_in(rows, end)
        state[lost] = ABSENT
        amplitude, alone = hum(raw)
        state[(state == SIGNAL) & alone & (amplitude >= HUM_RISE * self._hum[rows])] = NOISY
        for i in np.flatnonzero(state == SIGNAL).tolist():
            if hasty(self._beats.since(int(rows[i]), int(end[i]) - RECENT)):
                (recent,) = self._last(self._filtered, rows[[i]], end[[i]], RECENT)
                state[i] = SIGNAL if heartlike(recent) else NOISY
        self._state[rows] = state
        whole = end - WINDOW >= self._start[rows]  # the second before a gap's end is not
        # A line that is lost may still be between two beats of a very slow heart.
        stands = end - self._last_beat[rows] > LONGEST_RR
        absent = whole & (state == ABSENT) & (~lost | stands)
        self._absent[rows] = absent
        for row in rows[absent]:
            self._beats.interrupt(row)
        for i in np.flatnonzero(state == NOISY).tolist():
            self._beats.doubt(int(rows[i]), int(end[i]))
        usable = whole & (state == SIGNAL)
        still = self._still.since[rows]
        sized = usable & (end - still < WINDOW)  # a still second shows no beat's size
        self._scale.add(rows[sized], np.ptp(filtered[sized], axis=1))
        seconds = []
        for i, row in enumerate(rows.tolist()):
            self._beats.learn(row, bool(usable[i]))
            beats, self._confirmed[row] = tuple(self._confirmed[row]), []
            if beats and state[i] == SIGNAL and not alone[i]:
                self._hum[row] += (amplitude[i] - self._hum[row]) / HUM_BEATS
            if whole[i]:
                seconds.append(
                    Second(
                        row,
                        int(end[i]),
                        NAMES[state[i]],
                        beats,
                        self._beats.weak(row, beats),
                        int(still[i]) if end[i] - still[i] >= WINDOW // 2 else None,
                        self._still.lost(row) if lost[i] else None,
                    )
                )
        self._still.end_second(rows)
        return seconds

    def _cut(self, rows: NDArray[np.intp]) -> Windows:
        end = (self.next[rows] - self.geometry.look_ahead) // WINDOW * WINDOW
        whole = end - WINDOW >= self._start[rows]
        rows, end = rows[whole], end[whole]
        if not len(rows):
            return Windows.concatenate([], self.geometry)
        context = self._last(
            self._filtered, rows, end + self.geometry.look_ahead, self.geometry.context
        )
        scale = self._scale(rows)
        return Windows(
            rows,
            end - WINDOW,
            resample(context / scale[:, None], self.geometry.rate),
            scale,
            self._state[rows],
            self._heart_rates(rows, end),
            self._last_beat[rows],
            self._beat_count[rows],
            self._settled(rows, end + self.geometry.look_ahead),
        )

    def _settled(self, rows: NDArray[np.intp], end: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell whether the context before stream index ``end`` is real signal throughout."""
        context = self.geometry.context
        measured = self._last(self._valid, rows, end, context)
        settled: NDArray[np.bool_] = end - context >= self._real_from[rows]
        for i in np.flatnonzero(settled & ~measured.all(axis=1)):
            settled[i] = sliding_window_view(measured[i], HOLE).any(axis=1).all()
        return settled

    def _heart_rates(self, rows: NDArray[np.intp], end: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the heart rates, NaN where noise or the lack of a signal hides the beats."""
        rates = [self._beats.heart_rate(row, at) for row, at in zip(rows, end, strict=True)]
        return np.where(self._state[rows] == SIGNAL, rates, np.nan)

    @staticmethod
    def _last(
        ring: NDArray[_T], rows: NDArray[np.intp], end: NDArray[np.int64], n: int
    ) -> NDArray[_T]:
        """Return the ``n`` samples before stream index ``end`` of each row."""
        where = (end[:, None] - n + np.arange(n)) % ring.shape[1]
        window: NDArray[_T] = ring[rows[:, None], where]
        return window
