"""Reader of one wearer's lines in a journal, which a monitor may be writing at the same time."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.errors import ProtocolError, UsageError
from ecgmon.export.timespec import LATEST
from ecgmon.records.captured.journal_schema import layout
from ecgmon.signal.rate_converter import MIN_RATE, first_output
from ecgmon.wire import messages
from ecgmon.wire.beat_rows import BeatRow, Beats, JudgedSecond, decode_row, unpack
from ecgmon.wire.frame import MAX_INDEX

STATES: Final = ("signal", "noisy", "absent")
SECOND: Final = np.dtype(
    [
        ("first", "i8"),
        ("state", "i1"),
        ("abnormal", "i1"),
        ("probability", "f4"),
        ("heart_rate", "f4"),
    ]
)
"""A window: an index of `STATES`; -1 and NaN where not known. A month of them is 50 MB."""
LAST: Final = first_output(MAX_INDEX, MIN_RATE * 1000)
"""No stream has a later sample."""
HOLE: Final = 10 * RATE
"""After a gap longer than this many samples the time of measurement is estimated anew."""
BATCH: Final = 20_000
"""Rows read in one transaction: short ones let the monitor tidy its write-ahead log meanwhile."""
MAX_ROW: Final = 4 * messages.MAX_BYTES
BUSY_S: Final = 5.0

_FIRST: Final = "SELECT id, time, message FROM journal WHERE wearer = ? ORDER BY id LIMIT ?"
_NEXT: Final = (
    "SELECT id, time, message FROM journal WHERE wearer = ? AND id > ? AND id <= ? "
    "ORDER BY id LIMIT ?"
)

_Row = tuple[int, object, object]


@dataclass(eq=False, slots=True)
class JournalSpan:
    """Samples of a stream that follow each other, and when they were measured at the latest.

    Parameters
    ----------
    first, stop : int
        Which, at 360 Hz.
    began : float
        When the first was measured by all that is known, in seconds since the Unix epoch.
    at_first : float
        The same by what was known of it first.
    """

    first: int
    stop: int
    began: float
    at_first: float

    @classmethod
    def of(cls, first: int, stop: int, time: float) -> "JournalSpan":
        """Return samples of which those up to ``stop`` were there at a time."""
        began = time - (stop - first) / RATE
        return cls(first, stop, began, began)

    def add(self, stop: int, time: float) -> None:
        """Take in samples up to ``stop``, which were there at a time."""
        self.stop = max(self.stop, stop)
        self.began = min(self.began, time - (stop - self.first) / RATE)


@dataclass(eq=False, slots=True)
class StreamMessages:
    """Journal content of one stream; indices count at 360 Hz.

    Parameters
    ----------
    spans : list of JournalSpan
        When what lies between its long gaps was measured: no second was judged before it was over.
    rate : float or None
        Samples per second of the device, where that was said.
    seconds : list of ndarray of `SECOND`
        Its windows, in the order in which they were said.
    gaps : list of (int, int)
        First sample and count.
    """

    spans: list[JournalSpan] = field(default_factory=list)
    rate: float | None = None
    seconds: list[NDArray[np.void]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class JournalMessages:
    """Journal content of one wearer.

    Parameters
    ----------
    streams : dict
        By their ids.
    others : list of (float, Published)
        Everything but windows and gaps, with the time at which it was written down.
    unreadable : int
        Rows that hold no message of this wearer.
    """

    streams: dict[str, StreamMessages] = field(default_factory=dict)
    others: list[tuple[float, messages.Published]] = field(default_factory=list)
    unreadable: int = 0


def read(
    path: Path, wearer: str, tick: Callable[[float], None] = lambda _: None
) -> JournalMessages:
    """Read a journal in short transactions, which never hold up its writer.

    Parameters
    ----------
    path : Path
        The journal.
    wearer : str
        Of whom.
    tick : callable, optional
        Told how much is read, 0 to 1.

    Raises
    ------
    UsageError
        If it cannot be read or is no journal.
    """
    journal = JournalMessages()
    for rows in _batches(path, wearer, tick):
        _take(journal, wearer, rows)
    return journal


def read_beats(
    path: Path, wearer: str, tick: Callable[[float], None] = lambda _: None
) -> Iterator[messages.Published]:
    """Yield what totals of beats are counted from, as it was written down, one at a time.

    Parameters and exceptions are those of `read`. That many beats are never in memory at once.
    """
    for rows in _batches(path, wearer, tick):
        for _, time, data in rows:
            match message := _message(wearer, time, data):
                case JudgedSecond():
                    yield message
                    yield from unpack(message)
                case Beats():
                    yield from unpack(message)
                case (
                    messages.BeatWithdrawn() | messages.Window() | messages.Gap() | messages.Alarm()
                ):
                    yield message


def _batches(path: Path, wearer: str, tick: Callable[[float], None]) -> Iterator[list[_Row]]:
    try:
        with closing(_open(path)) as db:
            layout(db, path)
            first, newest = db.execute("SELECT min(id), max(id) FROM journal").fetchone()
            rows = db.execute(_FIRST, (wearer, BATCH)).fetchall()
            while rows:
                yield rows
                last = rows[-1][0]
                tick((last - first) / max(newest - first, 1))
                rows = db.execute(_NEXT, (wearer, last, newest, BATCH)).fetchall()
    except (sqlite3.Error, TypeError, UnicodeDecodeError) as error:  # ids may be damaged to text
        raise UsageError(f"The journal {path} cannot be read: {error}.") from error


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():  # SQLite would wait for a pipe
        raise UsageError(f"There is no journal {path}: name the monitor's with --journal.")
    db = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=BUSY_S)
    db.text_factory = bytes  # what is no UTF-8 is found when it is decoded
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW)
    return db


def _take(journal: JournalMessages, wearer: str, rows: list[_Row]) -> None:
    windows: dict[str, list[tuple[int, int, int, float, float]]] = {}
    for _, time, data in rows:
        message = _message(wearer, time, data)
        if isinstance(message, Beats | messages.BeatWithdrawn):
            continue  # `read_beats` gives them
        if message is None or not isinstance(time, float):
            journal.unreadable += 1
        elif isinstance(message, messages.Window):
            stream = journal.streams.setdefault(message.stream, StreamMessages())
            _note(stream, message.first, message.first + WINDOW, time)
            windows.setdefault(message.stream, []).append(_second(message))
        elif isinstance(message, messages.Gap):
            stream = journal.streams.setdefault(message.stream, StreamMessages())
            stream.gaps.append((message.first, message.count))
            stop = message.first + message.count
            if message.count > HOLE:
                stream.spans.append(JournalSpan.of(stop, stop, time))
        else:
            if isinstance(message, messages.Opened):
                journal.streams.setdefault(message.stream, StreamMessages()).rate = message.rate
            journal.others.append((time, message))
    for name, found in windows.items():
        journal.streams[name].seconds.append(np.array(found, dtype=SECOND))


def _note(stream: StreamMessages, first: int, stop: int, time: float) -> None:
    """Note when a second was judged; one that fills a gap shows nothing of when it was."""
    if not stream.spans or first > stream.spans[-1].stop + HOLE:
        stream.spans.append(JournalSpan.of(first, stop, time))
    elif stop > stream.spans[-1].first:
        stream.spans[-1].add(stop, time)


def _message(wearer: str, time: object, data: object) -> messages.Published | BeatRow | None:
    """Return what a row says, or None if it is no message of this wearer at a possible time."""
    if not isinstance(time, float) or not isinstance(data, bytes) or not 0 <= time < LATEST:
        return None
    try:
        message = decode_row(data)
    except ProtocolError:
        return None
    if not isinstance(message, messages.Published | Beats) or message.wearer != wearer:
        return None
    if isinstance(message, Beats):
        return message
    latest = max(getattr(message, name, None) or 0 for name in ("first", "at", "end"))
    return message if latest <= LAST else None


def _second(window: messages.Window) -> tuple[int, int, int, float, float]:
    return (
        window.first,
        STATES.index(window.state),
        -1 if window.abnormal is None else int(window.abnormal),
        float("nan") if window.probability is None else window.probability,
        float("nan") if window.heart_rate is None else window.heart_rate,
    )
