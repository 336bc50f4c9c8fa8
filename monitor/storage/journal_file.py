"""The journal's file: opening it, keeping other monitors from it, and writing rows."""

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ecgmon.core.errors import UsageError
from ecgmon.records.captured.journal_schema import LAYOUT, layout
from monitor.storage.migrations import migrate
from monitor.storage.salvage import Row

BUSY_S: Final = 0.5
"""Longest wait for another program that writes to the file: alarms must not wait for it."""

CACHE_KB: Final = 16_000
"""Memory for the pages that a commit changes, two for each wearer: what has no room there is
written twice."""


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to a file that is opened when it is used first."""
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    db.text_factory = bytes  # what is no UTF-8 is found when it is decoded
    return db


def opened(path: Path) -> sqlite3.Connection:
    """Open a journal, and bring its layout to that of this version.

    Raises
    ------
    UsageError
        If the file is sound and no journal, or a newer ecgmon's.
    sqlite3.Error
        If that fails.
    """
    db = connected(path)
    try:
        version = layout(db, path)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        if version != LAYOUT:
            migrate(db, version or 0)
    except (sqlite3.Error, UnicodeDecodeError, UsageError):
        db.close()
        raise
    return db


def insert(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Write rows, all or none; raises `sqlite3.Error`."""
    try:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT INTO journal (time, type, wearer, message) VALUES (?, ?, ?, ?)", rows
        )
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def lock_of(path: Path) -> Path:
    """Return the file beside a journal that a monitor locks; it stays there."""
    return path.with_name(f"{path.name}.lock")


def lock(path: Path, busy: str | None = None) -> int:
    """Keep other monitors from a journal; the system lets go of it whatever becomes of this one.

    Parameters
    ----------
    path : Path
        The journal.
    busy : str, optional
        What to say if another monitor has it.

    Returns
    -------
    int
        The lock's file; closing it lets go.

    Raises
    ------
    UsageError
        If another monitor has it.
    """
    try:
        file = os.open(lock_of(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"The journal {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise UsageError(
            busy
            or f"Another monitor writes to {path}: stop it, or give this one another $ECGMON_STATE."
        ) from error
    return file
