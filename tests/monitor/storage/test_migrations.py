"""A journal of any earlier layout is migrated to today's, completely or not at all."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from ecgmon.records.captured.journal_schema import LAYOUT
from monitor.storage import migrations
from monitor.storage.journal import Journal
from monitor.storage.migrations import STEPS, migrate
from tests.monitor.storage.test_journal_of_0_1_0 import EARLIER

SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
ROWS = "SELECT * FROM journal"


@pytest.fixture
def path(tmp_path):
    return shutil.copyfile(EARLIER, tmp_path / "journal.db")


def content(path):
    """Return version, schema and rows of a database."""
    with closing(sqlite3.connect(path)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        return (
            version,
            db.execute(SCHEMA).fetchall(),
            db.execute("SELECT * FROM journal").fetchall(),
        )


def test_the_steps_lead_to_the_layout_that_is_written():
    assert len(STEPS) == LAYOUT


def test_a_journal_of_0_1_0_has_the_rows_it_had_and_the_layout_of_a_new_one(path, tmp_path):
    version, _, rows = content(path)
    assert version == 0
    assert len(rows) > 100
    Journal(path).close()
    Journal(tmp_path / "new.db").close()
    of_new = content(tmp_path / "new.db")
    assert content(path) == (LAYOUT, of_new[1], rows)


def test_only_the_missing_steps_are_run(path, monkeypatch):
    later = ("ALTER TABLE journal ADD COLUMN note TEXT", "CREATE INDEX of_note ON journal (note)")
    last = ("UPDATE journal SET note = wearer",)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, 0)
        monkeypatch.setattr(migrations, "STEPS", (("no SQL",), later, last))
        migrate(db, 1)
    version, _, rows = content(path)
    assert version == 3
    assert all(row[5] == row[3] for row in rows)


def test_a_step_that_fails_leaves_the_journal_as_it_was(path, monkeypatch):
    before = content(path)
    bad = ("ALTER TABLE journal ADD COLUMN note TEXT", "UPDATE journal SET nowhere = 1")
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, bad))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            migrate(db, 0)
        assert not db.in_transaction
    assert content(path) == before
