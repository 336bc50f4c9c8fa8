"""Finding records: a path, ``database/name``, or a bare name, which means MIT-BIH."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from ecgmon.errors import RecordError

DEFAULT_DATABASE: Final = "mitdb"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*){0,3}\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """A record on this machine.

    Parameters
    ----------
    name : str
        ``database/name``, or the path as it was given where no folder of databases holds it.
    wearer : str
        Last part of the name, with what a wearer's id cannot hold replaced by underscores.
    path : Path
        The record's files without their suffixes.
    """

    name: str
    wearer: str
    path: Path


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
    bare = name.removesuffix(".hea")
    return f".{os.sep}{bare}" if os.sep not in bare and _is_record(Path(bare)) else name


def find(name: str, data: Path | None = None) -> Found | str:
    """Look for a record on this machine.

    Parameters
    ----------
    name : str
        Path, ``database/name`` or bare name; a trailing ``.hea`` is ignored.
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
    name = name.removesuffix(".hea")
    if os.sep in name:
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's own fails on ~nobody
        if _is_record(path):
            shown = _known_as(path, data) or os.path.normpath(name)
            return Found(shown, _wearer(path.name), path)
    if not _NAME.match(name):
        raise RecordError(
            f"There is no record {name}: give a path to its .hea file, database/name such as "
            "nstdb/em, or a bare MIT-BIH name such as 203."
        )
    if "/" not in name:
        name = f"{DEFAULT_DATABASE}/{name}"
    for folder in search_path(data):
        path = folder / name
        if _is_record(path):
            return Found(name, _wearer(path.name), path)
    return name


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
    """Tell whether a header is there; never fails, however strange the path."""
    return os.path.isfile(f"{path}.hea")  # noqa: PTH113 - Path.is_file raises on too long names
