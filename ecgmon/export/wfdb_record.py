"""A stream as WFDB records: the samples, and what the monitor said as annotations beside them.

The annotator is ``ecgmon``::

    ~   signal quality changes      noisy, absent, signal
    +   what the seconds are        (normal, (abnormal, (unclassified
    "   anything else               alarm 3 raised: high asystole, no beat for 4 seconds
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.atomic import atomic_write
from ecgmon.core.constants import NO_VALUE, RATE, WINDOW
from ecgmon.core.errors import UsageError
from ecgmon.export.journal_reader import STATES
from ecgmon.export.streams import ExportedStream, placed
from ecgmon.export.timespec import calendar, iso
from ecgmon.records.captured.layout import signal_lines
from ecgmon.records.captured.reader import Captured
from ecgmon.records.formats.wfdb.annotations import Annotation, encode
from ecgmon.wire import messages

ANNOTATOR: Final = "ecgmon"
CHUNK: Final = 1_000_000
"""Samples read and written at once."""
MAX_NOTE: Final = 200
_NOISE, _NOTE, _RHYTHM = 14, 22, 28
"""WFDB's codes."""
_CLEAN, _NOISY, _UNREADABLE = 0, 1, -1
"""Subtypes of a change of quality."""


@dataclass(frozen=True, slots=True)
class Written:
    """A WFDB record that was written: its path without suffixes, and what it holds."""

    path: Path
    seconds: float
    rate: float
    lead: str
    began: float


def write(
    stream: ExportedStream,
    wearer: str,
    others: list[tuple[float, messages.Published]],
    folder: Path,
    tick: Callable[[float], None] = lambda _: None,
) -> list[Written]:
    """Write what was asked for of a stream; header last, so that a record is there whole.

    Parameters
    ----------
    stream : ExportedStream
        Which.
    wearer : str
        Whose.
    others : list of (float, Published)
        What was said of the wearer besides windows and gaps, and when.
    folder : Path
        Where to; made if it is not there.
    tick : callable, optional
        Told how many seconds more of the signal are written.

    Returns
    -------
    list of Written
        One for each run of samples with the same gain and lead.

    Raises
    ------
    UsageError
        If a record cannot be read, or nothing can be written.
    """
    written = []
    try:
        folder.mkdir(exist_ok=True)
        for number, (first, stop, records) in enumerate(stream.runs(), 1):
            name = f"{_plain(wearer)}-{stream.stream}" + (number > 1) * f"-{number}"
            path, one = folder / name, records[0]
            initial, checksum = _samples(path, first, stop, records, tick)
            notes = sorted(_notes(stream, others, first, stop), key=lambda note: note.sample)
            atomic_write(path.with_suffix(f".{ANNOTATOR}"), encode(notes))
            began = stream.time(first * RATE / one.rate)
            when = calendar(began)
            lines = signal_lines(name, one.rate, one.gain, one.lead, initial, checksum)
            lines[0] += f" {stop - first} {when:%H:%M:%S.%f}"[:-3] + f" {when:%d/%m/%Y}"
            about = (
                f"# wearer {wearer}, stream {stream.stream}, its samples {first} to {stop - 1}\n"
                "# times are UTC; the annotator ecgmon is what the monitor said, not an expert\n"
            )
            atomic_write(path.with_suffix(".hea"), ("\n".join(lines) + f"\n{about}").encode())
            seconds = (stop - first) / one.rate
            written.append(Written(path, seconds, one.rate, one.lead, began))
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written ({error.strerror}): "
            "choose another place with --output."
        ) from error
    return written


def _samples(
    path: Path, first: int, stop: int, records: list[Captured], tick: Callable[[float], None]
) -> tuple[int, int]:
    """Write the samples; returns the first one and the checksum that the header wants."""
    new = path.with_name(f".{path.name}.new")
    initial, total = 0, 0
    try:
        with new.open("wb") as file:
            for start in range(first, stop, CHUNK):
                chunk = _chunk(start, min(start + CHUNK, stop), records)
                initial = int(chunk[0]) if start == first else initial
                total += int(chunk.sum(dtype=np.int64))
                file.write(chunk.tobytes())
                tick(len(chunk) / records[0].rate)
        new.replace(path.with_suffix(".dat"))
    finally:
        new.unlink(missing_ok=True)
    return initial, ((total + 0x8000) & 0xFFFF) - 0x8000


