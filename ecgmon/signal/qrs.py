"""A causal QRS detector: it finds the beats and heart rates of a stack of wearers.

The idea is that of Pan & Tompkins (1985): band-pass where the QRS lives, slope, energy in a
moving window, and a threshold that follows the last beats. Here the threshold sinks with the
time since the last beat: high where a T wave may come, low when a beat is due, which finds a small
beat after tall ones without searching back.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from math import exp
from statistics import median_low
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.state import ARRAY, NESTED, Layout, StatefulRows
from ecgmon.signal.peaks import Peaks
from ecgmon.signal.quality import MIN_RR
from ecgmon.signal.row_beats import NEVER, REFERENCE_SECONDS, REFRACTORY, RowBeats

DELAY: Final = round(0.094 * RATE)
"""Samples by which the energy peak follows the R peak: filter and moving window together. On DS1
the beats found then lie within a sample of the annotated ones in the median."""
CONFIRMED_AFTER: Final = DELAY + REFRACTORY + 1
"""A beat is confirmed by the sample this many after it: 297 ms."""
THRESHOLD_MAX: Final = 0.35
"""Detection threshold soon after a beat, as a share of the usual energy."""
THRESHOLD_MIN: Final = 0.15
"""Detection threshold long after a beat, as a share of the usual energy."""
DECAY_DELAY_RR: Final = 0.9
"""The threshold starts to decay after this many mean RR intervals without a beat."""
DECAY_TAU_RR: Final = 0.4
"""Time constant of the decay towards `THRESHOLD_MIN`, in mean RR intervals."""
T_WAVE_MARGIN: Final = 0.45
"""Added to `THRESHOLD_MAX` right after the refractory period, falling linearly to 0 at
`T_WAVE_UNTIL`: a wave there may be the T wave (Pan & Tompkins 1985) or the end of a wide complex.
The waves of a fast tachycardia are of one size and pass."""
T_WAVE_UNTIL: Final = 0.36 * RATE
"""Samples after a beat up to which a wave may be its T wave: 360 ms (Pan & Tompkins 1985)."""
SHARP: Final = 0.25
"""Before `T_WAVE_UNTIL` a wave with less than this share of the last beat's energy in
`ecgmon.signal.qrs_energy.SHARP_HZ` is its T wave, however tall. Of DS1's beats so soon after
another none has less than 0.4."""
WARMUP_BEATS: Final = 4
"""The usual energy is learnt quickly over this many first beats: the first may have been a P wave,
after which every T wave would pass for a beat."""
FORGET: Final = 5
"""After this many seconds in a row without a usable signal or without a beat, beats may be of any
size: the usual energy from before then counts no more than one second."""
LONGEST_RR: Final = 4 * RATE
"""A longer silence is no RR interval: heart rate is not known until new beats have come."""
RATE_BEATS: Final = 8
"""Heart rate is the mean over this many RR intervals, as bedside monitors average it."""
WEAK_FRACTION: Final = 0.4
"""Share of the usual energy below which a beat is weak and counts for no alarm of asystole or rate:
where a heart stands still, the threshold sinks to the noise. The largest that adds no asystole to
DS1. With electrode motion of 18 dB, 86 of 88 asystoles cut into DS1 are then seen and not 23. One
in 150 ventricular beats is weak."""


class BeatDetector(StatefulRows):
    """Streaming QRS detector with an adaptive threshold, for a stack of wearers.

    Samples are taken for all rows at once (`take`), beats confirmed later, up to where each row
    is looked at (`advance`): a row costs time only where it has a peak, or a beat to confirm.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("beat detector", 2, _peaks=NESTED, _wakes=ARRAY, _hurried=ARRAY, _rows=NESTED)

    def __init__(self, rows: int) -> None:
        self._peaks = Peaks(rows)
        self._wakes = np.full(rows, NEVER, dtype=np.int64)
        self._hurried = np.full(rows, -1, dtype=np.int64)
        self._rows = [RowBeats() for _ in range(rows)]

    def reset(self, row: int) -> None:
        """Forget a row: beats on both sides of a gap have no RR interval."""
        self._rows[row] = RowBeats()
        self._hurried[row] = -1
        self._begin(row)

    def restart(self, row: int) -> None:
        """Begin a row anew after a line without signal, whose beats were of known size before."""
        state = self._rows[row]
        state.beats.clear()
        state.peaks.clear()
        state.pending = -1
        self._begin(row)

    def __call__(
        self, rows: NDArray[np.intp], x: NDArray[np.float64], first: NDArray[np.int64]
    ) -> list[list[int]]:
        """Take the next samples of some rows.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        x : ndarray of float64, shape (r, n)
            Their next samples in mV, without NaN.
        first : ndarray of int64, shape (r,)
            Stream index of the first of them.

        Returns
        -------
        list of list of int
            For every row the stream indices of the beats confirmed by these samples; one is
            confirmed by the sample `CONFIRMED_AFTER` after it.
        """
        found: list[list[int]] = [[] for _ in rows]
        for at in range(0, x.shape[1], WINDOW):
            piece = x[:, at : at + WINDOW]
            self.take(rows, piece, first + at)
            for i, beats in self.advance(rows, first + at + piece.shape[1]):
                found[i] += beats
        return found

    def take(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        first: NDArray[np.int64],
        n: NDArray[np.int64] | None = None,
    ) -> None:
        """Take the next samples of some rows, at most `WINDOW`; `advance` says what they bring.

        Of each row as many as ``n`` says, or all of ``x``.
        """
        for row, peaks in self._peaks(rows, x, first, n):
            state = self._rows[row]
            state.peaks += peaks
            self._wakes[row] = state.wakes()

    def advance(
        self, rows: NDArray[np.intp], until: NDArray[np.int64]
    ) -> list[tuple[int, list[int]]]:
        """Look at the samples taken of some rows, up to before stream index ``until``.

        Returns
        -------
        list of tuple of int and list of int
            The rows in which beats are confirmed thereby, by their place in ``rows``, with the
            stream indices of these.
        """
        (awake,) = (self._wakes[rows] <= until).nonzero()
        confirmed = []
        for i, row, stop in zip(
            awake.tolist(), rows[awake].tolist(), until[awake].tolist(), strict=True
        ):
            if found := self._advance(row, stop):
                confirmed.append((i, found))
        return confirmed

    def interrupt(self, row: int) -> None:
        """Forget the RR intervals of a row: its signal was not there all the time."""
        self._rows[row].beats.clear()

    def doubt(self, row: int, end: int) -> None:
        """Leave the beats before stream index ``end`` out of the heart rate: noise may be some."""
        self._rows[row].clean = end

    def longest_rr(self, row: int, before: int) -> int:
        """Return the longest of a row's last three RR intervals before a stream index, 0 if none.

        Interruptions are not forgotten here: an interval may hold one.
        """
        known = [rr for at, rr in self._rows[row].intervals if at < before]
        return max(known[-3:], default=0)

    def hurried(self, rows: NDArray[np.intp], since: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell in which rows a beat came `MIN_RR` or less after another since a stream index."""
        hurried: NDArray[np.bool_] = self._hurried[rows] >= since - CONFIRMED_AFTER
        return hurried

    def since(self, row: int, sample: int) -> list[int]:
        """Return the stream indices of a row's beats confirmed from stream index ``sample`` on.

        At most `KEPT`, and none from before an interruption.
        """
        return [at for at in self._rows[row].beats if at + CONFIRMED_AFTER >= sample]

    def weak(self, row: int, beats: Iterable[int]) -> tuple[int, ...]:
        """Return which latest beats of a row have less than `WEAK_FRACTION` of its usual energy."""
        known = self._rows[row].weak
        if not known:
            return ()
        return tuple(beat for beat in beats if beat in known)

    def learn(self, row: int, usable: bool) -> None:
        """End a second of a row: its beats tell the usual energy if its signal was usable.

        What was learnt of the height of beats in a second that was not is forgotten.
        """
        state = self._rows[row]
        if usable:
            state.kept = state.level
        else:
            state.level = state.kept
        if usable and state.energies:
            state.smallest.append(min(state.energies))
            state.usual = median_low(state.smallest)
            state.without = 0
        else:
            state.without += 1
            if state.without == FORGET and state.smallest:
                state.smallest = deque([state.usual], maxlen=REFERENCE_SECONDS)
        state.energies.clear()

    def heart_rate(self, row: int, now: int) -> float:
        """Return the mean heart rate of the last beats in 1/min at stream index ``now``.

        Returns
        -------
        float
            NaN when not known: fewer than two RR intervals, or none for `LONGEST_RR`.
        """
        state = self._rows[row]
        beats: Sequence[int] = state.beats
        if beats and beats[0] < state.clean:
            beats = [at for at in beats if at >= state.clean]
        known = min(len(beats), RATE_BEATS + 1)
        if known < 3 or now - beats[-1] > LONGEST_RR:
            return float("nan")
        return 60.0 * RATE * (known - 1) / (beats[-1] - beats[-known])

    def _begin(self, row: int) -> None:
        self._peaks.reset(row)
        self._wakes[row] = NEVER

    def _advance(self, row: int, until: int) -> list[int]:
        state, found, done = self._rows[row], list[int](), 0
        for at, value in state.peaks:
            if at + 2 > until:
                break
            done += 1
            if 0 <= state.pending < at - REFRACTORY:
                self._confirm(row, state, found)
            if state.pending < 0 or value > state.pending_value:
                state.pending, state.pending_value = at, value
        del state.peaks[:done]
        if 0 <= state.pending < until - 1 - REFRACTORY:
            self._confirm(row, state, found)
        self._wakes[row] = state.wakes()
        return found

    def _confirm(self, row: int, state: RowBeats, found: list[int]) -> None:
        """Decide whether the pending peak is a beat."""
        peak, value = state.pending, state.pending_value
        at = peak - DELAY
        state.pending = -1
        beats = state.beats
        since = at - beats[-1] if beats else 10 * RATE
        share = THRESHOLD_MIN + (THRESHOLD_MAX - THRESHOLD_MIN) * exp(
            -max(since / state.rr - DECAY_DELAY_RR, 0.0) / DECAY_TAU_RR
        )
        if since < T_WAVE_UNTIL:
            share += T_WAVE_MARGIN * (T_WAVE_UNTIL - since) / (T_WAVE_UNTIL - REFRACTORY)
        # What lies before the first sample is a beat that began outside the stream.
        if value < share * state.level or at < self._peaks.start[row]:
            return
        if since < T_WAVE_UNTIL and self._is_t_wave(row, peak, beats[-1] + DELAY):
            return
        if since > LONGEST_RR:
            beats.clear()
        if beats:
            if since <= MIN_RR:
                self._hurried[row] = at
            state.intervals.append((at, since))
            state.rr += (min(max(since, 0.3 * RATE), 1.5 * RATE) - state.rr) / 8
        # The level follows tall artefacts slowly and small beats a little faster.
        usual, known = state.level or value, len(beats)
        if 0 < known < WARMUP_BEATS:
            state.level = usual + (value - usual) / 2
        else:
            state.level = usual + (min(value, 2 * usual) - usual) / (4 if known else 1)
        beats.append(at)
        found.append(at)
        state.energies.append(value)
        if value < WEAK_FRACTION * state.usual:
            state.weak.append(at)

    def _is_t_wave(self, row: int, peak: int, before: int) -> bool:
        """Tell whether a peak is the T wave of the beat with the peak before."""
        return self._peaks.sharpness(row, peak) < SHARP * self._peaks.sharpness(row, before)
