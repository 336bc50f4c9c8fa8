"""Finding records: a path, ``database/name``, or a bare name, which means MIT-BIH."""

import os
import re
from pathlib import Path
from typing import Final

import platformdirs

from ecgmon.core.errors import RecordError
from ecgmon.records.formats import FORMATS
from ecgmon.records.record import Found

DEFAULT_DATABASE: Final = "mitdb"
_FETCHED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*){0,7}\Z")
"""What may be asked of PhysioNet: a database, and in it a record in up to six folders."""
_NAME: Final = re.compile(r"[^/\0.-][^/\0]*(/[^/\0.-][^/\0]*){0,7}\Z")
"""What may lie in a folder of databases: names with dots, blanks and letters of any script, too."""
_HEADER: Final = ".hea"
"""No record's name ends so."""
_LIST: Final = "RECORDS"
"""A database's file of its records, one path a line."""
_LIST_BYTES: Final = 10_000_000


def cache_directory() -> Path:
    """Return the per-user folder for fetched records."""
    return Path(platformdirs.user_cache_dir("ecgmon", appauthor=False)) / "records"


def search_path(data: Path | None) -> list[Path]:
    """Return the folders to look in: ``--data``, then ``$ECGMON_DATA``, then the cache."""
    given = [data] if data else []
    environment = [Path(p) for p in os.environ.get("ECGMON_DATA", "").split(os.pathsep) if p]
    return [*given, *environment, cache_directory()]


def here(name: str) -> str:
    """Return a bare name that somebody gave as a path, if the current folder holds that record.

    Names that the program chooses itself, such as MIT-BIH's for a training, do not pass here: what
    lies in the current folder does not stand in for them.
    """
    if os.sep in name:
        return name
    bare = next((one for one in _without_suffix(name) if _is_record(Path(one))), None)
    return name if bare is None else f".{os.sep}{bare}"


def find(name: str, data: Path | None = None) -> Found | str:
    """Look for a record on this machine.

    Parameters
    ----------
    name : str
        Path, ``database/name`` or bare name, or one of the record's files instead. A record in
        a folder of its database may be named without the folder where ``RECORDS`` lists it.
    data : Path, optional
        Folder to look in first, holding one folder for each database.

    Returns
    -------
    Found or str
        The record; or, if it is not here, its ``database/name`` to be fetched by.

    Raises
    ------
    RecordError
        If the name can be no record at all, or is a path where there is none.
    """
    names = _without_suffix(name)
    if os.sep in name:
        for each in names:
            path = Path(os.path.expanduser(each))  # noqa: PTH111 - Path's own fails on ~nobody
            if _is_record(path):
                shown = _known_as(path, data) or os.path.normpath(each)
                return Found(shown, _wearer(path.name), path)
    inside = [each if "/" in each else f"{DEFAULT_DATABASE}/{each}" for each in names]
    for folder in search_path(data):
        for each in filter(_NAME.match, inside):
            place = each if _is_record(folder / each) else _listed(folder, each)
            if place is not None:
                path = folder / place
                return Found(place, _wearer(path.name), path)
    if not _FETCHED.match(names[-1]):
        raise RecordError(
            f"There is no record {name}: give a path to its .hea file, database/name such as "
            "nstdb/em, or a bare MIT-BIH name such as 203."
        )
    return inside[-1]


def _without_suffix(name: str) -> list[str]:
    """Return what a record may be called of which this is the name, or the name of a file."""
    if name.endswith(_HEADER):
        return [name.removesuffix(_HEADER)]
    suffixes = [suffix for form in FORMATS for suffix in form.suffixes]
    return [name, *(name.removesuffix(each) for each in suffixes if name.endswith(each))]


def _listed(folder: Path, name: str) -> str | None:
    """Return where a database says that a record of this name lies, if in a folder of it."""
    database, _, record = name.partition("/")
    file = folder / database / _LIST
    if "/" in record or not os.path.isfile(file):  # noqa: PTH113 - as in _is_record
        return None
    try:
        with file.open(encoding="utf-8", errors="replace") as listing:
            lines = [line.strip() for line in listing.read(_LIST_BYTES).split("\n")]
    except OSError:  # it is a help, not the record
        return None
    places = [f"{database}/{line}" for line in lines if line.rpartition("/")[2] == record]
    there = [each for each in places if _NAME.match(each) and _is_record(folder / each)]
    if len(there) > 1:
        raise RecordError(f"{name} is one of several records: name {' or '.join(there[:5])}.")
    return there[0] if there else None


def _known_as(path: Path, data: Path | None) -> str | None:
    """Return what a record given by its path is called, if a folder of databases holds it.

    Whether a model has seen a record is decided by its name.
    """
    for folder in search_path(data):
        if path.resolve().is_relative_to(folder.resolve()):
            name = path.resolve().relative_to(folder.resolve()).as_posix()
            return name if _NAME.match(name) else None
    return None


def _wearer(name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:64]
    return safe if safe[:1].isalnum() else f"w{safe}"[:64]


def _is_record(path: Path) -> bool:
    """Tell whether a record of any format is there; never fails, however strange the path."""
    return any(form.holds(path) for form in FORMATS)
