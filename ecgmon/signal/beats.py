"""A causal QRS detector: beats and heart rate, for a stack of wearers.

The idea is that of Pan & Tompkins (1985): band-pass where the QRS lives, slope, energy in a
moving window, and a threshold that follows the last beats. Here the threshold sinks with the
time since the last beat, which finds a small beat after tall ones without searching back.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ecgmon.grid import RATE
from ecgmon.signal.filter import SectionFilter

BAND_HZ: Final = (12.0, 25.0)
"""Above the T wave of a tall-T lead, below muscle noise; chosen on DS1."""
ENERGY_WINDOW: Final = round(0.1 * RATE)
DELAY: Final = round(0.072 * RATE)
"""Samples by which the energy peak follows the R peak: filter and moving window together."""
REFRACTORY: Final = round(0.2 * RATE)
"""No heart beats twice within 200 ms (Pan & Tompkins 1985)."""
FLOOR_MV: Final = 0.02
"""Smallest energy peak taken for a beat: well above amplifier noise, far below any QRS."""
HIGH: Final = 0.4
LOW: Final = 0.15
HOLD: Final = 0.9
SINK: Final = 0.4
"""A beat reaches `HIGH` of the usual energy; after `HOLD` mean RR intervals without one, the
share sinks towards `LOW` with time constant `SINK` RR intervals. Chosen on DS1."""
LONGEST_RR: Final = 4 * RATE
"""A longer silence is no RR interval: heart rate is not known until new beats have come."""
RATE_BEATS: Final = 8
"""Heart rate is the mean over this many RR intervals, as bedside monitors average it."""

_MEAN: Final = np.full(ENERGY_WINDOW, 1 / ENERGY_WINDOW)
_NO_FEEDBACK: Final = np.array([1.0, 0.0])
"""Written with its zero: for a bare one scipy convolves call by call, which rounds differently for
every way of cutting the stream."""


class _Row:
    """One wearer's detector state between calls."""

    __slots__ = ("beats", "level", "pending", "pending_value", "rr", "tail")

    def __init__(self) -> None:
        self.beats: deque[int] = deque(maxlen=RATE_BEATS + 1)
        self.level = 0.0
        self.pending = -1
        self.pending_value = 0.0
        self.rr = float(RATE)
        self.tail = np.zeros(0)


class BeatDetector:
    """Finds QRS complexes as samples come.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    def __init__(self, rows: int) -> None:
        sos = signal.butter(1, BAND_HZ, btype="bandpass", fs=RATE, output="sos")
        self._band = SectionFilter(sos, rows)
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
            For every row the stream indices of the beats confirmed by these samples; a beat is
            confirmed `REFRACTORY` samples after its energy peak.
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

    def heart_rate(self, row: int, now: int) -> float:
        """Return the mean heart rate of the last beats in 1/min at stream index ``now``.

        Returns
        -------
        float
            NaN when not known: fewer than two RR intervals, or none for `LONGEST_RR`.
        """
        beats = self._rows[row].beats
        if len(beats) < 3 or now - beats[-1] > LONGEST_RR:
            return float("nan")
        return 60.0 * RATE * (len(beats) - 1) / (beats[-1] - beats[0])

    def _advance(self, state: _Row, energy: NDArray[np.float64], first: int) -> list[int]:
        found: list[int] = []
        e = np.concatenate([state.tail, energy])
        offset = first - len(state.tail)
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
        fraction = LOW + (HIGH - LOW) * float(np.exp(-max(since / state.rr - HOLD, 0.0) / SINK))
        if value < fraction * state.level:
            return
        if since > LONGEST_RR:
            state.beats.clear()
        if state.beats:
            state.rr += (min(max(since, 0.3 * RATE), 1.5 * RATE) - state.rr) / 8
        # The level follows tall artefacts slowly and small beats a little faster.
        state.level += (min(value, 2 * state.level or value) - state.level) / (
            4 if state.beats else 1
        )
        state.beats.append(at)
        found.append(at)
