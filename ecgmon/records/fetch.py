"""Fetching records from PhysioNet into the per-user cache."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import wfdb

from ecgmon.errors import RecordError, RecordMissingError
from ecgmon.records.find import Found, cache_directory, find
from ecgmon.records.read import read_header, verify

Progress = Callable[[str, int, int], None]
"""Called with a file's name, how many files are done and how many there are."""


def _silent(_file: str, _done: int, _total: int) -> None:
    """Report nothing."""


def obtain(name: str, *, data: Path | None = None, progress: Progress = _silent) -> Found:
    """Find a record, fetching it first if it is not on this machine.

    Parameters
    ----------
    name : str
        Path, ``database/name`` or bare name.
    data : Path, optional
        Folder to look in first.
    progress : callable, optional
        Called before each file is fetched.

    Returns
    -------
    Found

    Raises
    ------
    RecordMissingError
        If it is neither here nor can be fetched.
    RecordError
        If what was fetched is damaged, or the cache cannot be written.
    """
    found = find(name, data)
    if isinstance(found, Found):
        return found
    cache = cache_directory()
    try:
        return _fetch(found, cache, progress)
    except OSError as error:
        raise RecordError(
            f"The folder {cache} for fetched records cannot be written: {error.strerror}."
        ) from error


def _fetch(name: str, cache: Path, progress: Progress) -> Found:
    database, _, record = name.partition("/")
    cache.mkdir(parents=True, exist_ok=True)
    # Beside the cache's own folders, so that complete files move in by renaming.
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as folder:
        fetched = Found(name, Path(record).name, Path(folder) / record)
        progress(f"{record}.hea", 0, 1)
        _download(database, folder, f"{record}.hea", name)
        header = read_header(fetched)
        signals = [str(Path(record).with_name(file)) for file in dict.fromkeys(header.file_name)]
        for done, file in enumerate([*signals, f"{record}.atr"], start=1):
            progress(file, done, len(signals) + 2)
            try:
                _download(database, folder, file, name)
            except RecordMissingError as error:
                # Not every record is annotated, but its signals must be there.
                if file not in signals and isinstance(error.__cause__, FileNotFoundError):
                    continue
                raise
        verify(fetched)
        target = cache / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # The header moves last: a record is found by it.
        files = sorted(fetched.path.parent.iterdir(), key=lambda file: file.suffix == ".hea")
        for path in files:
            path.replace(target.parent / path.name)
    return Found(name, fetched.wearer, target)


def _download(database: str, folder: str, file: str, name: str) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # wfdb reports to stdout
            wfdb.dl_files(database, folder, [file])
    except Exception as error:  # requests, wfdb and the system each have their own
        raise RecordMissingError(
            f"The record {name} is not on this machine and cannot be fetched from PhysioNet: "
            "connect to the network, or point --data or $ECGMON_DATA at a folder that holds it, "
            "or watch the built-in wearer: ecgmon replay --simulate normal."
        ) from error
