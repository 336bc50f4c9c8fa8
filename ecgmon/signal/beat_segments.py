"""Input of beat models: the signal around a beat, and what the beats before it say of it.

All of it is known half a second after the R peak. The trainer gives a whole record at once, the
monitor whatever has arrived of many wearers (`ecgmon.signal.beat_cutter`); both get the same bits.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import ARRAY, NESTED, Layout, StatefulRows
from ecgmon.signal import rr_context, rr_intervals, shape_context
from ecgmon.signal.latest_shapes import LatestShapes
from ecgmon.signal.resample import resample
from ecgmon.signal.row_turns import turns
from ecgmon.signal.rr_context import RRContext
from ecgmon.signal.rr_intervals import RRIntervals
from ecgmon.signal.shape_context import ShapeContext

BEFORE: Final = RATE
"""Samples before the R peak: the beat before is in sight unless the heart is slow."""
AFTER: Final = RATE // 2
"""Samples after it, by which every result is late."""
BEAT_RATE: Final = 125
"""Samples per second of the input, those of Kachuee et al. (2018)."""
AROUND: Final = BEFORE + AFTER
"""Samples at `RATE` that are cut around it."""
LENGTH: Final = 187
"""Samples of the signal in an input."""
SHAPES: Final = 2
"""Pieces of signal in an input: the beat itself, and its difference from the usual beat."""
CONTEXT: Final = rr_intervals.VALUES + rr_context.VALUES + shape_context.VALUES
"""Numbers that follow them: what the wearer's beats before say of this one."""
VALUES: Final = SHAPES * LENGTH + CONTEXT
"""Numbers of an input."""
_SIGNAL: Final = SHAPES * LENGTH
_SHAPE: Final = _SIGNAL + rr_intervals.VALUES + rr_context.VALUES
"""Where the context begins, and that of shapes."""


class BeatContexts(StatefulRows):
    """What the beats so far of a stack of wearers say of the next ones.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout(
        "beat contexts",
        2,
        _beats=ARRAY,
        _shapes=NESTED,
        _intervals=NESTED,
        _rhythm=NESTED,
        _compared=NESTED,
    )

    def __init__(self, rows: int) -> None:
        self._beats = np.zeros(rows, dtype=np.int64)
        self._shapes = LatestShapes(rows, LENGTH)
        self._intervals = [RRIntervals() for _ in range(rows)]
        self._rhythm = [RRContext() for _ in range(rows)]
        self._compared = ShapeContext(rows)

    def reset(self, row: int) -> None:
        """Forget the beats of a row."""
        self._beats[row] = 0
        self._shapes.reset(row)
        self._intervals[row] = RRIntervals()
        self._rhythm[row] = RRContext()
        self._compared.reset(row)

    def add(
        self, rows: NDArray[np.intp], at: NDArray[np.int64], shapes: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Take the next beats of some rows and return what a model sees of them.

        Parameters
        ----------
        rows : ndarray of intp, shape (m,)
            Whose beats; those of one row in the order of time.
        at : ndarray of int64, shape (m,)
            Stream index of each R peak.
        shapes : ndarray of float32, shape (m, `LENGTH`)
            The signal around each in units of the wearer's scale.

        Returns
        -------
        ndarray of float32, shape (m, `VALUES`)
            The signal, then its difference from the median of the 31 beats before. Then what
            `RRIntervals`, `RRContext` and `ShapeContext` say. It does not depend on what else is
            added.
        """
        inputs = np.empty((len(rows), VALUES), dtype=np.float32)
        inputs[:, :LENGTH] = shapes
        each = map(self._said, rows.tolist(), at.tolist())
        said = np.array([*each]).reshape(len(rows), _SHAPE - _SIGNAL + 2)
        inputs[:, _SIGNAL:_SHAPE] = said[:, :-2]
        for some in turns(rows):
            mine, beats, signal = rows[some], self._beats[rows[some]], shapes[some]
            inputs[some, LENGTH:_SIGNAL] = self._shapes.add(mine, beats, signal)
            last, usual = said[some, -2], said[some, -1]
            inputs[some, _SHAPE:] = self._compared.add(mine, beats, signal, last, usual)
            self._beats[mine] = beats + 1
        return inputs

    def _said(self, row: int, beat: int) -> list[float]:
        """Take a row's next beat; return its RR context, its interval and the usual one."""
        rhythm = self._rhythm[row]
        return [*self._intervals[row].add(beat), *rhythm.add(beat), rhythm.last, rhythm.usual]


def beat_inputs(
    filtered: NDArray[np.float32], scale: NDArray[np.float32], beats: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Cut the inputs of the beats of a whole record.

    Parameters
    ----------
    filtered : ndarray of float32, shape (n,)
        Band-passed signal at `RATE` in mV.
    scale : ndarray of float32, shape (seconds,), seconds >= 1
        Unit of amplitude in mV at the end of each second.
    beats : ndarray of int64, shape (m,)
        Sample index of each beat, ascending, all of them: intervals are counted between them.

    Returns
    -------
    ndarray of float32, shape (m, VALUES)
        As `BeatContexts.add` has them. Where the record ends, or has not begun, the signal is 0.
    """
    around = sliding_window_view(np.pad(filtered, (BEFORE, AFTER)), AROUND)[beats]
    ended = np.minimum((beats + AFTER) // RATE, len(scale))
    signal = scaled(around, scale[np.maximum(ended, 1) - 1])
    return BeatContexts(1).add(np.zeros(len(beats), dtype=np.intp), beats, signal)


def scaled(around: NDArray[np.float32], unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the signal around beats as an input has it.

    Parameters
    ----------
    around : ndarray of float32, shape (m, AROUND)
        In mV, from `BEFORE` samples before each R peak on.
    unit : ndarray of float32, shape (m,)
        Unit of amplitude in mV.

    Returns
    -------
    ndarray of float32, shape (m, LENGTH)
    """
    return resample(around / unit[:, None], BEAT_RATE)[:, :LENGTH]
