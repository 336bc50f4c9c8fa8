"""The journal: what the monitor says, but traces and links, appended to an SQLite file."""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ecgmon.errors import ProtocolError, UsageError
from ecgmon.grid import WINDOW
from ecgmon.wire import messages

COMMIT_S: Final = 1.0
"""Windows are committed at most this late; alarms at once, before they are published."""
BUSY_S: Final = 0.5
"""Longest wait for another program that writes to the file: alarms must not wait for it."""
PRUNED: Final = 2_000
"""Most entries removed at once, so that removing never holds up an alarm."""
DAY_S: Final = 86_400.0

MAX_OWED: Final = 1_000
"""Most entries that wait for a failing disk to come back."""
_OWED: Final = ("alarm", "paused", "opened", "closed")
"""What a restart goes on from: which alarms stand, and whose stream is missing."""

_ALARMS: Final = (
    "SELECT id, message FROM journal WHERE type IN ('alarm', 'paused') AND type != 'window' "
    "ORDER BY id"
)
_LATEST_WINDOW: Final = (
    "SELECT id, message FROM journal WHERE wearer = ? AND type = 'window' "
    "AND json_extract(message, '$.stream') = ? ORDER BY id DESC LIMIT 1"
)
_GAPS: Final = (
    "SELECT id, message FROM journal WHERE wearer = ? AND type = 'gap' AND type != 'window' "
    "AND json_extract(message, '$.stream') = ? ORDER BY id DESC LIMIT 1000"
)
_STREAMS: Final = (
    "SELECT id, message FROM journal WHERE type IN ('opened', 'closed') AND type != 'window' "
    "ORDER BY id"
)
_PAST: Final = (
    "SELECT id, message FROM journal WHERE type IN ('alarm', 'paused') AND type != 'window' "
    "AND id < ? ORDER BY id DESC LIMIT ?"
)
_PAST_OF_ONE: Final = _PAST.replace("AND id", "AND wearer = ? AND id")
_PRUNE_WINDOWS: Final = (
    "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE type = 'window' AND time < ? "
    "ORDER BY time LIMIT ?)"
)
_PRUNE_OTHERS: Final = """
DELETE FROM journal WHERE id IN (
    SELECT id FROM journal AS old WHERE type != 'window' AND time < ?
    AND NOT (type = 'opened' AND NOT EXISTS (
        SELECT 1 FROM journal AS later WHERE later.wearer = old.wearer AND later.id > old.id
        AND later.type IN ('opened', 'closed') AND later.type != 'window'))
    AND NOT (type = 'alarm' AND json_extract(message, '$.state') != 'cleared' AND NOT EXISTS (
        SELECT 1 FROM journal AS later WHERE later.wearer = old.wearer AND later.id > old.id
        AND later.type = 'alarm' AND later.type != 'window'
        AND json_extract(later.message, '$.alarm') = json_extract(old.message, '$.alarm')))
    ORDER BY time LIMIT ?)
"""

_log = logging.getLogger(__name__)


