"""The journal: what the monitor says, but traces and links, appended to an SQLite file."""

import logging
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ecgmon.errors import UsageError
from ecgmon.wire import messages

COMMIT_S: Final = 1.0
"""Windows are committed at most this late; alerts at once, before they are published."""
BUSY_S: Final = 0.5
"""Longest wait for another program that writes to the file: alerts must not wait for it."""

_log = logging.getLogger(__name__)


class Journal:
    """An append-only table of published messages.

    Write-ahead logging lets anybody read while the monitor writes; full synchronisation makes a
    committed alert survive a power cut.

    Parameters
    ----------
    path : Path
        The SQLite file, made if it is not there.

    Raises
    ------
    UsageError
        If it cannot be opened or is no journal.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                _prepare(self._db)
            except sqlite3.Error:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise UsageError(f"The journal {path} cannot be opened: {error}.") from error
        self._pending: list[tuple[float, str, str, bytes]] = []
        self._committed = time.monotonic()
        self._failed = False

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.commit()
        self._db.close()

    def append(self, published: Sequence[messages.Published]) -> None:
        """Append messages; if an alert is among them, it is on disk when this returns."""
        now = time.time()
        self._pending += [
            (now, type(m).__name__.lower(), m.wearer, messages.encode(m))
            for m in published
            if not isinstance(m, messages.Trace | messages.Link)
        ]
        urgent = any(isinstance(m, messages.Alert) for m in published)
        if urgent or time.monotonic() - self._committed >= COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """Write what is pending. A failing disk is logged once and never stops the monitor."""
        if not self._pending:
            return
        try:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO journal (time, type, wearer, message) VALUES (?, ?, ?, ?)",
                ((t, kind, wearer, text.decode()) for t, kind, wearer, text in self._pending),
            )
            self._db.execute("COMMIT")
            self._failed = False
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if not self._failed:
                _log.error("journal=failed lost=%d error=%r", len(self._pending), str(error))
            self._failed = True
        self._pending.clear()
        self._committed = time.monotonic()


def _prepare(db: sqlite3.Connection) -> None:
    """Make the table where there is none; raises `sqlite3.Error` if this can be no journal."""
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY, time REAL NOT NULL, "
        "type TEXT NOT NULL, wearer TEXT NOT NULL, message TEXT NOT NULL)"
    )
    db.execute("SELECT id, time, type, wearer, message FROM journal LIMIT 0")
