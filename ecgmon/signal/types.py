"""Results of the chain: a second and its rhythm when it ends, a window after its look-ahead."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.signal_states import SignalState
from ecgmon.signal.geometry import RHYTHM, Geometry


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a row, complete with its last sample.

    Parameters
    ----------
    row : int
        Whose second.
    end : int
        Stream index after its last sample.
    state : str
        Its signal state, a name of `ecgmon.signal.quality`.
    beats : tuple of int
        Stream indices of the beats confirmed in this second, ascending. A beat is confirmed
        `ecgmon.signal.qrs.CONFIRMED_AFTER` samples after it happened, so the first one may
        lie in the second before.
    weak : tuple of int
        Those of them that may be noise: far smaller than the beats before
        (`ecgmon.signal.qrs.WEAK_FRACTION`).
    still : int or None
        Stream index from which on the line is still; None unless it is, for half a second or more,
        at the end of the second.
    lost : int or None
        Stream index from which on the line is lost because it is still for too long
        (`ecgmon.signal.stillness`), if it was in some part of the second.
    kin : tuple of int
        How many of the eight beats before it each of its beats looks like
        (`ecgmon.signal.beat_kin`); none where that is not known.
    returning : bool
        Whether its baseline returns from a jump, which hides beats (`ecgmon.signal.quality`).
    """

    row: int
    end: int
    state: SignalState
    beats: tuple[int, ...]
    weak: tuple[int, ...] = ()
    still: int | None = None
    lost: int | None = None
    kin: tuple[int, ...] = ()
    returning: bool = False

    @property
    def strong(self) -> tuple[int, ...]:
        """The beats that are not weak."""
        return tuple(beat for beat in self.beats if beat not in self.weak)


@dataclass(frozen=True, eq=False, slots=True)
class Windows:
    """Windows completed by a call, in the order of time in each row.

    Parameters
    ----------
    rows : ndarray of intp, shape (n,)
        Whose windows.
    first : ndarray of int64, shape (n,)
        Stream index of each window's first sample.
    inputs : ndarray of float32, shape (n, geometry.inputs)
        What the model sees, in units of the wearer's usual peak-to-peak amplitude.
    scale : ndarray of float32, shape (n,)
        That unit in mV.
    state : ndarray of int8, shape (n,)
        Signal state of the window's second (`ecgmon.signal.quality`).
    heart_rate : ndarray of float64, shape (n,)
        Mean of the last RR intervals in 1/min, NaN when not known.
    last_beat : ndarray of int64, shape (n,)
        Stream index of the latest beat, or of the first sample when there was none yet.
    beats : ndarray of int64, shape (n,)
        Number of beats found since the row was reset.
    settled : ndarray of bool, shape (n,)
        Whether all that the model sees is real signal: it begins after the row was reset or its
        filters were started anew, and nowhere in it `ecgmon.signal.windows.HOLE` samples in a row
        were not measured. Otherwise the model must not be asked.
    """

    rows: NDArray[np.intp]
    first: NDArray[np.int64]
    inputs: NDArray[np.float32]
    scale: NDArray[np.float32]
    state: NDArray[np.int8]
    heart_rate: NDArray[np.float64]
    last_beat: NDArray[np.int64]
    beats: NDArray[np.int64]
    settled: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    @staticmethod
    def concatenate(parts: "list[Windows]", geometry: Geometry) -> "Windows":
        """Join the windows of several calls."""
        if len(parts) < 2:
            return parts[0] if parts else _no_window(geometry)
        fields = ([getattr(part, name) for part in parts] for name in Windows.__slots__)
        return Windows(*map(np.concatenate, fields))


@cache
def _no_window(geometry: Geometry) -> Windows:
    """Return no window of a geometry."""
    empty = np.zeros(0)
    return Windows(
        empty.astype(np.intp),
        empty.astype(np.int64),
        np.zeros((0, geometry.inputs), dtype=np.float32),
        empty.astype(np.float32),
        empty.astype(np.int8),
        empty,
        empty.astype(np.int64),
        empty.astype(np.int64),
        empty.astype(np.bool_),
    )


@dataclass(frozen=True, eq=False, slots=True)
class RhythmInputs:
    """What a rhythm model sees at the ends of seconds, in the order of time in each row.

    Parameters
    ----------
    rows : ndarray of intp, shape (n,)
        Whose.
    end : ndarray of int64, shape (n,)
        Stream index after the last sample of each.
    inputs : ndarray of float32, shape (n, `RHYTHM.inputs`) or (n, *ATRIAL_SHAPE)
        The signal, in units of the wearer's usual peak-to-peak amplitude; of atrial rhythms the
        last beats (`ecgmon.signal.atrial_segments`).
    settled : ndarray of bool, shape (n,)
        Whether all of it was measured, noise among it. Otherwise a model must not be asked.
    """

    rows: NDArray[np.intp]
    end: NDArray[np.int64]
    inputs: NDArray[np.float32]
    settled: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    @staticmethod
    def concatenate(
        parts: "list[RhythmInputs]", shape: tuple[int, ...] = (RHYTHM.inputs,)
    ) -> "RhythmInputs":
        """Join the inputs of several calls, each of a shape."""
        if len(parts) < 2:
            return parts[0] if parts else _no_rhythm(shape)
        fields = ([getattr(part, name) for part in parts] for name in RhythmInputs.__slots__)
        return RhythmInputs(*map(np.concatenate, fields))


@cache
def _no_rhythm(shape: tuple[int, ...]) -> RhythmInputs:
    """Return no input of a shape."""
    return RhythmInputs(
        np.zeros(0, dtype=np.intp),
        np.zeros(0, dtype=np.int64),
        np.zeros((0, *shape), dtype=np.float32),
        np.zeros(0, dtype=bool),
    )


class Pushed(NamedTuple):
    """What a call completed, in the order of time in each row."""

    windows: Windows
    seconds: list[Second]
    rhythms: RhythmInputs
    atrial: RhythmInputs
