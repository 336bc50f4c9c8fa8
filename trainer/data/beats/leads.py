"""Beats of every lead of a record as a live monitor finds them, for people of any database.

A lead passes through the monitor's own conversion to 360 Hz, its filter and its beat detector. The
beats that the detector finds have the class that experts give the beat there, so that a network
learns from positions such as it will meet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import AAMI_CLASSES, UNLABELLED, WITHOUT_CLASSES, is_beat
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.beat_feed import BeatFeed, BeatFeeds
from ecgmon.signal.beat_segments import beat_inputs
from ecgmon.signal.quality import SIGNAL
from ecgmon.signal.types import Windows
from trainer.data.beats.kachuee import CLASSES
from trainer.data.placement import Placement

Positions = Literal["found", "annotated"]
"""Where beats are: where the monitor's detector finds them, or where experts have marked them."""
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
    inputs : ndarray of float32, shape (n, `ecgmon.signal.beat_segments.VALUES`)
        What a model sees of each, as `beat_inputs` returns it.
    """

    record: str
    lead: int
    samples: NDArray[np.int64]
    labels: NDArray[np.int8]
    usable: NDArray[np.bool_]
    inputs: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.samples)

    def select(self, which: NDArray[np.bool_]) -> "LeadBeats":
        """Return some of the beats; ``which`` has shape (n,)."""
        return replace(
            self,
            samples=self.samples[which],
            labels=self.labels[which],
            usable=self.usable[which],
            inputs=self.inputs[which],
        )


def lead_beats(
    found: Found,
    placement: Placement | None = None,
    positions: Positions = "found",
    mixed: tuple[int, ...] = (),
) -> list[LeadBeats]:
    """Return the beats of each lead of a WFDB record, then of leads that lie between its first two.

    Parameters
    ----------
    found : Found
        Where the record is.
    placement : Placement, optional
        How its leads are worn; as recorded when not given.
    positions : str
        Which beats.
    mixed : tuple of int
        Angles in degrees, each of a lead between the first and the second one: 0 would be the
        first, 90 the second, 135 their difference (`between`). They count on from the record's
        own. Of a record with one lead there are none.

    Raises
    ------
    RecordError
        If it cannot be read, or a monitor does not take its rate.
    """
    leads = range(1, len(read_header(found).signals) + 1)
    records = [converted(read(found, lead=str(lead))) for lead in leads]
    worn = [record.millivolts() for record in records]
    if len(worn) > 1:
        worn += [between(worn[0], worn[1], angle) for angle in mixed]
        records += [records[0]] * len(mixed)
    if placement is not None:
        worn = [placement(each) for each in worn]
    return [
        _lead(record, lead, positions, *seen)
        for lead, (record, seen) in enumerate(
            zip(records, _chain(np.stack(worn)), strict=True), start=1
        )
    ]


def heard(record: Record) -> tuple[Windows, BeatFeed, LeadBeats]:
    """Return what a monitor makes of one lead: windows, what it finds in them, and the beats.

    Parameters
    ----------
    record : Record
        At 360 Hz.
    """
    ((windows, feed),) = _chain(record.millivolts()[None])
    return windows, feed, _lead(record, 1, "found", windows, feed)


def between(
    first: NDArray[np.float64], second: NDArray[np.float64], degrees: int
) -> NDArray[np.float64]:
    """Return what an electrode between two leads would record, of leads as large as each other.

    The heart's vector is seen from another side. Both leads are brought to one size, their 98th
    percentile without the median: databases do not say how leads lie to each other.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n,)
        Leads of one heart in mV, NaN where nothing was measured.
    degrees : int
        0 is the first lead, 90 the second.

    Returns
    -------
    ndarray of float64, shape (n,)
        In mV, as large as the first lead.
    """
    level = [lead - np.nanmedian(lead) for lead in (first, second)]
    size = [max(float(np.nanpercentile(np.abs(lead), 98)), 1e-3) for lead in level]
    angle = np.deg2rad(degrees)
    mixture: NDArray[np.float64] = (
        np.cos(angle) * level[0] + np.sin(angle) * level[1] * size[0] / size[1]
    )
    return mixture


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
    feeds = BeatFeeds(rows.tolist())
    windows = SignalChain(_GEOMETRY, len(rows)).push(rows, millivolts, follow=feeds).windows
    for row in rows.tolist():
        own = Windows(*(getattr(windows, name)[windows.rows == row] for name in Windows.__slots__))
        yield own, feeds.of[row]


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
        inputs,
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
