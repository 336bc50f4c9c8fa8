"""The journal's database where several processes of one monitor write to it."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from monitor.storage import salvage
from monitor.storage.journal_database import JournalDatabase

T = TypeVar("T")

REPLACED: Final = "the journal was damaged: it is kept beside the new one that was begun"
"""What the processes say that have not replaced it themselves."""


class SharedJournalDatabase(JournalDatabase):
    """A journal that the processes of one monitor write to, each the rows of its own wearers.

    SQLite keeps their rows apart. One that finds the file damaged replaces it while no other
    writes; the others see that another file is in its place and go on with that. Who has opened
    the file first has its lock and passes it on, so that no other monitor comes before all have
    ended.

    Parameters
    ----------
    path : Path
        The SQLite file.
    lock : int, optional
        The lock's file, open; without it, other monitors are kept out first.

    Raises
    ------
    UsageError
        As `JournalDatabase`.
    """

    def __init__(self, path: Path, lock: int | None = None) -> None:
        self._inherited = lock
        self._inode: int | None = None
        if lock is None:
            super().__init__(path)
        else:
            self.lock = lock
            with self._turn(fcntl.LOCK_EX):  # it may have to be replaced
                super().__init__(path)
        self._inode = self._inode_now()

    def _keep_out(self) -> int:
        return super()._keep_out() if self._inherited is None else self._inherited

    def _mended(self, work: Callable[[], T]) -> T:
        with self._turn(fcntl.LOCK_SH):
            self._follow()
            try:
                return work()
            except salvage.ERRORS as error:
                if not salvage.is_damage(error):
                    raise
                damage = str(error)
        with self._turn(fcntl.LOCK_EX):
            if not self._follow():
                self._replace(damage)
            return work()

    @contextlib.contextmanager
    def _turn(self, kind: int) -> Iterator[None]:
        """Wait until no process replaces the file, or with `fcntl.LOCK_EX` until none writes.

        The lock is one of the process (POSIX), so that it does not end that of the file's opener.
        """
        fcntl.lockf(self.lock, kind)
        try:
            yield
        finally:
            fcntl.lockf(self.lock, fcntl.LOCK_UN)

    def _follow(self) -> bool:
        """Open the file that another process has put in its place; tells whether it has."""
        if self._inode == self._inode_now():
            return False
        self._db.close()
        self._open()
        self._inode = self._inode_now()
        self.damaged = REPLACED
        return True

    def _replace(self, why: str) -> None:
        super()._replace(why)
        self._inode = self._inode_now()

    def _inode_now(self) -> int | None:
        try:
            return self.path.stat().st_ino
        except OSError:
            return self._inode  # nobody has put another one in its place
