"""A captured record that grows: samples are appended to a WFDB file and forced to disk."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.atomic import atomic_write, sync_folder
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records.captured import layout
from monitor.wearers.pieces import Piece

MAX_FILLED: Final = 10 * RATE
"""Longest gap that is filled, in samples at `RATE`; after a longer one the next record begins."""


_GO_ON: Final = os.O_WRONLY | os.O_CLOEXEC
_BEGIN: Final = _GO_ON | os.O_CREAT | os.O_EXCL


class RecordChangedError(OSError):
    """Another program has removed a record or written to it: it is left as it is."""


@dataclass(eq=False, slots=True)
class GrowingRecord:
    """A record that grows.

    Parameters
    ----------
    header : CapturedHeader
        What the record is of.
    path : Path
        Its files, without suffix.
    max_length : int
        Most samples, at `RATE`; more or fewer at other rates.
    length : int
        Samples that it has, all of them on disk.
    torn : bool
        Whether the file may hold more than them, after a write that failed.
    """

    header: layout.CapturedHeader
    path: Path
    max_length: int
    length: int = 0
    torn: bool = False
    _data: str = field(init=False)
    _like: tuple[int, float, float, str] = field(init=False)

    def __post_init__(self) -> None:
        """Keep what each write needs."""
        header = self.header
        self._data = f"{self.path}.dat"
        self._like = (int(header.stream, 16), header.rate, header.gain, header.lead)

    def missing_before(self, piece: Piece, length: int) -> int | None:
        """Return how many samples are missing between ``length`` samples and a piece.

        None if the piece belongs into another record.
        """
        missing = piece.first - self.header.first - length
        same = self._like == (piece.stream, piece.rate_mhz / 1000, piece.gain, piece.lead)
        room = self._own_samples(self.max_length) - length
        fits = 0 <= missing <= self._own_samples(MAX_FILLED) and missing < room
        return missing if same and fits else None

    def split(self, pieces: list[Piece]) -> tuple[NDArray[np.int16], list[Piece]]:
        """Split pieces into what is next in this record, gaps filled, and the rest."""
        parts: list[NDArray[np.int16]] = []
        length = self.length
        for n, piece in enumerate(pieces):
            if (missing := self.missing_before(piece, length)) is None:
                return np.concatenate(parts), pieces[n:]
            if missing:
                parts.append(np.full(missing, NO_VALUE, dtype=np.int16))
                length += missing
            samples = piece.samples[: self._own_samples(self.max_length) - length]
            parts.append(samples)
            length += len(samples)
            if len(samples) < len(piece.samples):
                return np.concatenate(parts), [piece.after(len(samples)), *pieces[n + 1 :]]
        return (parts[0] if len(parts) == 1 else np.concatenate(parts)), []

    def append(self, samples: NDArray[np.int16]) -> None:
        """Append samples and force them to disk.

        Raises
        ------
        RecordChangedError
            If the file is not as it was left.
        OSError
            If it cannot be written.
        """
        begins = not self.length
        if begins:
            self._begin()
        try:
            file = os.open(self._data, _BEGIN if begins else _GO_ON, 0o666)
        except FileNotFoundError as error:
            raise error if begins else RecordChangedError(*error.args) from error
        try:
            end = self.length * layout.SAMPLE_BYTES
            size = os.lseek(file, 0, os.SEEK_END)
            if self.torn and size > end:
                os.truncate(file, end)
                os.lseek(file, end, os.SEEK_SET)
            elif size != end:
                raise RecordChangedError(errno.EIO, "another program has changed it", self._data)
            self.torn = True
            data = memoryview(samples.astype("<i2").tobytes())
            while data:
                data = data[os.write(file, data) :]
            os.fdatasync(file)
        finally:
            os.close(file)
        if begins:
            sync_folder(self.path.parent)
        self.torn = False
        self.length += len(samples)

    def _begin(self) -> None:
        """Write the header, in place of a record that began at the same sample."""
        header = self.path.with_suffix(".hea")
        if not header.parent.is_dir():
            header.parent.mkdir(parents=True, exist_ok=True)
            for folder in (header.parent.parent, header.parent.parent.parent):
                sync_folder(folder)  # the names, too
        # A device that begins again at the same sample sends the same ones.
        remove(self.path)
        atomic_write(header, self.header.encode())

    def _own_samples(self, count: int) -> int:
        """Return how many samples of this record last as long as ``count`` at `RATE`."""
        return round(count * self.header.rate / RATE)


def remove(path: Path) -> None:
    """Remove a record; a header without samples does no harm, samples without a header would."""
    path.with_suffix(".dat").unlink(missing_ok=True)
    path.with_suffix(".hea").unlink(missing_ok=True)


def sync_record(path: Path) -> None:
    """Force to disk what an earlier monitor has written of a record; raises `OSError`."""
    with path.with_suffix(".dat").open("rb") as file:
        os.fdatasync(file.fileno())
    sync_folder(path.parent)