def _chunk(start: int, stop: int, records: list[Captured]) -> NDArray[np.int16]:
    chunk = np.full(stop - start, NO_VALUE, dtype="<i2")
    for record in sorted(records, key=lambda record: record.began):  # the newer one counts
        a, b = max(start, record.first), min(stop, record.stop)
        if a < b:
            chunk[a - start : b - start] = record.read(a, b).samples
    return chunk


def _notes(
    stream: ExportedStream, others: list[tuple[float, messages.Published]], first: int, stop: int
) -> Iterator[Annotation]:
    """Yield annotations of samples ``first`` to ``stop - 1``, in no order."""
    for at, code, subtype, note in _judged(stream):
        if stream.sample(at) < stop:  # what begins before holds at the first sample
            yield Annotation(max(stream.sample(at) - first, 0), code, subtype, note)
    placed_notes: list[tuple[float | None, str]] = [
        (at, f"gap of {count / 360:.3g} s: samples never arrived") for at, count in stream.gaps
    ]
    placed_notes += [(placed(stream, time, message), text(message)) for time, message in others]
    for place_, note in placed_notes:
        if place_ is not None and first <= stream.sample(place_) < stop:
            yield Annotation(stream.sample(place_) - first, _NOTE, 0, _ascii(note))


def _plain(wearer: str) -> str:
    """Return a wearer's id as a record's name may have it; no two ids become the same one."""
    if "." not in wearer:
        return wearer
    return f"{wearer.replace('.', '_')}-{zlib.crc32(wearer.encode()):08x}"


def _judged(stream: ExportedStream) -> Iterator[tuple[int, int, int, str]]:
    """Yield (sample at 360 Hz, code, subtype, note) wherever the seconds become others."""
    seconds = stream.seconds()
    begins = seconds["first"]
    # 0 unclassified, 1 normal, 2 abnormal, 3 noisy, 4 absent
    kinds = np.where(seconds["state"] == 0, seconds["abnormal"] + 1, seconds["state"] + 2)
    dirty, end = False, None
    for i in np.flatnonzero(np.diff(kinds, prepend=-1) | (np.diff(begins, prepend=-1) != WINDOW)):
        at, kind = int(begins[i]), int(kinds[i])
        if end is not None and begins[i - 1] + WINDOW != at:
            yield int(begins[i - 1]) + WINDOW, _RHYTHM, 0, "(unclassified"
        end = at
        if kind > 2:
            yield at, _NOISE, _NOISY if kind == 3 else _UNREADABLE, STATES[kind - 2]
        else:
            if dirty:
                yield at, _NOISE, _CLEAN, "signal"
            yield at, _RHYTHM, 0, f"({('unclassified', 'normal', 'abnormal')[kind]}"
        dirty = kind > 2


def text(message: messages.Published) -> str:
    """Return a message as a line for a person."""
    match message:
        case messages.Alarm():
            by = f" by {message.by}" if message.by else ""
            return (
                f"alarm {message.alarm} {message.state}{by}: {message.priority} {message.kind}, "
                f"{message.told}"
            )
        case messages.Paused(until=None):
            return f"{message.kind} alarms are paused no longer"
        case messages.Paused():
            by = f" by {message.by}" if message.by else ""
            return f"{message.kind} alarms paused{by} until {iso(message.until or 0)}"
        case messages.Opened():
            return f"stream opened, judged by {message.model}"
        case messages.Closed():
            return "stream closed"
        case messages.Swap():
            return message.refused or f"judged by {message.model} from here on"
        case messages.Event():
            return f"{message.event}: {message.text}"
    return type(message).__name__.lower()


def _ascii(note: str) -> str:
    printable = (char if " " <= char <= "~" else "?" for char in note[:MAX_NOTE])
    return "".join(printable)
