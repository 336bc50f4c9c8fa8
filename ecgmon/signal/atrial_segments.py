"""Input of models of atrial rhythms: the last beats of each row, with their intervals.

In atrial fibrillation the intervals between beats are uneven in no pattern, and no P wave comes
before a beat. Of each beat its neighbourhood is kept, from before the P wave to after the QRS
complex.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.state import ARRAY, Layout, StatefulRows
from ecgmon.signal import beat_kin
from ecgmon.signal.sample_history import SampleHistory

BEATS: Final = 32
"""Beats that a model sees at most."""
FEWEST: Final = 8
"""Beats from which on a model may be asked."""
LATEST_S: Final = 60
"""Beats from longer ago than this are not seen."""
EVERY_S: Final = 5
"""Seconds from one input to the next."""
STEP: Final = 3
"""Samples at `RATE` to one of an input: 120 Hz."""
BEFORE, AFTER = 30, 10
"""Samples of an input before the R peak and from it on: 250 and 83 ms."""
SEGMENT: Final = BEFORE + AFTER
"""Samples of each beat's neighbourhood."""
FACTS: Final = 4
"""Numbers that follow a neighbourhood: logarithm of the RR interval before the beat over the median
of those seen, the interval less `ORDINARY_S`, 1 in a second of signal, and 1 for a beat at all."""
ORDINARY_S: Final = 0.8
SHORTEST_S, LONGEST_S = 0.2, 3.0
"""Intervals are taken as no shorter and no longer than this."""
ATRIAL_SHAPE: Final = (BEATS, SEGMENT + FACTS)
"""Shape of an input; the newest beat comes last, and zeros come before the first."""


class AtrialBeats(StatefulRows):
    """The last beats of each row.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("atrial beats", 1, _at=ARRAY, _segments=ARRAY, _signal=ARRAY, _count=ARRAY)

    def __init__(self, rows: int) -> None:
        self._at = np.zeros((rows, BEATS), dtype=np.int64)
        self._segments = np.zeros((rows, BEATS, SEGMENT), dtype=np.float32)
        self._signal = np.zeros((rows, BEATS), dtype=bool)
        self._count = np.zeros(rows, dtype=np.int64)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._count[row] = 0

    def add(
        self,
        row: int,
        beats: Sequence[int],
        filtered: SampleHistory[np.float32],
        scale: np.float32,
        *,
        is_signal: bool,
    ) -> None:
        """Take the beats confirmed in a row's last second.

        Parameters
        ----------
        row : int
            Whose.
        beats : sequence of int
            Their stream indices, ascending.
        filtered : SampleHistory
            The band-passed samples in mV, of all rows.
        scale : float32
            The wearer's unit in mV.
        is_signal : bool
            Whether the second is neither noisy nor absent.
        """
        for beat in beats:
            peak = beat // STEP * STEP
            samples = filtered.row(row, peak - STEP * BEFORE, peak + STEP * AFTER)[::STEP]
            at = self._count[row] % BEATS
            self._at[row, at] = beat
            self._segments[row, at] = samples / scale
            self._signal[row, at] = is_signal
            self._count[row] += 1

    def kin(self, rows: Sequence[int], back: Sequence[int]) -> list[int]:
        """Return how many of the beats before it some beats look like (`ecgmon.signal.beat_kin`).

        Parameters
        ----------
        rows : sequence of int
            Whose each is.
        back : sequence of int
            How many beats of its row came after it.
        """
        if not rows:
            return []
        row = np.array(rows)
        at = self._count[row] - 1 - np.array(back)
        before = at[:, None] - np.arange(1, beat_kin.BEFORE + 1)
        segments = self._segments[row[:, None], before % BEATS]
        beat = self._segments[row, at % BEATS]
        found: list[int] = beat_kin.kin(segments, beat, before >= 0).tolist()
        return found

    def inputs(
        self, rows: NDArray[np.intp], end: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return what a model sees of some rows before stream index ``end``.

        Returns
        -------
        inputs : ndarray of float32, shape (r, *ATRIAL_SHAPE)
            The inputs.
        settled : ndarray of bool, shape (r,)
            Whether a model may be asked.
        """
        inputs = np.zeros((len(rows), *ATRIAL_SHAPE), dtype=np.float32)
        settled = np.zeros(len(rows), dtype=bool)
        for i, (row, now) in enumerate(zip(rows.tolist(), end.tolist(), strict=True)):
            count = int(self._count[row])
            order = np.arange(max(count - BEATS, 0), count) % BEATS
            order = order[self._at[row, order] >= now - LATEST_S * RATE]
            n = len(order)
            if n < FEWEST:
                continue
            settled[i] = True
            rr = np.clip(np.diff(self._at[row, order]) / RATE, SHORTEST_S, LONGEST_S)
            inputs[i, -n:, :SEGMENT] = self._segments[row, order]
            inputs[i, 1 - n :, SEGMENT] = np.log(rr / np.median(rr))
            inputs[i, 1 - n :, SEGMENT + 1] = rr - ORDINARY_S
            inputs[i, -n:, SEGMENT + 2] = self._signal[row, order]
            inputs[i, -n:, SEGMENT + 3] = 1
        return inputs, settled


def is_due(end: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell at which ends of seconds an input is cut."""
    due: NDArray[np.bool_] = end // WINDOW % EVERY_S == 0
    return due
