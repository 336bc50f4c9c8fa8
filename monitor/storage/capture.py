"""Capture: the raw samples of all wearers on disk, as WFDB records within a budget."""

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.records.captured import layout
from ecgmon.wire import messages
from monitor.storage.growing_record import GrowingRecord, RecordChangedError, remove
from monitor.storage.unwritten import Holding
from monitor.wearers.pieces import Piece

HOUR: Final = 3600 * RATE
"""Most samples in a record, at `RATE`; more or fewer at other rates."""
MIN_WEIGHT: Final = 60 * RATE
"""Samples that a record counts for at least, so that a stream full of gaps cannot make files
without end."""
MAX_CACHED: Final = 10_000
"""Wearers whose records are remembered; those of others are listed again."""


class Capture:
    """Appends accepted samples to each wearer's newest WFDB record; removes the oldest records.

    What could not be written waits for the next `flush`, as much as `Holding` has room for.

    Parameters
    ----------
    folder : Path
        Where the wearers' folders are made.
    hours : int
        Hours of signal that each wearer's records may hold, at least 1. A record has at most one
        hour, and at most a quarter of this.
    max_bytes : float
        Bytes that the records of all wearers may hold.

    Attributes
    ----------
    holding : Holding
        What is not on disk yet; all else belongs to one thread.
    """

    def __init__(self, folder: Path, hours: int, max_bytes: float = 10e9) -> None:
        self._max_bytes = max_bytes
        self._folder = folder
        self._budget = hours * HOUR
        self._max_length = min(HOUR, self._budget // 4)
        self._newest: dict[str, GrowingRecord] = {}
        self._weights: dict[str, dict[Path, int]] = {}
        self.holding = Holding()
        self._errors: dict[str, OSError] = {}

    @property
    def error(self) -> OSError | None:
        """Why samples that wait could not be written the last time; None if all were."""
        return next(iter(self._errors.values()), None)

    def append(self, pieces: Sequence[tuple[str, Piece]]) -> bool:
        """Queue samples that `flush` is to write; may be called from any thread.

        Parameters
        ----------
        pieces : sequence of (str, Piece)
            Whose samples, and which; each begins at or after the end of the stream's piece before.

        Returns
        -------
        bool
            Whether some should be written at once, because a device catches up.

        Raises
        ------
        RecordError
            If a wearer cannot have this id; then nothing is queued.
        """
        for wearer in self.holding.without(wearer for wearer, _ in pieces):
            layout.home(self._folder, wearer)
        return self.holding.put(pieces)

    def flush(self, wearers: Collection[str] | None = None) -> None:
        """Write what waits, force it to disk, and remove the oldest records beyond the budget.

        Parameters
        ----------
        wearers : collection of str, optional
            Whose samples; all by default.
        """
        queued, errors = self.holding.take(wearers), dict[str, OSError]()
        for wearer, pieces in queued.items():
            rest = pieces
            try:
                while rest:
                    rest = self._write(wearer, rest)
            except OSError as error:
                errors[wearer] = error
            self.holding.keep(wearer, rest)
        self.holding.give_back()
        waiting = [wearer for wearer in self._errors if wearer in self.holding]
        untried = {wearer: self._errors[wearer] for wearer in waiting if wearer not in queued}
        self._errors = untried | errors

    def remove_old(self, before: float) -> None:
        """Remove records that are too old, and the oldest while all together are too large.

        Parameters
        ----------
        before : float
            Time of the wall clock; a record that was last written to before it is too old.
        """
        found = list(_files(self._folder))
        total = sum(size for _, size, _ in found)
        for changed, size, name in sorted(found):
            if total <= self._max_bytes and changed >= before:
                break
            path = Path(name).with_suffix("")
            if self.grows(path, changed):
                continue
            total -= size
            self._weights.get(path.parent.name, {}).pop(path, None)
            with contextlib.suppress(OSError):  # if the disk fails, the next write says so
                remove(path)

    def grows(self, path: Path, _changed: float) -> bool:
        """Tell whether a record, last written to at a time of the wall clock, is the newest."""
        newest = self._newest.get(path.parent.name)
        return newest is not None and newest.path == path

    def _write(self, wearer: str, pieces: list[Piece]) -> list[Piece]:
        """Append to one record, and return what belongs into others; raises `OSError`."""
        record = self._record(wearer, pieces[0])
        samples, rest = record.split(pieces)
        weights = self._weights_of(wearer)
        if not record.length:
            weights.pop(record.path, None)  # it replaces a record that began at the same sample
        try:
            record.append(samples)
        except RecordChangedError:
            del self._newest[wearer]
            return pieces
        weights[record.path] = _weight(record.length, record.header.rate)
        while sum(weights.values()) > self._budget and len(weights) > 1:
            oldest = next(iter(weights))
            del weights[oldest]
            with contextlib.suppress(OSError):  # if the disk fails, the next write says so
                remove(oldest)
        return rest

    def _record(self, wearer: str, piece: Piece) -> GrowingRecord:
        """Return the record that a piece, or the first part of it, belongs into."""
        record = self._newest.get(wearer)
        if record is not None and not record.length and record.header.first != piece.first:
            with contextlib.suppress(OSError):
                remove(record.path)  # it never began, and its first samples were given up
            record = None
        if record is not None and record.missing_before(piece, record.length) is not None:
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
        record = GrowingRecord(header, home / header.name, self._max_length)
        self._newest[wearer] = record
        return record

    def _weights_of(self, wearer: str) -> dict[Path, int]:
        """Return a wearer's records and the samples that each counts for, oldest first."""
        if wearer not in self._weights:
            if len(self._weights) >= MAX_CACHED:
                forgotten = next(iter(self._weights))
                del self._weights[forgotten]
                self._newest.pop(forgotten, None)
            try:
                self._weights[wearer] = _listed(layout.paths(self._folder, wearer))
            except OSError:
                self._weights[wearer] = {}  # writing will fail, and say why
        return self._weights[wearer]


def _files(folder: Path) -> Iterator[tuple[float, int, str]]:
    """Yield when each file of samples was last written to, its bytes and its path."""
    for home in os.scandir(folder) if folder.is_dir() else ():
        for entry in os.scandir(home) if home.is_dir() else ():
            if entry.name.endswith(".dat"):
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    stat = entry.stat()
                    yield stat.st_mtime, stat.st_size, entry.path


def _listed(paths: Iterable[Path]) -> dict[Path, int]:
    """Return the samples that records count for, in the order of their latest writes."""
    found = []
    for path in paths:
        stat = path.with_suffix(".dat").stat()
        try:
            header = path.with_suffix(".hea").read_bytes()[: layout.MAX_HEADER]
            rate = layout.CapturedHeader.decode(header).rate
        except (ValueError, RecursionError):  # a damaged header: its samples count all the same
            rate = RATE
        weight = _weight(stat.st_size // layout.SAMPLE_BYTES, rate)
        found.append((stat.st_mtime_ns, path, weight))
    return {path: weight for _, path, weight in sorted(found)}


def _weight(length: int, rate: float) -> int:
    """Return the samples at `RATE` that a record counts for."""
    return max(round(length * RATE / rate), MIN_WEIGHT)
