"""The journal's database: one that is found to be damaged is moved aside and replaced at once."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ecgmon.core.errors import UsageError
from monitor.ops.logs import logger
from monitor.storage import journal_file as file
from monitor.storage import salvage

T = TypeVar("T")

_log = logger(__name__)


class JournalDatabase:
    """An open journal that no other monitor writes to.

    Parameters
    ----------
    path : Path
        The SQLite file, made if it is not there.

    Attributes
    ----------
    path : Path
        The same.
    damaged : str or None
        What became of a journal that was damaged, found since this monitor began.
    lock : int
        The file that keeps other monitors away.

    Raises
    ------
    UsageError
        If it cannot be opened or is no journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged: str | None = None
        self._was_journal = salvage.was_journal(path)
        self.lock = self._keep_out()
        try:
            if self._was_journal and (why := salvage.unusable(path)):
                self._replace(why)
            else:
                self._open()
        except (*salvage.ERRORS, UsageError) as error:
            if not self._was_journal:
                file.lock_of(path).unlink()  # a lock would mark the file as a journal
            os.close(self.lock)
            if isinstance(error, UsageError):
                raise
            raise UsageError(
                f"The journal {path} cannot be opened: {error}. Give another file, or let this "
                "user write it and its folder."
            ) from error

    def close(self) -> None:
        """Close the file and let go of its lock."""
        self._db.close()
        os.close(self.lock)

    def insert(self, rows: Sequence[salvage.Row]) -> None:
        """Write rows, all or none.

        Raises
        ------
        sqlite3.Error or UnicodeDecodeError
            If that fails, for another reason than damage.
        UsageError
            If the file is damaged and cannot be moved aside.
        """
        self._mended(lambda: file.insert(self._db, rows))

    def execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query; raises as `insert`."""
        return self._mended(lambda: self._db.execute(query, values).fetchall())

    def _keep_out(self) -> int:
        """Keep other monitors away; raises `UsageError` if one is there."""
        return file.lock(self.path)

    def _open(self) -> None:
        """Open the file, or another one in its place if it is damaged."""
        try:
            self._db = file.opened(self.path)
            why = salvage.complaint(self._db, self.path)
        except salvage.ERRORS as error:
            if not (salvage.is_damage(error) and self._was_journal):
                raise
            why = str(error)
        if why:
            self._replace(why)

    def _mended(self, work: Callable[[], T]) -> T:
        """Do something with the file, and again once it is replaced where it is damaged."""
        try:
            return work()
        except salvage.ERRORS as error:
            if not salvage.is_damage(error):
                raise
            self._replace(str(error))
            return work()

    def _replace(self, why: str) -> None:
        """Move a damaged file aside and begin another one with what can be read of it.

        Raises
        ------
        UsageError
            If it cannot be moved.
        sqlite3.Error
            If no other file can be made.
        """
        if hasattr(self, "_db"):  # not yet where the file could not be opened
            self._db.close()
        rows = salvage.rows(self.path)
        try:
            aside = salvage.move_aside(self.path)
        except UsageError:
            self._db = file.connected(self.path)  # the next commit tries again
            raise
        self._db = file.opened(self.path)
        file.insert(self._db, rows)
        _log.error("journal-damaged", why=why, moved=aside, kept=len(rows))
        self.damaged = (
            f"the journal was damaged: it is kept as {aside.name}, and a new one begun with "
            f"{len(rows)} of its entries"
        )