class Journal:
    """An append-only table of published messages.

    Write-ahead logging lets anybody read while the monitor writes; full synchronisation makes a
    committed alarm survive a power cut.

    Parameters
    ----------
    path : Path
        The SQLite file, made if it is not there.

    Attributes
    ----------
    failed : bool
        Whether the last commit failed, and its messages were lost.

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
        try:
            self._lock = _lock(path)
        except UsageError:
            self._db.close()
            raise
        self._path = path
        self._pending: list[tuple[float, str, str, bytes]] = []
        self._committed = time.monotonic()
        self.failed = False

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.commit()
        self._db.close()
        os.close(self._lock)

    def append(self, published: Sequence[messages.Published]) -> None:
        """Append messages; if an alarm is among them, it is on disk when this returns."""
        now = time.time()
        self._pending += [
            (now, type(m).__name__.lower(), m.wearer or "", messages.encode(m))
            for m in published
            if not isinstance(m, messages.Trace | messages.Link)
        ]
        # A monitor that goes on with a stream must know of its gaps.
        hurries = any(urgent(m) or isinstance(m, messages.Gap) for m in published)
        if hurries or time.monotonic() - self._committed >= COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """Write what is pending.

        A failing disk is logged once and never stops the monitor: what was said of alarms, and of
        streams that began or ended, is written when it is back, all else is lost.
        """
        if not self._pending:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT INTO journal (time, type, wearer, message) VALUES (?, ?, ?, ?)",
                ((t, kind, wearer, text.decode()) for t, kind, wearer, text in self._pending),
            )
            self._db.execute("COMMIT")
            self.failed = False
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            owed = [row for row in self._pending if row[1] in _OWED][-MAX_OWED:]
            if not self.failed:
                lost = len(self._pending) - len(owed)
                _log.error("journal=failed lost=%d error=%r", lost, str(error))
            self.failed = True
            self._pending = owed
        else:
            self._pending.clear()
        self._committed = time.monotonic()

    def alarms(self) -> Iterator[messages.Alarm | messages.Paused]:
        """Yield all that was said of alarms, oldest first; what cannot be read is left out."""
        for _, message in self._said(_ALARMS):
            if isinstance(message, messages.Alarm | messages.Paused):
                yield message

    def unfinished(self) -> list[messages.Closed]:
        """Return of each wearer whose latest stream had not ended what ends it, as far as judged.

        It is told if the wearer is given up.
        """
        latest: dict[str, messages.ToViewer] = {}
        for _, message in self._said(_STREAMS):
            if isinstance(message, messages.Opened | messages.Closed):
                latest[message.wearer] = message
        return [
            messages.Closed(wearer=w, stream=m.stream, end=self.next_window(w, m.stream))
            for w, m in latest.items()
            if isinstance(m, messages.Opened)
        ]

    def next_window(self, wearer: str, stream: str) -> int:
        """Return up to which index a wearer's stream was judged; 0 if it was not."""
        for _, message in self._said(_LATEST_WINDOW, wearer, stream):
            if isinstance(message, messages.Window):
                return message.first + WINDOW
        return 0

    def gaps(self, wearer: str, stream: str) -> Iterator[messages.Gap]:
        """Yield the latest gaps of a wearer's stream, newest first."""
        for _, message in self._said(_GAPS, wearer, stream):
            if isinstance(message, messages.Gap):
                yield message

    def past(self, request: messages.History) -> messages.Past:
        """Return what was said of alarms before an entry, newest first."""
        before = 2**62 if request.before is None else request.before
        if request.wearer is None:
            rows = list(self._said(_PAST, before, request.limit))
        else:
            rows = list(self._said(_PAST_OF_ONE, request.wearer, before, request.limit))
        entries = [m for _, m in rows if isinstance(m, messages.Alarm | messages.Paused)]
        return messages.Past(entries=entries, before=rows[-1][0] if rows else None)

    def prune(self, window_days: float, days: float) -> None:
        """Remove some of what is too old: windows after their time, all else after its own.

        Which alarms stand and which streams are open is known however long ago they began.
        """
        now = time.time()
        try:
            self._db.execute(_PRUNE_WINDOWS, (now - window_days * DAY_S, PRUNED))
            self._db.execute(_PRUNE_OTHERS, (now - days * DAY_S, PRUNED))
        except sqlite3.Error as error:
            _log.warning("journal=not-pruned error=%r", str(error))

    def _said(self, query: str, *given: object) -> Iterator[tuple[int, messages.ToViewer]]:
        try:
            for number, text in self._db.execute(query, given):
                try:
                    yield number, messages.decode_to_viewer(text.encode())
                except ProtocolError as error:
                    _log.warning("journal=unreadable entry=%d error=%r", number, str(error))
        except sqlite3.Error as error:
            raise UsageError(
                f"The journal {self._path} cannot be read ({error}): move it away and start anew."
            ) from error


def _lock(path: Path) -> int:
    """Keep other monitors from a journal; the system lets go of it whatever becomes of this one.

    Raises
    ------
    UsageError
        If another monitor has it.
    """
    try:
        file = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"The journal {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise UsageError(
            f"Another monitor writes to {path}: stop it, or give this one another $ECGMON_STATE."
        ) from error
    return file


def urgent(message: messages.Published) -> bool:
    """Tell whether a message is published only after it is on disk."""
    return isinstance(message, messages.Alarm | messages.Paused | messages.Closed)


def _prepare(db: sqlite3.Connection) -> None:
    """Make the table where there is none; raises `sqlite3.Error` if this can be no journal."""
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY, time REAL NOT NULL, "
        "type TEXT NOT NULL, wearer TEXT NOT NULL, message TEXT NOT NULL)"
    )
    db.execute("SELECT id, time, type, wearer, message FROM journal LIMIT 0")
    db.execute("CREATE INDEX IF NOT EXISTS of_wearer ON journal (wearer, id)")
    others = "WHERE type != 'window'"
    db.execute(f"CREATE INDEX IF NOT EXISTS of_others ON journal (type, id) {others}")
    db.execute(f"CREATE INDEX IF NOT EXISTS later_others ON journal (wearer, type, id) {others}")
    # What is too old is looked for every few seconds: that must not read a week of windows.
    db.execute(f"CREATE INDEX IF NOT EXISTS old_others ON journal (time) {others}")
    windows = "WHERE type = 'window'"
    db.execute(f"CREATE INDEX IF NOT EXISTS old_windows ON journal (time) {windows}")
