"""A causal QRS detector: beats and heart rate, for a stack of wearers.

The idea is that of Pan & Tompkins (1985): band-pass where the QRS lives, slope, energy in a
moving window, and a threshold that follows the last beats. Here the threshold sinks with the
time since the last beat: high where a T wave may come, low when a beat is due, which finds a small
beat after tall ones without searching back.
"""

from collections import deque
from collections.abc import Iterable
from math import exp
from statistics import median_low
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ecgmon.grid import RATE
from ecgmon.signal.filter import SectionFilter

BAND_HZ: Final = (9.0, 20.0)
"""Above most of a T wave, below muscle noise. This band, `DRIFT_HZ`, the moving window and the
shares below were chosen together on DS1 alone (docs/results/qrs.md)."""
DRIFT_HZ: Final = 2.0
"""A first-order high-pass more, so that breathing, which moves the baseline by millivolts, stays
below `FLOOR_MV`: an asystole is one on a drifting baseline too."""
ENERGY_WINDOW: Final = round(0.117 * RATE)
DELAY: Final = round(0.094 * RATE)
"""Samples by which the energy peak follows the R peak: filter and moving window together. On DS1
the beats found then lie within a sample of the annotated ones in the median."""
REFRACTORY: Final = round(0.2 * RATE)
"""No heart beats twice within 200 ms (Pan & Tompkins 1985)."""
CONFIRMED_AFTER: Final = DELAY + REFRACTORY + 1
"""A beat is confirmed by the sample this many after it: 297 ms."""
FLOOR_MV: Final = 0.02
"""Smallest energy peak taken for a beat: well above amplifier noise, far below any QRS."""
HIGH: Final = 0.35
LOW: Final = 0.15
HOLD: Final = 0.9
SINK: Final = 0.4
"""A beat reaches `HIGH` of the usual energy; after `HOLD` mean RR intervals without one, the
share sinks towards `LOW` with time constant `SINK` RR intervals."""
EARLY: Final = 0.45
EARLY_UNTIL: Final = 0.36 * RATE
"""Right after the refractory period a beat must reach `EARLY` more than `HIGH`, which sinks to
nothing by 360 ms after the last beat: what comes there may be its T wave (Pan & Tompkins 1985) or
the end of a wide complex. The waves of a fast tachycardia are of one size and pass."""
LEARNING: Final = 4
"""So many beats after a beginning the usual energy is learnt quickly: the first may have been a P
wave, after which every T wave would pass for a beat."""
LONGEST_RR: Final = 4 * RATE
"""A longer silence is no RR interval: heart rate is not known until new beats have come."""
RATE_BEATS: Final = 8
"""Heart rate is the mean over this many RR intervals, as bedside monitors average it."""
KEPT: Final = 16
"""Beats remembered: as many as fit into three seconds."""

WEAK: Final = 0.4
"""Share of the usual energy below which a beat is weak and counts for no alarm of asystole or rate:
where a heart stands still, the threshold sinks to the noise. The largest that adds no asystole to
DS1. With electrode motion of 18 dB, 86 of 88 asystoles cut into DS1 are then seen and not 23. One
in 150 ventricular beats is weak."""
USUAL: Final = 30
"""The usual energy is the median of the smallest beats of so many seconds of signal: artefacts do
not raise it, and beats that turn small for good become the usual ones in half that time."""

_MEAN: Final = np.full(ENERGY_WINDOW, 1 / ENERGY_WINDOW)
_NO_FEEDBACK: Final = np.array([1.0, 0.0])
"""Written with its zero: for a bare one scipy convolves call by call, which rounds differently for
every way of cutting the stream."""


class _Row:
    """One wearer's detector state between calls."""

    __slots__ = (
        "beats",
        "energies",
        "level",
        "pending",
        "pending_value",
        "rr",
        "smallest",
        "start",
        "tail",
        "usual",
        "weak",
    )

    def __init__(self) -> None:
        self.beats: deque[int] = deque(maxlen=KEPT)
        self.energies: deque[float] = deque(maxlen=KEPT)
        self.level = 0.0
        self.pending = -1
        self.pending_value = 0.0
        self.rr = float(RATE)
        self.smallest: deque[float] = deque(maxlen=USUAL)
        self.start = 0
        self.tail = np.zeros(0)
        self.usual = 0.0
        self.weak: deque[int] = deque(maxlen=KEPT)


