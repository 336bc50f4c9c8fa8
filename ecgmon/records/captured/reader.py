"""Reading what a monitor has captured of wearers."""

import errno
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.captured.layout import MAX_HEADER, SAMPLE_BYTES, CapturedHeader, paths
from ecgmon.records.record import Record

MAX_SAMPLES: Final = 100_000_000
"""Most samples read at once: three days at 360 Hz, 200 MB."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One captured record.

    Parameters
    ----------
    path : Path
        Its files without their suffixes.
    wearer, stream : str
        Whose samples, and of which stream.
    first : int
        Index of the first sample in the stream.
    rate : float
        Samples per second.
    gain : float
        Counts per millivolt.
    lead : str
        Name of the lead.
    began : datetime
        When the monitor began it, UTC.
    length : int
        Samples in it when it was opened; it may grow.
    """

    path: Path
    wearer: str
    stream: str
    first: int
    rate: float
    gain: float
    lead: str
    began: datetime
    length: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a record by the path of its files without their suffixes.

        Raises
        ------
        RecordError
            If it cannot be read, or its header is not as a monitor writes it.
        """
        try:
            with _file(path, ".hea").open("rb") as file:
                header = CapturedHeader.decode(file.read(MAX_HEADER))
            length = _file(path, ".dat").stat().st_size // SAMPLE_BYTES
        except OSError as error:
            raise RecordError(
                f"The captured record {path} cannot be read ({error.strerror}): take another one."
            ) from error
        except (ValueError, msgspec.DecodeError, RecursionError) as error:
            raise RecordError(
                f"{path}.hea is not as a monitor wrote it: remove it and its .dat file."
            ) from error
        if (path.parent.name, path.name) != (header.wearer, header.name):
            raise RecordError(
                f"{path}.hea is the header of {header.wearer}/{header.name}: move it back there "
                "with its .dat file, or remove both."
            )
        return cls(
            path=path,
            wearer=header.wearer,
            stream=header.stream,
            first=header.first,
            rate=header.rate,
            gain=header.gain,
            lead=header.lead,
            began=header.began,
            length=length,
        )

    @property
    def stop(self) -> int:
        """Index of the sample that follows."""
        return self.first + self.length

    def read(self, start: int, stop: int) -> Record:
        """Read some of it.

        Parameters
        ----------
        start, stop : int
            Which samples, by their index in the stream.

        Returns
        -------
        Record
            Called ``captured/<wearer>/<name of the file>``.

        Raises
        ------
        RecordError
            If it does not hold them all, or they cannot be read.
        """
        if not self.first <= start < stop <= self.stop:
            raise RecordError(
                f"{self.path} holds samples {self.first} to {self.stop - 1} of its stream, not "
                f"{start} to {stop - 1}: choose some of them."
            )
        return self._record(self.path.name, self._counts(start, stop))

    def _counts(self, start: int, stop: int) -> NDArray[np.int16]:
        _bounded(start, stop)
        try:
            with _file(self.path, ".dat").open("rb") as file:
                file.seek((start - self.first) * SAMPLE_BYTES)
                data = file.read((stop - start) * SAMPLE_BYTES)
        except OSError as error:
            raise RecordError(
                f"{self.path}.dat cannot be read ({error.strerror}): take another record."
            ) from error
        if len(data) != (stop - start) * SAMPLE_BYTES:
            raise RecordError(f"{self.path}.dat has become shorter: take another record.")
        return np.frombuffer(data, dtype="<i2").astype(np.int16)

    def _record(self, name: str, samples: NDArray[np.int16]) -> Record:
        return Record(
            name=f"captured/{self.wearer}/{name}",
            wearer=self.wearer,
            rate=self.rate,
            gain=self.gain,
            lead=self.lead,
            samples=samples,
        )


def captures(folder: Path, wearer: str) -> list[Captured]:
    """Return what is captured of a wearer, newest first.

    Parameters
    ----------
    folder : Path
        Where the monitor captures.
    wearer : str
        Whose records.

    Raises
    ------
    RecordError
        If the id can be no wearer's, or if all that is there is damaged.
    """
    found, damaged = [], None
    for path in paths(folder, wearer):
        try:
            found.append(Captured.open(path))
        except RecordError as error:  # or the monitor has removed it meanwhile
            damaged = error
    if damaged and not found and paths(folder, wearer):
        raise damaged
    held = [record for record in found if record.length]
    return sorted(held, key=lambda record: (record.began, record.first), reverse=True)


def read(folder: Path, wearer: str, stream: str, start: int, stop: int) -> Record:
    """Read samples of a stream from all the records that hold some of them.

    Parameters
    ----------
    folder : Path
        Where the monitor captures.
    wearer, stream : str
        Whose samples, and of which stream.
    start, stop : int
        Which samples, by their index in the stream. The first and the last one must have been
        captured; what was not between them is `NO_VALUE`.

    Returns
    -------
    Record
        Called ``captured/<wearer>/<stream>-<start>``.

    Raises
    ------
    RecordError
        If they are not there, or the gain or the lead changed among them.
    """
    _bounded(start, stop)
    held = [
        record
        for record in reversed(captures(folder, wearer))  # of two that overlap, the newer counts
        if record.stream == stream and record.first < stop and start < record.stop
    ]
    if (
        not held
        or min(record.first for record in held) > start
        or max(record.stop for record in held) < stop
    ):
        raise RecordError(
            f"Samples {start} to {stop - 1} of {wearer}'s stream {stream} are not in {folder}: "
            "choose some that are there."
        )
    if len({(record.rate, record.gain, record.lead) for record in held}) > 1:
        raise RecordError(
            f"The gain or the lead of {wearer}'s signal changed between samples {start} and "
            f"{stop - 1} of stream {stream}: choose some before or after it."
        )
    samples = np.full(stop - start, NO_VALUE, dtype=np.int16)
    for record in held:
        a, b = max(start, record.first), min(stop, record.stop)
        samples[a - start : b - start] = record._counts(a, b)
    return held[0]._record(f"{stream}-{start:019}", samples)


def _file(path: Path, suffix: str) -> Path:
    """Return a file of a record; raises `OSError` if it is none, so that no pipe is waited for."""
    file = path.with_suffix(suffix)
    if not file.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return file


def _bounded(start: int, stop: int) -> None:
    if not 0 <= start < stop <= start + MAX_SAMPLES:
        raise RecordError(
            f"Samples {start} to {stop - 1} cannot be read at once: choose 1 to {MAX_SAMPLES:,}."
        )
