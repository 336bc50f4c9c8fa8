"""Fetching records from PhysioNet into the per-user cache."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import wfdb

from ecgmon.core.errors import RecordError, RecordMissingError
from ecgmon.records.find import cache_directory, find
from ecgmon.records.formats.wfdb.header import NULL, Header, read_header
from ecgmon.records.formats.wfdb.reader import REFERENCE, annotation_file, verify
from ecgmon.records.record import Found

Progress = Callable[[str, int, int], None]
"""Called with a file's name, how many files are done and how many there are."""


def _silent(_file: str, _done: int, _total: int) -> None:
    """Report nothing."""


def obtain(
    name: str,
    *,
    data: Path | None = None,
    annotator: str | None = None,
    progress: Progress = _silent,
) -> Found:
    """Find a record, fetching it first if it is not on this machine.

    Parameters
    ----------
    name : str
        Path, ``database/name`` or bare name.
    data : Path, optional
        Folder to look in first.
    annotator : str, optional
        Whose annotations to fetch as well, as `read` takes it.
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
    found, cache = find(name, data), cache_directory()
    try:
        if isinstance(found, str):
            return _fetch(found, cache, annotator, progress)
        if annotator is not None and found.path.is_relative_to(cache):
            _fetch_annotations(found, cache, annotator)
    except OSError as error:
        raise RecordError(
            f"The folder {cache} for fetched records cannot be written: {error.strerror}."
        ) from error
    return found


def _fetch(name: str, cache: Path, annotator: str | None, progress: Progress) -> Found:
    database, _, record = name.partition("/")
    cache.mkdir(parents=True, exist_ok=True)
    # Beside the cache's own folders, so that complete files move in by renaming.
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as folder:
        fetched = Found(name, Path(record).name, Path(folder) / record)
        marks = annotation_file(Path(record), REFERENCE if annotator is None else annotator)
        progress(f"{record}.hea", 0, 1)
        _download(database, folder, f"{record}.hea", name)
        signals = _signal_files(folder, Path(record), name)
        for done, file in enumerate([*signals, str(marks)], start=1):
            progress(file, done, len(signals) + 2)
            try:
                _download(database, folder, file, name)
            except RecordMissingError as error:
                # Not every record is annotated, but its signals must be there.
                if file not in signals and isinstance(error.__cause__, FileNotFoundError):
                    continue
                raise
        verify(fetched)
        # The header moves last: a record is found by it.
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        header = Path(f"{fetched.path}.hea")
        for path in sorted(files, key=lambda file: file == header):
            target = cache / database / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    return Found(name, fetched.wearer, cache / name)


def _signal_files(folder: str, record: Path, name: str) -> list[str]:
    """Return the signal files of a record, fetching the headers of its segments."""
    header = read_header(Found(name, record.name, folder / record))
    files = _files(record, header)
    for segment in dict.fromkeys(each.name for each in header.segments if each.name != NULL):
        part = _inside(record.parent / segment)
        _download(name.partition("/")[0], folder, f"{part}.hea", name)
        files += _files(part, read_header(Found(name, part.name, folder / part)))
    return list(dict.fromkeys(files))


def _files(record: Path, header: Header) -> list[str]:
    return [
        str(_inside(record.parent / signal.file)) for signal in header.signals if signal.has_samples
    ]


def _inside(file: Path) -> Path:
    """Return the path of a file within its database; raises `RecordError` if it leads out of it."""
    if file.is_absolute() or ".." in file.parts:
        raise RecordError(
            f"What was fetched names {file}, outside its database: take another copy."
        )
    return file


def _fetch_annotations(found: Found, cache: Path, annotator: str) -> None:
    """Fetch one annotator's file for a record of the cache, if there is one to be had."""
    file = annotation_file(found.path, annotator)
    if file.is_file():
        return
    database, _, inside = file.relative_to(cache).as_posix().partition("/")
    with (
        tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as folder,
        contextlib.suppress(RecordMissingError),  # reading says what there is instead
    ):
        _download(database, folder, inside, found.name)
        (Path(folder) / inside).replace(file)


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
