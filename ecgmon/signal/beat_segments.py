"""Input of beat models: the signal around a beat, and what the beats before it say of it.

All of it is known half a second after the R peak. The trainer gives a whole record at once, the
monitor whatever has arrived of many wearers; both get the same bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import ARRAY, NESTED, Index, Indices, Layout, StatefulRows
from ecgmon.signal import rr_context, rr_intervals, shape_context
from ecgmon.signal.beat_feed import BeatFeed
from ecgmon.signal.resample import resample
from ecgmon.signal.rr_context import RRContext
from ecgmon.signal.rr_intervals import RRIntervals
from ecgmon.signal.shape_context import ShapeContext
from ecgmon.signal.windows import HOLE

BEFORE: Final = RATE
"""Samples before the R peak: the beat before is in sight unless the heart is slow."""
AFTER: Final = RATE // 2
"""Samples after it, by which every result is late."""
BEAT_RATE: Final = 125
"""Samples per second of the input, those of Kachuee et al. (2018)."""
LENGTH: Final = 187
"""Samples of the input."""
SHAPES: Final = 2
"""Pieces of signal in an input: the beat itself, and its difference from the usual beat."""
CONTEXT: Final = rr_intervals.VALUES + rr_context.VALUES + shape_context.VALUES
"""Numbers that follow them: what the wearer's beats before say of this one."""
VALUES: Final = SHAPES * LENGTH + CONTEXT
"""Numbers of an input."""
_BEATS: Final = 31
"""Beats whose median is the usual one."""
_KEPT: Final = BEFORE + RATE + AFTER
"""Samples kept of a row: a beat waits for up to a second where the scale is not known yet, and the
first one may lie before the row began."""
_ROOM: Final = 2 * _KEPT
"""Samples that fit into a row's buffer: the kept ones are moved once for many calls."""


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
        `LENGTH` samples of the signal in units of the wearer's scale, then as many of its
        difference from the median of the 31 beats before. Then what `RRIntervals`, `RRContext` and
        `ShapeContext` say.
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
    second's end.

    Parameters
    ----------
    rows : int
        Number of wearers.

    Attributes
    ----------
    next : ndarray of int64, shape (rows,)
        Stream index of each row's next sample.
    """

    layout = Layout(
        "beat segments",
        2,
        next=ARRAY,
        _filtered=ARRAY,
        _measured=ARRAY,
        _filled=Index,
        _begin=ARRAY,
        _scale=ARRAY,
        _waiting=Indices,
        _shapes=ARRAY,
        _known=ARRAY,
        _intervals=NESTED,
        _rhythm=NESTED,
        _compared=NESTED,
    )

    def __init__(self, rows: int) -> None:
        self.next = np.zeros(rows, dtype=np.int64)
        self._filtered = np.zeros((rows, _ROOM), dtype=np.float32)
        self._measured = np.zeros((rows, _ROOM), dtype=bool)
        self._filled = [_KEPT] * rows
        self._begin = np.zeros(rows, dtype=np.int64)
        self._scale = np.zeros(rows, dtype=np.float32)  # 0: no second has ended yet
        self._waiting: list[list[int]] = [[] for _ in range(rows)]
        self._shapes = np.zeros((rows, _BEATS, LENGTH), dtype=np.float32)
        self._known = np.zeros(rows, dtype=np.int64)
        self._intervals = [RRIntervals() for _ in range(rows)]
        self._rhythm = [RRContext() for _ in range(rows)]
        self._compared = [ShapeContext() for _ in range(rows)]

    def reset(self, row: int, first: int) -> None:
        """Start a row anew at stream index ``first``: a new stream or model, or after a gap."""
        self.next[row] = self._begin[row] = first
        self._filtered[row] = self._scale[row] = self._known[row] = 0
        self._measured[row] = False
        self._filled[row] = _KEPT
        self._waiting[row] = []
        self._intervals[row] = RRIntervals()
        self._rhythm[row] = RRContext()
        self._compared[row] = ShapeContext()

    def push(self, feeds: Mapping[int, BeatFeed]) -> BeatInputs:
        """Take the next samples of some rows and return the beats that they complete.

        Parameters
        ----------
        feeds : mapping of int to BeatFeed
            By row, as the chain gives them.

        Returns
        -------
        BeatInputs
            Bit-identical for every way of cutting the stream into calls.
        """
        at: list[int] = []
        of_row: dict[int, slice] = {}
        around, unit, settled = [], [], []
        for row, feed in feeds.items():
            begins = [int(self._begin[row]), *feed.begins]
            filtered, measured = self._buffer(row, feed)
            beats, units = self._complete(row, feed)
            if not beats:
                continue
            origin = int(self.next[row]) - len(filtered)
            for beat, scale in zip(beats, units, strict=True):
                stretch = slice(beat - BEFORE - origin, beat + AFTER - origin)
                around.append(filtered[stretch])
                unit.append(scale)
                begin = max((one for one in begins if one < beat + AFTER), default=beat)
                settled.append(beat - BEFORE >= begin and not _has_hole(measured[stretch]))
            of_row[row] = slice(len(at), len(at) + len(beats))
            at += beats
        inputs = np.zeros((len(at), VALUES), dtype=np.float32)
        rows = np.zeros(len(at), dtype=np.intp)
        if at:
            scaled = np.stack(around) / np.array(unit, dtype=np.float32)[:, None]
            shapes = resample(scaled, BEAT_RATE)[:, :LENGTH]
            inputs[:, :LENGTH] = shapes
            for row, mine in of_row.items():
                rows[mine] = row
                inputs[mine, LENGTH : SHAPES * LENGTH] = shapes[mine] - self._usual_beats(
                    row, shapes[mine]
                )
                for i, beat in enumerate(at[mine], mine.start):
                    inputs[i, SHAPES * LENGTH :] = self._context(row, beat, shapes[i])
        return BeatInputs(rows, np.array(at, dtype=np.int64), inputs, np.array(settled, dtype=bool))

    def _buffer(self, row: int, feed: BeatFeed) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Take a row's next samples; return all that are at hand, the newest last."""
        new = sum(map(len, feed.filtered))
        self.next[row] += new
        if feed.begins:
            self._begin[row] = feed.begins[-1]
        both = ((self._filtered[row], feed.filtered), (self._measured[row], feed.measured))
        filled = self._filled[row]
        if filled + new > _ROOM:
            for kept, _ in both:
                kept[:_KEPT] = kept[filled - _KEPT : filled].copy()
            filled = _KEPT
        if filled + new > _ROOM:  # more than live frames hold
            filtered, measured = (np.concatenate([kept[:filled], *parts]) for kept, parts in both)
            for (kept, _), every in zip(both, (filtered, measured), strict=True):
                kept[:_KEPT] = every[-_KEPT:]
            self._filled[row] = _KEPT
            return filtered, measured
        for kept, parts in both:
            at = filled
            for part in parts:
                kept[at : at + len(part)] = part
                at += len(part)
        self._filled[row] = filled + new
        return self._filtered[row, : filled + new], self._measured[row, : filled + new]

    def _complete(self, row: int, feed: BeatFeed) -> tuple[list[int], list[np.float32]]:
        """Return the beats of a row that are complete, and the unit of amplitude of each."""
        scale = [(0, self._scale[row])] if self._scale[row] else []
        scale += feed.scale
        waiting = self._waiting[row] + feed.beats
        if not scale:
            self._waiting[row] = waiting
            return [], []
        self._scale[row] = scale[-1][1]
        complete = [beat for beat in waiting if beat + AFTER <= self.next[row]]
        self._waiting[row] = waiting[len(complete) :]
        # The scale of the last whole second when the beat is complete, or of the first one.
        units = [
            next((unit for end, unit in reversed(scale) if end <= beat + AFTER), scale[0][1])
            for beat in complete
        ]
        return complete, units

    def _context(self, row: int, beat: int, signal: NDArray[np.float32]) -> list[float]:
        """Return what the row's beats before say of its next one."""
        rhythm = self._rhythm[row]
        intervals, described = self._intervals[row].add(beat), rhythm.add(beat)
        return [*intervals, *described, *self._compared[row].add(signal, rhythm)]

    def _usual_beats(self, row: int, shape: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the median of up to `_BEATS` beats before each, of the first itself."""
        known = min(int(self._known[row]), _BEATS)
        every = np.concatenate([self._shapes[row, _BEATS - known :], shape])
        usual = np.empty_like(shape)
        for i in range(len(shape)):
            usual[i] = _median(every[max(known + i - _BEATS, 0) : max(known + i, 1)])
        latest = every[-_BEATS:]
        self._shapes[row, _BEATS - len(latest) :] = latest
        self._known[row] += len(shape)
        return usual


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
        As `BeatInputs` has them. Where the record ends, or has not begun, the signal is 0.
    """
    feed = BeatFeed(
        [np.pad(filtered, (0, AFTER))],
        [np.ones(len(filtered) + AFTER, dtype=bool)],
        beats.tolist(),
        [((second + 1) * RATE, unit) for second, unit in enumerate(scale)],
    )
    return BeatSegments(1).push({0: feed}).inputs


def _median(beats: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median over the first axis."""
    ordered = np.sort(beats, axis=0)
    median: NDArray[np.float32] = (
        ordered[(len(beats) - 1) // 2] + ordered[len(beats) // 2]
    ) / np.float32(2)
    return median


def _has_hole(measured: NDArray[np.bool_]) -> bool:
    """Tell whether `HOLE` samples in a row were not measured."""
    if measured.all():
        return False
    return not bool(sliding_window_view(measured, HOLE).any(axis=1).all())
