"""Capturing what wearers' devices send: raw samples on disk, as WFDB records bounded in size."""

import contextlib
import errno
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.atomic import atomic_write, sync_folder
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records.captured import layout
from ecgmon.wire import messages
from monitor.storage.unwritten import Holding
from monitor.wearers.stream import Piece

HOUR: Final = 3600 * RATE
"""Most samples in a record; this and all below at `RATE`, more or fewer at other rates."""
LEAST: Final = 60 * RATE
"""What a record counts for at the least, so that a stream full of gaps makes no end of files."""
MAX_FILLED: Final = 10 * RATE
"""Longest gap that is filled; after a longer one the next record begins."""
MAX_KNOWN: Final = 1000
"""Wearers whose files are kept in mind."""


class _ChangedError(OSError):
    """Another program has removed a record or written to it: it is left as it is."""


@dataclass(eq=False, slots=True)
class _Record:
    """A record that grows: ``length`` samples, all of them on disk.

    After a write that failed it may be ``torn``: what the file holds beyond them does not count.
    """

    header: layout.CapturedHeader
    path: Path
    kept: dict[Path, int]
    longest: int
    length: int = 0
    torn: bool = False

    def of(self, at_rate: int) -> int:
        """Return how many of its samples last as long as so many at `RATE`."""
        return round(at_rate * self.header.rate / RATE)

    def takes(self, piece: Piece, length: int) -> int | None:
        """Return how many samples are missing before a piece that follows ``length`` samples.

        None if the piece belongs into another record.
        """
        header, missing = self.header, piece.first - self.header.first - length
        same = (header.stream, header.rate, header.gain, header.lead) == (
            messages.stream_id(piece.stream),
            piece.rate_mhz / 1000,
            piece.gain,
            piece.lead,
        )
        room = self.of(self.longest) - length
        fits = 0 <= missing <= self.of(MAX_FILLED) and missing < room
        return missing if same and fits else None

    def share(self, pieces: list[Piece]) -> tuple[NDArray[np.int16], list[Piece]]:
        """Return what is to be appended of pieces, gaps filled, and what is left of them."""
        parts, length = [np.zeros(0, dtype=np.int16)], self.length
        for n, piece in enumerate(pieces):
            if (missing := self.takes(piece, length)) is None:
                return np.concatenate(parts), pieces[n:]
            length += missing
            taken = piece.samples[: self.of(self.longest) - length]
            parts += [np.full(missing, NO_VALUE, dtype=np.int16), taken]
            length += len(taken)
            if len(taken) < len(piece.samples):
                return np.concatenate(parts), [piece.after(len(taken)), *pieces[n + 1 :]]
        return np.concatenate(parts), []


