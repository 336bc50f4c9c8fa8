"""Atomic file writes: after an interruption the file is complete, or as it was before."""

import os
from pathlib import Path


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file beside its place, force it to disk and put it there in one step.

    Parameters
    ----------
    path : Path
        Its place; what was there is replaced.
    data : bytes
        What it holds.

    Raises
    ------
    OSError
        If it cannot be written; what was there before still is.
    """
    new = path.with_name(f".{path.name}.new")  # one left behind is written over
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)


def leave_to_owner(path: Path) -> None:
    """Leave what root makes to whom the folder around it belongs: the service has its own user."""
    if os.geteuid() == 0:
        around = path.parent.stat()
        os.chown(path, around.st_uid, around.st_gid)


def sync_folder(folder: Path) -> None:
    """Force to disk which files a folder holds; raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
