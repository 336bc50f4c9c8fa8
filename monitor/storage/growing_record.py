"""A captured record that grows: samples are appended to a WFDB file and forced to disk."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.atomic import atomic_write, sync_folder
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records.captured import layout
from ecgmon.wire import messages
from monitor.wearers.pieces import Piece

MAX_FILLED: Final = 10 * RATE
"""Longest gap that is filled, in samples at `RATE`; after a longer one the next record begins."""


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

    def missing_before(self, piece: Piece, length: int) -> int | None:
        """Return how many samples are missing between ``length`` samples and a piece.

        None if the piece belongs into another record.
        """
        header, missing = self.header, piece.first - self.header.first - length
        same = (header.stream, header.rate, header.gain, header.lead) == (
            messages.stream_id(piece.stream),
            piece.rate_mhz / 1000,
            piece.gain,
            piece.lead,
        )
        room = self._own_samples(self.max_length) - length
        fits = 0 <= missing <= self._own_samples(MAX_FILLED) and missing < room
        return missing if same and fits else None

    def split(self, pieces: list[Piece]) -> tuple[NDArray[np.int16], list[Piece]]:
        """Split pieces into what is next in this record, gaps filled, and the rest."""
        parts, length = [np.zeros(0, dtype=np.int16)], self.length
        for n, piece in enumerate(pieces):
            if (missing := self.missing_before(piece, length)) is None:
                return np.concatenate(parts), pieces[n:]
            length += missing
            samples = piece.samples[: self._own_samples(self.max_length) - length]
            parts += [np.full(missing, NO_VALUE, dtype=np.int16), samples]
            length += len(samples)
            if len(samples) < len(piece.samples):
                return np.concatenate(parts), [piece.after(len(samples)), *pieces[n + 1 :]]
        return np.concatenate(parts), []

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
            file = self.path.with_suffix(".dat").open("xb" if begins else "r+b", buffering=0)
        except FileNotFoundError as error:
            raise error if begins else RecordChangedError(*error.args) from error
        with file:
            end = self.length * layout.SAMPLE_BYTES
            size = file.seek(0, os.SEEK_END)
            if self.torn and size > end:
                file.truncate(end)
                file.seek(end)
            elif size != end:
                raise RecordChangedError(errno.EIO, "another program has changed it", file.name)
            self.torn = True
            data = memoryview(samples.astype("<i2").tobytes())
            while data:
                data = data[file.write(data) :]
            os.fdatasync(file.fileno())
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