class Capture:
    """Appends accepted samples to each wearer's newest record and removes the oldest ones.

    What could not be written waits for the next `flush`, as much as `Holding` has room for.

    Parameters
    ----------
    folder : Path
        Where the wearers' folders are made.
    hours : int
        How much is kept of each wearer, at least 1. A record has at most one hour, and at most a
        quarter of this.
    most_bytes : float
        How much is kept of all wearers.

    Attributes
    ----------
    holding : Holding
        What is not on disk yet; all else belongs to one thread.
    """

    def __init__(self, folder: Path, hours: int, most_bytes: float = 10e9) -> None:
        self._most_bytes = most_bytes
        self._folder = folder
        self._budget = hours * HOUR
        self._longest = min(HOUR, self._budget // 4)
        self._newest: dict[str, _Record] = {}
        self._kept: dict[str, dict[Path, int]] = {}
        self.holding = Holding()
        self._failing: dict[str, OSError] = {}

    @property
    def error(self) -> OSError | None:
        """Why something that waits could not be written the last time it was tried."""
        return next(iter(self._failing.values()), None)

    def append(self, wearer: str, piece: Piece) -> None:
        """Take what a stream has taken; it is written by `flush`. From any thread.

        Parameters
        ----------
        wearer : str
            Whose it is.
        piece : Piece
            Begins where or after the stream's piece before it ended.

        Raises
        ------
        RecordError
            If the id can be no wearer's.
        """
        layout.home(self._folder, wearer)
        self.holding.put(wearer, piece)

    def flush(self, wearers: Collection[str] | None = None) -> None:
        """Write what waits of these wearers, or of all, force it to disk, and remove the oldest."""
        taken, failing = self.holding.take(wearers), dict[str, OSError]()
        for wearer, pieces in taken.items():
            rest = pieces
            try:
                while rest:
                    rest = self._write(wearer, rest)
            except OSError as why:
                failing[wearer] = why
            self.holding.keep(wearer, rest)
        self.holding.give_back()
        others = {} if wearers is None else self._failing  # of those not tried there is no news
        untried = {wearer: why for wearer, why in others.items() if wearer not in taken}
        self._failing = untried | failing

    def tidy(self, before: float) -> None:
        """Remove records that are too old, and the oldest while all together are too many.

        Parameters
        ----------
        before : float
            What was last written to before this time of the wall clock is too old.
        """
        held = []
        for path in self._folder.glob("*/*.dat"):
            with contextlib.suppress(OSError):  # removed meanwhile
                stat = path.stat()
                held.append((stat.st_mtime, stat.st_size, path.with_suffix("")))
        total = sum(size for _, size, _ in held)
        for changed, size, path in sorted(held):
            if total <= self._most_bytes and changed >= before:
                break
            if (newest := self._newest.get(path.parent.name)) and newest.path == path:
                continue  # it grows
            total -= size
            self._kept.get(path.parent.name, {}).pop(path, None)
            with contextlib.suppress(OSError):  # if the disk fails, the next write says so
                _remove(path)

    def _write(self, wearer: str, pieces: list[Piece]) -> list[Piece]:
        """Append to one record, and return what belongs into others; raises `OSError`."""
        record = self._record(wearer, pieces[0])
        samples, rest = record.share(pieces)
        try:
            _append(record, samples)
        except _ChangedError:
            del self._newest[wearer]
            return pieces
        self._make_room(record)
        return rest

    def _record(self, wearer: str, piece: Piece) -> _Record:
        """Return the record that takes a piece, at least its beginning."""
        record = self._newest.get(wearer)
        if record is not None and not record.length and record.header.first != piece.first:
            with contextlib.suppress(OSError):
                _remove(record.path)  # it never began, and its beginning is given up
            record = None
        if record is not None and record.takes(piece, record.length) is not None:
            return record
        header = layout.CapturedHeader(
            wearer=wearer,
            stream=messages.stream_id(piece.stream),
            first=piece.first,
            rate=piece.rate_mhz / 1000,
            gain=piece.gain,
            lead=piece.lead,
            began=datetime.now(UTC),
        )
        home = layout.home(self._folder, wearer)
        record = _Record(header, home / header.name, self._known(wearer), self._longest)
        self._newest[wearer] = record
        return record

    def _known(self, wearer: str) -> dict[Path, int]:
        """Return a wearer's records and what each counts for, oldest first."""
        if wearer not in self._kept:
            if len(self._kept) >= MAX_KNOWN:
                forgotten = next(iter(self._kept))
                del self._kept[forgotten]
                self._newest.pop(forgotten, None)
            try:
                self._kept[wearer] = _listed(layout.paths(self._folder, wearer))
            except OSError:
                self._kept[wearer] = {}  # writing will fail, and say why
        return self._kept[wearer]

    def _make_room(self, record: _Record) -> None:
        kept = record.kept
        kept[record.path] = _weight(record.length, record.header.rate)
        while sum(kept.values()) > self._budget and len(kept) > 1:
            oldest = next(iter(kept))
            del kept[oldest]
            with contextlib.suppress(OSError):  # if the disk fails, the next write says so
                _remove(oldest)


def _append(record: _Record, samples: NDArray[np.int16]) -> None:
    """Append samples to a file that is as it was left, and force them to disk; raises `OSError`."""
    begins = not record.length
    if begins:
        _begin(record)
    try:
        file = record.path.with_suffix(".dat").open("xb" if begins else "r+b", buffering=0)
    except FileNotFoundError as error:
        raise error if begins else _ChangedError(*error.args) from error
    with file:
        end = record.length * layout.SAMPLE_BYTES
        size = file.seek(0, os.SEEK_END)
        if record.torn and size > end:
            file.truncate(end)
            file.seek(end)
        elif size != end:
            raise _ChangedError(errno.EIO, "another program has changed it", file.name)
        record.torn = True
        data = memoryview(samples.astype("<i2").tobytes())
        while data:
            data = data[file.write(data) :]
        os.fdatasync(file.fileno())
    if begins:
        sync_folder(record.path.parent)
    record.torn = False
    record.length += len(samples)


def settle(path: Path) -> None:
    """Force to disk what a monitor before this one has written of a record; raises `OSError`."""
    with path.with_suffix(".dat").open("rb") as file:
        os.fdatasync(file.fileno())
    sync_folder(path.parent)


def _begin(record: _Record) -> None:
    """Write the header, and put it in place whole."""
    header = record.path.with_suffix(".hea")
    if not header.parent.is_dir():
        header.parent.mkdir(parents=True, exist_ok=True)
        for folder in (header.parent.parent, header.parent.parent.parent):
            sync_folder(folder)  # the names, too
    # A device that begins again at the same sample sends the same ones.
    _remove(record.path)
    record.kept.pop(record.path, None)
    atomic_write(header, record.header.encode())


def _remove(path: Path) -> None:
    """Remove a record; a header left behind is of no harm, samples without one would be."""
    path.with_suffix(".dat").unlink(missing_ok=True)
    path.with_suffix(".hea").unlink(missing_ok=True)


def _listed(paths: Iterable[Path]) -> dict[Path, int]:
    """Return what records count for, in the order in which they were last written to."""
    found = []
    for path in paths:
        stat = path.with_suffix(".dat").stat()
        try:
            header = path.with_suffix(".hea").read_bytes()[: layout.MAX_HEADER]
            rate = layout.CapturedHeader.decode(header).rate
        except (ValueError, RecursionError):  # damaged: it takes room all the same
            rate = RATE
        weight = _weight(stat.st_size // layout.SAMPLE_BYTES, rate)
        found.append((stat.st_mtime_ns, path, weight))
    return {path: weight for _, path, weight in sorted(found)}


def _weight(length: int, rate: float) -> int:
    """Return what a record counts for, in samples at `RATE`."""
    return max(round(length * RATE / rate), LEAST)
