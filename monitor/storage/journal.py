"""The journal: what the monitor says, but traces and links, appended to an SQLite file."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import ProtocolError, UsageError
from ecgmon.wire import messages
from monitor.ops.logs import logger
from monitor.storage import journal_file as file
from monitor.storage import salvage
from monitor.storage.wall_clock import CLOCK_SET, WallClock

COMMIT_S: Final = 1.0
"""Windows are committed at most this late; alarms at once, before they are published."""
PRUNED: Final = 2_000
"""Most entries removed at once, so that removing never holds up an alarm."""

MAX_WAITING: Final = 20_000
"""Most entries that wait for a disk that fails or a file that is locked, some 10 MB: what is said
of 64 wearers in five minutes. Of more, the oldest windows are lost first."""
SAID_AGAIN_S: Final = 60.0
"""How often it is logged how much waits and how much is lost."""

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
_NEWEST: Final = "SELECT time FROM journal ORDER BY id DESC LIMIT 1"
_STEPS: Final = (
    "SELECT id, message FROM journal WHERE type = 'event' AND type != 'window' "
    "AND json_extract(message, '$.event') = ? ORDER BY id"
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

_log = logger(__name__)


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
        Whether the last commit failed: its messages wait for the next one.
    lost : int
        Messages that will not be written, since this monitor began.
    damaged : str or None
        What became of a journal that was damaged, found since this monitor began.

    Raises
    ------
    UsageError
        If it cannot be opened or is no journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[salvage.Row] = []
        self._committed = time.monotonic()
        self._logged = -SAID_AGAIN_S
        self.failed = False
        self.lost = 0
        self.damaged: str | None = None
        self._movable = salvage.was_journal(path)
        self._lock = file.lock(path)
        try:
            if self._movable and (why := salvage.unusable(path)):
                self._replace(why)
            else:
                self._open()
        except (*salvage.ERRORS, UsageError) as error:
            if not self._movable:
                file.lock_of(path).unlink()  # it would tell that this was a journal
            os.close(self._lock)
            if isinstance(error, UsageError):
                raise
            raise UsageError(
                f"The journal {path} cannot be opened: {error}. Give another file, or let this "
                "user write it and its folder."
            ) from error

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.commit()
        if self._pending:
            _log.error("journal-closed", lost=self.lost + len(self._pending))
        self._db.close()
        os.close(self._lock)

    def append(self, published: Sequence[messages.Published]) -> None:
        """Append messages; if an alarm is among them, it is on disk when this returns."""
        now = time.time()
        self._pending += [
            (now, type(m).__name__.lower(), m.wearer or "", messages.encode(m).decode())
            for m in published
            if not isinstance(m, messages.Trace | messages.Link)
        ]
        # A monitor that goes on with a stream must know of its gaps.
        hurries = any(urgent(m) or isinstance(m, messages.Gap) for m in published)
        if hurries or time.monotonic() - self._committed >= COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """Write what is pending; where that fails it waits, and the monitor goes on.

        A file that is found to be damaged is moved aside.
        """
        if not self._pending:
            return
        try:
            try:
                file.insert(self._db, self._pending)
            except salvage.ERRORS as error:
                if not salvage.is_damage(error):
                    raise
                self._replace(str(error))
                file.insert(self._db, self._pending)
        except (*salvage.ERRORS, UsageError) as error:
            self._wait(error)
        else:
            if self.failed:
                _log.warning("journal-back", written=len(self._pending), lost=self.lost)
            self.failed = False
            self._pending.clear()
        self._committed = time.monotonic()

    def _wait(self, error: Exception) -> None:
        """Let what is pending wait for the next commit, the latest of it if it is too much."""
        excess = len(self._pending) - MAX_WAITING
        kept = []
        for row in self._pending:
            if excess > 0 and row[1] == "window":
                excess -= 1
            else:
                kept.append(row)
        kept = kept[-MAX_WAITING:]
        self.lost += len(self._pending) - len(kept)
        self._pending = kept
        now = time.monotonic()
        if not self.failed or now - self._logged >= SAID_AGAIN_S:
            self._logged = now
            _log.error("journal-failed", waiting=len(kept), lost=self.lost, error=error)
        self.failed = True

    def _open(self) -> None:
        """Open the file, or another one in its place if it is damaged."""
        try:
            self._db = file.opened(self._path)
            why = salvage.complaint(self._db, self._path)
        except salvage.ERRORS as error:
            if not (salvage.is_damage(error) and self._movable):
                raise
            why = str(error)
        if why:
            self._replace(why)

    def _replace(self, why: str) -> None:
        """Move a damaged file aside and begin another one with what can be read of it.

        Raises
        ------
        UsageError
            If it cannot be moved.
        sqlite3.Error
            If there can be no other one.
        """
        if hasattr(self, "_db"):
            self._db.close()
        rows = salvage.rows(self._path)
        try:
            aside = salvage.move_aside(self._path)
        except UsageError:
            self._db = file.connected(self._path)  # the next commit tries again
            raise
        self._db = file.opened(self._path)
        file.insert(self._db, rows)
        _log.error("journal-damaged", why=why, moved=aside, kept=len(rows))
        self.damaged = (
            f"the journal was damaged: it is kept as {aside.name}, and a new one begun with "
            f"{len(rows)} of its entries"
        )

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

    def wall(self) -> WallClock:
        """Return what is known of the wall clock: when this was written to, and which steps."""
        try:
            newest = next(iter(self._execute(_NEWEST)), None)
        except salvage.ERRORS:  # nothing is known: what cannot be read is told elsewhere
            return WallClock()
        steps = (m for _, m in self._said(_STEPS, CLOCK_SET) if isinstance(m, messages.Event))
        return WallClock(newest and newest[0], steps)

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

    def prune(self, windows_before: float, others_before: float) -> None:
        """Remove some of what is too old: windows before a time of the wall clock, and all else.

        Which alarms stand and which streams are open is known however long ago they began.
        """
        try:
            self._execute(_PRUNE_WINDOWS, windows_before, PRUNED)
            self._execute(_PRUNE_OTHERS, others_before, PRUNED)
        except (*salvage.ERRORS, UsageError) as error:
            _log.warning("journal-not-pruned", error=error)

    def _said(self, query: str, *given: object) -> Iterator[tuple[int, messages.ToViewer]]:
        try:
            rows = self._execute(query, *given)
        except salvage.ERRORS as error:
            raise UsageError(
                f"The journal {self._path} cannot be read ({error}): move it away and start anew."
            ) from error
        for number, text in rows:
            try:
                yield number, messages.decode_to_viewer(text if isinstance(text, bytes) else b"")
            except ProtocolError as error:
                _log.warning("journal-unreadable", entry=number, error=error)

    def _execute(self, query: str, *given: object) -> list[tuple[int, object]]:
        """Return the rows of a query, of another file if this one is found to be damaged."""
        try:
            return self._db.execute(query, given).fetchall()
        except salvage.ERRORS as error:
            if not salvage.is_damage(error):
                raise
            self._replace(str(error))
            return self._db.execute(query, given).fetchall()


def urgent(message: messages.Published) -> bool:
    """Tell whether a message is published only after it is on disk."""
    return isinstance(message, messages.Alarm | messages.Paused | messages.Closed)
