"""Checks of the journal, the captured signal and free disk space."""

import re
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from glob import escape
from pathlib import Path
from typing import Final

from ecgmon.config import Config
from ecgmon.core.constants import RATE
from ecgmon.core.errors import RecordError
from ecgmon.core.paths import captured_folder, state_folder
from ecgmon.records.captured.journal_schema import layout
from ecgmon.records.captured.layout import paths
from ecgmon.records.captured.reader import Captured
from ecgmon.wire.fields import WEARER
from ecgmon_cli.diagnosis.finding import Finding, ok, problem, warning
from monitor.configured import journal_file

PATIENCE_S: Final = 30.0
"""Longest look at the journal."""


def folder() -> Iterator[Finding]:
    """Look at who may read what is kept."""
    state = state_folder()
    if not state.exists():
        yield ok("folder", f"{state} does not exist yet: nothing is stored")
        return
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode & 0o022:
        yield problem("folder", f"others may write to {state}", f"chmod 700 {state}")
    elif mode & 0o055:
        yield warning("folder", f"other users may read {state}", f"chmod 700 {state}")
    else:
        yield ok("folder", f"{state} is private to its owner")


def journal(config: Config) -> Iterator[Finding]:
    """Check the journal's integrity, without a lock that a monitor would wait for."""
    path = journal_file(config)
    for aside in sorted(path.parent.glob(f"{escape(path.name)}.damaged-*")):
        if aside.name.endswith(("-wal", "-shm")):
            continue
        text = f"a journal was damaged; it is now {aside}"
        yield warning("journal", text, "check the disk, and delete the file when nobody needs it")
    if not path.exists():
        yield ok("journal", f"{path} does not exist yet")
        return
    again = "restart the monitor: it starts a new one with what can be read of this one"
    try:
        with closing(sqlite3.connect(_unchanged(path), uri=True)) as db:
            end = time.monotonic() + PATIENCE_S
            db.set_progress_handler(lambda: time.monotonic() > end, 100_000)
            if layout(db, path) is None:
                yield problem("journal", f"{path} is empty", again)
                return
            (result,) = db.execute("PRAGMA quick_check(1)").fetchone()
            rows, newest = db.execute("SELECT count(*), max(time) FROM journal").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            text = f"{path} is too long to be checked in {PATIENCE_S:g} s"
            yield warning("journal", text, "set storage.journal_days lower")
        else:
            yield problem("journal", f"{path} cannot be read: {error}", "run this as its owner")
        return
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter quotes the file
        yield problem("journal", f"{path} is damaged: {error}", again)
        return
    if result != "ok":
        yield problem("journal", f"{path} is damaged: {result}", again)
    elif newest is not None and newest > time.time() + 60:
        yield problem("journal", f"{path} has entries from the future", "set the clock right")
    else:
        yield ok("journal", f"{path} is intact, with {rows:,} rows")


def captured() -> Iterator[Finding]:
    """Open every captured record, and read the end of each wearer's newest."""
    folder = captured_folder()
    homes = sorted(path for path in folder.glob("*/") if re.fullmatch(WEARER, path.name))
    count = samples = 0
    for home in homes:
        newest: Captured | None = None
        for path in sorted(paths(folder, home.name)):
            try:
                record = Captured.open(path)
                if record.length and (newest is None or newest.began < record.began):
                    newest = record
                count, samples = count + 1, samples + record.length
            except RecordError as error:
                yield problem("captured", str(error), f"look at {path}.hea")
        if newest is not None:
            newest.read(max(newest.first, newest.stop - RATE), newest.stop)
    hours = samples / RATE / 3600
    yield ok(
        "captured", f"{count:,} records of {len(homes)} wearers, {hours:.1f} hours, can be read"
    )


def disk(config: Config) -> Iterator[Finding]:
    """Compare free disk with what is configured."""
    folder = next(path for path in (state_folder(), *state_folder().parents) if path.exists())
    free, least = _megabytes_free(folder), config.storage.disk_free_mb
    text = f"{free:,} MB are free for {state_folder()}"
    if free < least:
        yield problem("disk", f"{text}, less than {least:,} MB", "free some space, or store less")
    elif free < 2 * least:
        yield warning(
            "disk", f"{text}, little more than {least:,} MB", "free some space, or store less"
        )
    else:
        yield ok("disk", text)


def _unchanged(path: Path) -> str:
    """Return how SQLite opens a file without making others, which the monitor could not write to.

    Readers share the files of a write-ahead log; without those nobody is writing.
    """
    shared = all(path.with_name(f"{path.name}-{part}").exists() for part in ("wal", "shm"))
    return f"{path.absolute().as_uri()}?{'mode=ro' if shared else 'immutable=1'}"


def _megabytes_free(folder: Path) -> int:
    return shutil.disk_usage(folder).free // 1_000_000
