"""Beats of every lead of a record as a live monitor finds them, for people of any database.

A lead passes through the monitor's own conversion to 360 Hz, its filter and its beat detector. The
beats that the detector finds have the class that experts give the beat there, so that a network
learns from positions such as it will meet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import AAMI_CLASSES, UNLABELLED, is_beat
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.beat_feed import BeatFeed
from ecgmon.signal.beat_segments import SHAPES, beat_inputs
from ecgmon.signal.quality import SIGNAL
from ecgmon.signal.types import Windows
from trainer.data.beats.kachuee import CLASSES
from trainer.data.examples import Examples
from trainer.data.placement import Placement

Positions = Literal["found", "annotated"]
"""Where beats are: where the monitor's detector finds them, or where experts have marked them."""
WITHOUT_CLASSES: Final = ("cudb",)
"""Databases whose annotations call every beat N, whatever it is: they say nothing of classes."""
MATCH: Final = round(0.15 * RATE)
"""Samples up to which two marks are of one beat (ANSI/AAMI EC57)."""
_GEOMETRY: Final = Geometry(history_s=0, look_ahead_s=0, rate=RATE)


@dataclass(frozen=True, eq=False, slots=True)
class LeadBeats:
    """The beats of one lead of a record, in the order of time.

    Parameters
    ----------
    record : str
        Name of the record, for example ``svdb/803``.
    lead : int
        Number of the lead, counted from 1.
    samples : ndarray of int64, shape (n,)
        Where each lies, in samples at 360 Hz.
    labels : ndarray of int8, shape (n,)
        Number of the class in `CLASSES`, `UNLABELLED` where no expert's beat is near, and in
        records whose annotations have no classes of beats.
    usable : ndarray of bool, shape (n,)
        Whether the beat's second is signal, neither noisy nor absent.
    shapes : ndarray of float32, shape (n, SHAPES, length)
        The channels of `ecgmon.signal.beat_segments.beat_inputs` that are signal.
    intervals : ndarray of float32, shape (n, channels - SHAPES)
        Those that are constant, once each: they are three fifths of the inputs.
    """

    record: str
    lead: int
    samples: NDArray[np.int64]
    labels: NDArray[np.int8]
    usable: NDArray[np.bool_]
    shapes: NDArray[np.float32]
    intervals: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def inputs(self) -> NDArray[np.float32]:
        """What a model sees, as `beat_inputs` returns it."""
        constant = np.repeat(self.intervals[:, :, None], self.shapes.shape[2], axis=2)
        return np.concatenate([self.shapes, constant], axis=1)

    def examples(self) -> Examples:
        """Return the beats to learn from: those with a class, in usable seconds."""
        which = self.usable & (self.labels != UNLABELLED)
        wearer = self.record.rpartition("/")[2]
        return Examples(
            self.inputs[which],
            self.labels[which],
            np.full(int(which.sum()), wearer),
            self.samples[which],
            CLASSES,
        )


def lead_beats(
    found: Found, placement: Placement | None = None, positions: Positions = "found"
) -> list[LeadBeats]:
    """Return the beats of each lead of a WFDB record.

    Parameters
    ----------
    found : Found
        Where the record is.
    placement : Placement, optional
        How its leads are worn; as recorded when not given.
    positions : str
        Which beats.

    Raises
    ------
    RecordError
        If it cannot be read, or a monitor does not take its rate.
    """
    leads = range(1, len(read_header(found).signals) + 1)
    records = [converted(read(found, lead=str(lead))) for lead in leads]
    worn = [record.millivolts() for record in records]
    if placement is not None:
        worn = [placement(each) for each in worn]
    return [
        _lead(record, lead, positions, *seen)
        for record, lead, seen in zip(records, leads, _chain(np.stack(worn)), strict=True)
    ]


def match(found: NDArray[np.int64], marked: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return which mark each beat is of, -1 where it is of none.

    A beat and a mark belong together if neither has another one nearer, and they are at most
    `MATCH` apart. So no mark is of two beats.

    Parameters
    ----------
    found : ndarray of int64, shape (n,)
        Sample indices of beats, ascending.
    marked : ndarray of int64, shape (m,)
        Sample indices of marks, ascending.

    Returns
    -------
    ndarray of intp, shape (n,)
    """
    if not len(found) or not len(marked):
        return np.full(len(found), -1, dtype=np.intp)
    mark = _nearest(found, marked)
    back = _nearest(marked, found)
    near = np.abs(marked[mark] - found) <= MATCH
    mutual = back[mark] == np.arange(len(found))
    return np.where(near & mutual, mark, -1)


def _nearest(of: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return which of some ascending samples is the nearest to each, the first of two as near."""
    after = np.searchsorted(among, of).clip(1, max(len(among) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(among) - 1)
    return np.where(of - among[before] <= among[after] - of, before, after)


def _chain(millivolts: NDArray[np.float64]) -> Iterator[tuple[Windows, BeatFeed]]:
    """Yield each lead's windows, and the signal and beats that a monitor finds in it."""
    rows = np.arange(len(millivolts), dtype=np.intp)
    pushed = SignalChain(_GEOMETRY, len(rows)).push(rows, millivolts, follow=tuple(rows.tolist()))
    windows = pushed.windows
    for row in rows.tolist():
        own = Windows(*(getattr(windows, name)[windows.rows == row] for name in Windows.__slots__))
        yield own, pushed.feeds[row]


def _lead(
    record: Record,
    lead: int,
    positions: Positions,
    windows: Windows,
    feed: BeatFeed,
) -> LeadBeats:
    beats = np.array(feed.beats, dtype=np.int64)
    marks, classes = _marks(record)
    if positions == "annotated":
        beats, labels = marks, classes
    else:
        which = match(beats, marks)
        labels = np.append(classes, np.int8(UNLABELLED))[which]
    # The last second may not be whole, and then has no signal state.
    whole = beats < len(windows) * WINDOW
    beats, labels = beats[whole], labels[whole]
    scale = np.array([unit for _, unit in feed.scale], dtype=np.float32)
    inputs = beat_inputs(np.concatenate(feed.filtered), scale, beats)
    usable = (windows.state == SIGNAL) & windows.settled
    return LeadBeats(
        record.name,
        lead,
        beats,
        labels,
        usable[beats // WINDOW],
        np.ascontiguousarray(inputs[:, :SHAPES]),
        np.ascontiguousarray(inputs[:, SHAPES:, 0]),
    )


def _marks(record: Record) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return sample and class of each beat that experts have marked."""
    annotations = record.annotations
    if annotations is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int8)
    which = is_beat(annotations)
    symbols = [symbol for symbol, beat in zip(annotations.symbols, which, strict=True) if beat]
    classes = np.array([CLASSES.index(AAMI_CLASSES[each]) for each in symbols], dtype=np.int8)
    if record.name.partition("/")[0] in WITHOUT_CLASSES:
        classes[:] = UNLABELLED
    return annotations.samples[which], classes