class BeatDetector:
    """Finds QRS complexes as samples come.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    def __init__(self, rows: int) -> None:
        sections = (
            signal.butter(1, DRIFT_HZ, btype="highpass", fs=RATE, output="sos"),
            signal.butter(1, BAND_HZ, btype="bandpass", fs=RATE, output="sos"),
        )
        self._band = SectionFilter(np.concatenate(sections), rows)
        self._window = np.zeros((rows, ENERGY_WINDOW - 1))
        self._rows = [_Row() for _ in range(rows)]

    def reset(self, row: int) -> None:
        """Forget a row: beats on both sides of a gap have no RR interval."""
        self._band.reset(row)
        self._window[row] = 0
        self._rows[row] = _Row()

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
        band = self._band(rows, x)
        power, self._window[rows] = signal.lfilter(
            _MEAN, _NO_FEEDBACK, band * band, axis=-1, zi=self._window[rows]
        )
        energy = np.sqrt(np.maximum(power, 0.0))
        return [
            self._advance(self._rows[row], energy[i], int(first[i])) for i, row in enumerate(rows)
        ]

    def interrupt(self, row: int) -> None:
        """Forget the RR intervals of a row: its signal was not there all the time."""
        self._rows[row].beats.clear()

    def since(self, row: int, sample: int) -> list[int]:
        """Return the stream indices of a row's beats confirmed from stream index ``sample`` on.

        At most `KEPT`, and none from before an interruption.
        """
        return [at for at in self._rows[row].beats if at + CONFIRMED_AFTER >= sample]

    def weak(self, row: int, beats: Iterable[int]) -> tuple[int, ...]:
        """Return which of a row's latest beats have less than `WEAK` of its usual energy."""
        known = self._rows[row].weak
        return tuple(beat for beat in beats if beat in known)

    def learn(self, row: int, usable: bool) -> None:
        """End a second of a row: its beats tell the usual energy if its signal was usable."""
        state = self._rows[row]
        if usable and state.energies:
            state.smallest.append(min(state.energies))
            state.usual = median_low(state.smallest)
        state.energies.clear()

    def heart_rate(self, row: int, now: int) -> float:
        """Return the mean heart rate of the last beats in 1/min at stream index ``now``.

        Returns
        -------
        float
            NaN when not known: fewer than two RR intervals, or none for `LONGEST_RR`.
        """
        beats = list(self._rows[row].beats)[-RATE_BEATS - 1 :]
        if len(beats) < 3 or now - beats[-1] > LONGEST_RR:
            return float("nan")
        return 60.0 * RATE * (len(beats) - 1) / (beats[-1] - beats[0])

    def _advance(self, state: _Row, energy: NDArray[np.float64], first: int) -> list[int]:
        found: list[int] = []
        e = np.concatenate([state.tail, energy])
        offset = first - len(state.tail)
        if not len(state.tail):
            state.start = first
        state.tail = e[-2:]
        middle = e[1:-1]
        peaks = np.flatnonzero((middle > FLOOR_MV) & (middle > e[:-2]) & (middle >= e[2:])) + 1
        for at in peaks.tolist():
            value = float(e[at])
            self._confirm(state, offset + at, found)
            if state.pending < 0 or value > state.pending_value:
                state.pending, state.pending_value = offset + at, value
        # A local maximum shows only one sample later, so time stands one sample back.
        self._confirm(state, offset + len(e) - 1, found)
        return found

    @staticmethod
    def _confirm(state: _Row, now: int, found: list[int]) -> None:
        if state.pending < 0 or now - state.pending <= REFRACTORY:
            return
        at, value = state.pending - DELAY, state.pending_value
        state.pending = -1
        since = at - state.beats[-1] if state.beats else 10 * RATE
        share = LOW + (HIGH - LOW) * exp(-max(since / state.rr - HOLD, 0.0) / SINK)
        share += EARLY * max(EARLY_UNTIL - since, 0.0) / (EARLY_UNTIL - REFRACTORY)
        # What lies before the first sample is a beat that began outside the stream.
        if value < share * state.level or at < state.start:
            return
        if since > LONGEST_RR:
            state.beats.clear()
        if state.beats:
            state.rr += (min(max(since, 0.3 * RATE), 1.5 * RATE) - state.rr) / 8
        # The level follows tall artefacts slowly and small beats a little faster.
        usual, known = state.level or value, len(state.beats)
        if 0 < known < LEARNING:
            state.level += (value - usual) / 2
        else:
            state.level = usual + (min(value, 2 * usual) - usual) / (4 if known else 1)
        state.beats.append(at)
        found.append(at)
        state.energies.append(value)
        if value < WEAK * state.usual:
            state.weak.append(at)
