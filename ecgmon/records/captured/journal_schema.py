"""The journal's file: an SQLite database with one table, and the version of its layout.

    journal (id INTEGER PRIMARY KEY, time REAL, type TEXT, wearer TEXT, message TEXT)

``PRAGMA user_version`` holds the version. Version 0 is that of ecgmon 0.1.0, which did not set it;
version 1 has the same table. A monitor takes up an older layout, and leaves a newer one alone.
"""

import sqlite3
from pathlib import Path
from typing import Final

from ecgmon.core.errors import UsageError

LAYOUT: Final = 1
"""The version that this ecgmon writes, and the newest that it reads."""
COLUMNS: Final = 5

_FOUND: Final = """
SELECT (SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'),
       (SELECT count(*) FROM pragma_table_info('journal')
        WHERE name IN ('id', 'time', 'type', 'wearer', 'message'))
"""


def layout(db: sqlite3.Connection, path: Path) -> int | None:
    """Return the version of a database's layout; None if nothing is in it.

    Parameters
    ----------
    db : sqlite3.Connection
        Open.
    path : Path
        The file, for what is said of it.

    Raises
    ------
    UsageError
        If a newer ecgmon wrote it, or another program.
    sqlite3.Error
        If it cannot be read.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    tables, columns = db.execute(_FOUND).fetchone()
    if not tables and not version:
        return None
    if columns < COLUMNS:
        raise UsageError(
            f"{path} is the database of another program: name another file for the journal."
        )
    if version > LAYOUT:
        raise UsageError(
            f"The journal {path} was written by a newer ecgmon (layout {version}, this one knows "
            f"{LAYOUT}): install that one, or name another file for the journal."
        )
    return int(version)
