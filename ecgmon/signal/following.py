"""Following rows that are filtered to the ends of their seconds and look-aheads.

No row passes one of them without stopping there, so that what is known of it there does not depend
on how its stream was cut. A row's piece holds at most one of each: so all rows stop together, and
what ends is judged and cut for all of them at once, whether they are in step or not.
"""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.signal.completed import Completed
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.rhythm_segments import cut_atrial, cut_rhythms
from ecgmon.signal.row_pieces import RowPieces
from ecgmon.signal.rows import Rows
from ecgmon.signal.seconds import finish_seconds
from ecgmon.signal.stillness import QUARTER
from ecgmon.signal.windows import cut_windows


def follow(known: Rows, geometry: Geometry, pieces: RowPieces, completed: Completed) -> None:
    """Bring each row through its piece, which is filtered, from its first sample to its end."""
    rows, now, end, second = pieces.rows, pieces.first, pieces.stop, pieces.next_second
    late = geometry.look_ahead
    window = now + WINDOW - (now - late) % WINDOW
    ends, complete = second <= end, window <= end
    earlier = ends & complete & (window < second)
    if np.count_nonzero(earlier):
        _advance(known, rows[earlier], window[earlier], completed)
        _cut(known, geometry, rows[earlier], window[earlier], completed)
        complete &= ~earlier
    stop = np.where(ends, second, np.where(complete, window, end))
    _advance(known, rows, stop, completed)
    _note_stillness(known, rows, now, stop)
    if np.count_nonzero(ends):
        _end_seconds(known, rows[ends], second[ends], completed)
    if np.count_nonzero(complete):
        _advance(known, rows[complete], window[complete], completed)
        _cut(known, geometry, rows[complete], window[complete], completed)
    further = stop < end
    if np.count_nonzero(further):
        rows, stop, end = rows[further], stop[further], end[further]
        _advance(known, rows, end, completed)
        _note_stillness(known, rows, stop, end)


def _advance(
    known: Rows, rows: NDArray[np.intp], until: NDArray[np.int64], completed: Completed
) -> None:
    """Look for beats up to before stream index ``until``."""
    for i, beats in known.beats.advance(rows, until):
        row = int(rows[i])
        known.last_beat[row] = beats[-1]
        known.beat_count[row] += len(beats)
        known.confirmed[row] += beats
        completed.follow.beats(row, beats)


def _end_seconds(
    known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64], completed: Completed
) -> None:
    completed.seconds += finish_seconds(known, rows, end)
    completed.follow.scale(known, rows, end)
    completed.rhythms.append(cut_rhythms(known, rows, end))
    completed.atrial += cut_atrial(known, rows, end)


def _cut(
    known: Rows,
    geometry: Geometry,
    rows: NDArray[np.intp],
    now: NDArray[np.int64],
    completed: Completed,
) -> None:
    completed.windows.append(cut_windows(known, geometry, rows, now))


def _note_stillness(
    known: Rows, rows: NDArray[np.intp], before: NDArray[np.int64], now: NDArray[np.int64]
) -> None:
    quarters = now // QUARTER - before // QUARTER
    some = quarters > 0
    if np.count_nonzero(some):
        rows, before, end = rows[some], before[some], now[some] // QUARTER * QUARTER
        n = int(quarters.max()) * QUARTER
        raw, valid = known.raw.last(rows, end, n), known.valid.last(rows, end, n)
        known.still.advance(rows, before, raw, valid, end)
