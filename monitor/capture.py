"""Capturing what wearers' devices send: raw samples on disk, as WFDB records bounded in size."""

import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.files import place
from ecgmon.grid import RATE
from ecgmon.records import layout
from ecgmon.wire import NO_VALUE, messages
from monitor.streams import Piece

HOUR: Final = 3600 * RATE
"""Most samples in a record; this and all below at `RATE`, more or fewer at other rates."""
LEAST: Final = 60 * RATE
"""What a record counts for at the least, so that a stream full of gaps makes no end of files."""
MAX_FILLED: Final = 10 * RATE
"""Longest gap that is filled; after a longer one the next record begins."""
SYNC_S: Final = 1.0
"""A power cut takes at most as much of a record."""
DAY_S: Final = 86_400.0
MAX_KNOWN: Final = 1000
"""Wearers whose files are kept in mind."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Record:
    """A record that grows: ``length`` samples, the last of them in ``parts`` and not on disk."""

    header: layout.Header
    path: Path
    kept: dict[Path, int]
    length: int = 0
    written: int = 0
    synced: float = 0.0
    parts: list[NDArray[np.int16]] = field(default_factory=list)

    @property
    def stop(self) -> int:
        return self.header.first + self.length

    def of(self, at_rate: int) -> int:
        """Return how many of its samples last as long as so many at `RATE`."""
        return round(at_rate * self.header.rate / RATE)

    def add(self, samples: NDArray[np.int16]) -> None:
        self.parts.append(samples)
        self.length += len(samples)


class Capture:
    """Appends accepted samples to each wearer's newest record and removes the oldest ones.

    A disk that fails is logged once and stops nothing: what could not be written is lost.

    Parameters
    ----------
    folder : Path
        Where the wearers' folders are made.
    hours : int
        How much is kept of each wearer, at least 1. A record has at most one hour, and at most a
        quarter of this.
    days : float
        For how long it is kept.
    most_bytes : float
        How much is kept of all wearers.

    Attributes
    ----------
    failed : bool
        Whether the last write has failed.
    """

    def __init__(
        self, folder: Path, hours: int, days: float = 7.0, most_bytes: float = 10e9
    ) -> None:
        self._days = days
        self._most_bytes = most_bytes
        self._folder = folder
        self._budget = hours * HOUR
        self._longest = min(HOUR, self._budget // 4)
        self._newest: dict[str, _Record] = {}
        self._kept: dict[str, dict[Path, int]] = {}
        self._unwritten: dict[_Record, None] = {}
        self.failed = False

    def append(self, wearer: str, piece: Piece) -> None:
        """Take what a stream has taken.

        Parameters
        ----------
        wearer : str
            Whose it is.
        piece : Piece
            Begins where or after the stream's piece before it ended.
        """
        at, samples = piece.first, piece.samples
        while len(samples):
            record = self._record(wearer, piece, at)
            taken = samples[: record.of(self._longest) - record.length]
            record.add(taken)
            self._unwritten[record] = None
            at, samples = at + len(taken), samples[len(taken) :]

    def flush(self) -> None:
        """Write what is pending and remove what is too old; each file is open for one write."""
        lost, why = 0, None
        for record in self._unwritten:
            try:
                _write(record)
            except OSError as error:
                lost += sum(map(len, record.parts))
                why = error
                self._give_up(record)
            else:
                self._make_room(record)
            record.parts.clear()
        if why is not None and not self.failed:
            _log.error("capture=failed lost=%d error=%r", lost, str(why))
        # Nothing to write is no news of the disk.
        self.failed = why is not None if self._unwritten else self.failed
        self._unwritten.clear()

    def tidy(self) -> None:
        """Remove records that are too old, and the oldest while all together are too many."""
        held = []
        for path in self._folder.glob("*/*.dat"):
            with contextlib.suppress(OSError):  # removed meanwhile
                stat = path.stat()
                held.append((stat.st_mtime, stat.st_size, path.with_suffix("")))
        total = sum(size for _, size, _ in held)
        for changed, size, path in sorted(held):
            if total <= self._most_bytes and time.time() - changed <= self._days * DAY_S:
                break
            if (newest := self._newest.get(path.parent.name)) and newest.path == path:
                continue  # it grows
            total -= size
            self._kept.get(path.parent.name, {}).pop(path, None)
            with contextlib.suppress(OSError):  # if the disk fails, the next write says so
                _remove(path)

    def _record(self, wearer: str, piece: Piece, at: int) -> _Record:
        """Return the record that takes sample ``at``, its end filled up to there."""
        stream, rate = messages.stream_id(piece.stream), piece.rate_mhz / 1000
        record = self._newest.get(wearer)
        if record is not None:
            header, missing = record.header, at - record.stop
            same = (header.stream, header.rate, header.gain, header.lead) == (
                stream,
                rate,
                piece.gain,
                piece.lead,
            )
            room = record.of(self._longest) - record.length
            if same and 0 <= missing <= record.of(MAX_FILLED) and missing < room:
                if missing:
                    record.add(np.full(missing, NO_VALUE, dtype=np.int16))
                return record
        header = layout.Header(
            wearer=wearer,
            stream=stream,
            first=at,
            rate=rate,
            gain=piece.gain,
            lead=piece.lead,
            began=datetime.now(UTC),
        )
        home = layout.home(self._folder, wearer)
        record = _Record(header, home / header.name, self._known(wearer))
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

    def _give_up(self, record: _Record) -> None:
        """Begin another record with what comes next, and leave nothing empty behind."""
        if self._newest.get(record.header.wearer) is record:
            del self._newest[record.header.wearer]
        if not record.written:
            with contextlib.suppress(OSError):
                _remove(record.path)

    def _make_room(self, record: _Record) -> None:
        kept = record.kept
        kept[record.path] = _weight(record.length, record.header.rate)
        while sum(kept.values()) > self._budget and len(kept) > 1:
            oldest = next(iter(kept))
            del kept[oldest]
            with contextlib.suppress(OSError):  # if the disk fails, the next write says so
                _remove(oldest)


def _write(record: _Record) -> None:
    """Append what is pending, to a file that is as it was left; raises `OSError`."""
    samples = np.concatenate(record.parts).astype("<i2")
    if not record.written:
        _begin(record)
    with record.path.with_suffix(".dat").open("r+b" if record.written else "xb") as file:
        if file.seek(0, os.SEEK_END) != record.written * layout.SAMPLE_BYTES:
            raise OSError(errno.EIO, "another program has changed it", file.name)
        file.write(samples.tobytes())
        if time.monotonic() - record.synced >= SYNC_S:
            file.flush()
            os.fdatasync(file.fileno())
            record.synced = time.monotonic()
    record.written += len(samples)


def _begin(record: _Record) -> None:
    """Write the header, and put it in place whole."""
    header = record.path.with_suffix(".hea")
    header.parent.mkdir(parents=True, exist_ok=True)
    # A device that begins again at the same sample sends the same ones.
    _remove(record.path)
    record.kept.pop(record.path, None)
    place(header, record.header.encode())


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
            rate = layout.Header.decode(header).rate
        except (ValueError, RecursionError):  # damaged: it takes room all the same
            rate = RATE
        weight = _weight(stat.st_size // layout.SAMPLE_BYTES, rate)
        found.append((stat.st_mtime_ns, path, weight))
    return {path: weight for _, path, weight in sorted(found)}


def _weight(length: int, rate: float) -> int:
    """Return what a record counts for, in samples at `RATE`."""
    return max(round(length * RATE / rate), LEAST)
