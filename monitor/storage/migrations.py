"""Brings a journal's layout from any earlier version to this one's, step by step.

`ecgmon.records.captured.journal_schema` reads the version and refuses a newer one.
"""

import sqlite3
from typing import Final

STEPS: Final = (
    (  # to 1: from nothing, or from the journal of 0.1.0, which had all of it but no version
        "CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY, time REAL NOT NULL, "
        "type TEXT NOT NULL, wearer TEXT NOT NULL, message TEXT NOT NULL)",
        "CREATE INDEX IF NOT EXISTS of_wearer ON journal (wearer, id)",
        "CREATE INDEX IF NOT EXISTS of_others ON journal (type, id) WHERE type != 'window'",
        "CREATE INDEX IF NOT EXISTS later_others ON journal (wearer, type, id) "
        "WHERE type != 'window'",
        # What is too old is looked for every few seconds: that must not read a week of windows.
        "CREATE INDEX IF NOT EXISTS old_others ON journal (time) WHERE type != 'window'",
        "CREATE INDEX IF NOT EXISTS old_windows ON journal (time) WHERE type = 'window'",
    ),
)
"""The statements of step N lead from version N to N + 1; the last one to `journal_schema.LAYOUT`.

A step that was released is never changed: a change of the layout is a new step, and raises
`LAYOUT` by one.
"""


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Take all steps that a journal has not taken, in one transaction: all of them or none.

    Parameters
    ----------
    db : sqlite3.Connection
        Of a journal that no other monitor has open, in autocommit mode.
    version : int
        Of its layout; 0 if nothing is in it.

    Raises
    ------
    sqlite3.Error
        If that fails; the file is as it was before.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        for statements in STEPS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(STEPS)}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
