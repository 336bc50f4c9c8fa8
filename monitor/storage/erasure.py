"""Permanent deletion of all data that is stored of one wearer.

The order makes it safe to be killed anywhere: the audit's line *begun* is written first, every step
may be done again, and its line *done* is written last (`monitor.storage.erasure_log`).
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from ecgmon.core.atomic import sync_folder
from ecgmon.core.constants import RATE
from ecgmon.core.errors import UsageError
from ecgmon.models.store import Store
from ecgmon.records.captured.journal_schema import layout
from ecgmon.records.captured.layout import MAX_HEADER, SAMPLE_BYTES, CapturedHeader, home
from monitor.storage import journal_file, salvage

BUSY_MS: Final = 10_000
"""Longest wait for another program that reads or writes the journal, such as an export."""

_COUNT: Final = """
SELECT count(*), count(DISTINCT CASE WHEN type = 'alarm' AND json_valid(message)
                                     THEN json_extract(message, '$.alarm') END)
FROM journal WHERE wearer = ?
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files in which a monitor and its commands store wearers' data.

    Parameters
    ----------
    state : Path
        The state folder, in which the other places are unless they are configured elsewhere.
    journal : Path
        The journal.
    captured, enrolments : Path
        Folders with one folder for each wearer.
    models : Store
        The wearers' models.
    """

    state: Path
    journal: Path
    captured: Path
    enrolments: Path
    models: Store

    def folders(self, wearer: str) -> tuple[Path, ...]:
        """Return the wearer's own folders; raises `RecordError` if the id can be no wearer's."""
        return tuple(
            home(folder, wearer) for folder in (self.captured, self.enrolments, self.models.folder)
        )

    def damaged(self) -> list[Path]:
        """Return journals that were damaged and moved aside: of whom they hold lines is unknown."""
        begins = f"{self.journal.name}.damaged-"
        return sorted(p for p in self.journal.parent.glob("*") if p.name.startswith(begins))


class StoredData(msgspec.Struct, frozen=True, kw_only=True):
    """The amount of data stored of a wearer.

    Parameters
    ----------
    signal_hours : float
        Hours of captured signal.
    records : int
        Captured records, damaged ones too.
    models : int
        Versions of the wearer's models.
    enrolments : int
        Files of enrolments: signals, reviews and reports.
    alarms : int
        Alarms in the journal.
    lines : int
        All lines of the journal, those of the alarms too.
    """

    signal_hours: float
    records: int
    models: int
    enrolments: int
    alarms: int
    lines: int


@contextlib.contextmanager
def no_monitor(places: Places) -> Iterator[None]:
    """Keep monitors from the journal, and with it from the state folder, within the block.

    Raises
    ------
    UsageError
        If one is running: it holds the wearer's signal in memory, and would write it again.
    """
    if not journal_file.lock_of(places.journal).exists():  # no monitor has ever had this journal
        yield
        return
    busy = (
        f"A monitor is running on {places.state}: stop it, with systemctl stop ecgmon if it is the "
        "service, run this again, and start it."
    )
    lock = journal_file.lock(places.journal, busy)
    try:
        yield
    finally:
        os.close(lock)


def look(places: Places, wearer: str) -> StoredData:
    """Count what is kept of a wearer; a monitor may be running.

    Raises
    ------
    RecordError
        If the id can be no wearer's.
    UsageError
        If the journal cannot be read.
    """
    captured, enrolments, _ = places.folders(wearer)
    records = sorted(captured.glob("*.dat"))
    lines, alarms = _counted(places.journal, wearer)
    return StoredData(
        signal_hours=round(sum(map(_hours, records)), 3),
        records=len(records),
        models=len(places.models.versions(wearer)),
        enrolments=len(list(enrolments.glob("*"))),
        alarms=alarms,
        lines=lines,
    )


def erase(places: Places, wearer: str) -> None:
    """Delete all that is kept of a wearer; call it within `no_monitor`.

    Raises
    ------
    UsageError
        If something cannot be deleted; done again, it goes on where it stopped.
    """
    captured, enrolments, _ = places.folders(wearer)
    for folder in (captured, enrolments):
        try:
            if folder.exists():
                shutil.rmtree(folder)
                sync_folder(folder.parent)
        except OSError as error:
            raise UsageError(
                f"{folder} cannot be removed ({error.strerror or error}): allow it, and run this "
                "again."
            ) from error
    places.models.forget(wearer)
    _erase_lines(places.journal, wearer)


def _hours(samples: Path) -> float:
    """Return how long a captured record is; one without a sound header counts at `RATE`.

    One that a running monitor has just removed for its age counts nothing.
    """
    try:
        with samples.with_suffix(".hea").open("rb") as file:
            rate = CapturedHeader.decode(file.read(MAX_HEADER)).rate
    except (OSError, ValueError, RecursionError):
        rate = RATE
    try:
        return samples.stat().st_size / SAMPLE_BYTES / rate / 3600
    except FileNotFoundError:
        return 0.0


def _counted(path: Path, wearer: str) -> tuple[int, int]:
    """Return how many lines and alarms of a wearer a journal holds."""
    if not _exists(path):
        return 0, 0
    with _journal(path) as db:
        if layout(db, path) is None:
            return 0, 0
        lines, alarms = db.execute(_COUNT, (wearer,)).fetchone()
    return lines, alarms


def _erase_lines(path: Path, wearer: str) -> None:
    """Delete a wearer's lines, and leave no copy of them in free pages or the write-ahead log.

    Lines that a monitor removed long ago for their age may lie in free pages still, so that the
    file is rewritten whole.
    """
    if not _exists(path):
        return
    with _journal(path) as db:
        if layout(db, path) is None:
            return
        db.execute("PRAGMA secure_delete = ON")
        db.execute("DELETE FROM journal WHERE wearer = ?", (wearer,))
        db.execute("VACUUM")
        (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise UsageError(
            f"Another program reads the journal {path}: run this again when it has ended."
        )


def _exists(path: Path) -> bool:
    """Tell whether there is a journal; raises `UsageError` where SQLite must not open it."""
    if why := salvage.unusable(path):
        raise _damaged(path, why)
    return path.is_file()


@contextlib.contextmanager
def _journal(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal; an error of SQLite's becomes a `UsageError` that says what to do."""
    try:
        with closing(journal_file.connected(path)) as db:
            db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            yield db
    except salvage.ERRORS as error:
        if salvage.is_damage(error):
            raise _damaged(path, str(error)) from error
        raise UsageError(
            f"The journal {path} cannot be read or rewritten ({error}): end what else uses it, see "
            "that the disk has room for it twice, and run this again as its owner."
        ) from error


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(
        f"The journal {path} is damaged ({why}): start the monitor once, which begins another one, "
        "stop it and run this again."
    )
