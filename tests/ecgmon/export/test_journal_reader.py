"""Reading the journal: complete, while it is written, and with any content."""

import os
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import UsageError
from ecgmon.export import journal_reader as journal_messages
from ecgmon.wire import messages
from tests.ecgmon.export.stored import OTHER, STREAM, T0, StoredFiles, alarm, window
from tests.ecgmon.wire.strategies import TO_VIEWER


def test_all_messages_of_a_wearer_are_read_however_many_rows_there_are(stored, monkeypatch):
    monkeypatch.setattr(journal_messages, "BATCH", 3)
    for second in range(10):
        stored.say(window(second))
        stored.say(messages.Gap(wearer="bob", stream=STREAM, first=0, count=1))
    stored.say(window(0, stream=OTHER))
    stored.say(messages.Gap(wearer="ann", stream=STREAM, first=720, count=30))
    stored.say(alarm(3, "raised"))
    parts = []
    found = journal_messages.read(stored.journal, "ann", parts.append)
    assert [second["first"] for b in found.streams[STREAM].seconds for second in b] == list(
        range(0, 3600, 360)
    )
    assert found.streams[STREAM].gaps == [(720, 30)]
    assert set(found.streams) == {STREAM, OTHER}
    assert [message.kind for _, message in found.others] == ["abnormal"]
    assert found.unreadable == 0
    assert parts == sorted(parts)
    assert (len(parts), parts[-1]) == (5, 1.0)


def test_neither_the_writer_nor_the_reader_waits_for_the_other(stored):
    for second in range(50):
        stored.say(window(second))
    with closing(sqlite3.connect(stored.journal, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO journal VALUES (1000, 0, 'x', 'ann', 'not yet')")

        def meanwhile(_):
            writer.execute("COMMIT")
            writer.execute("DELETE FROM journal WHERE id < 10")
            assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

        found = journal_messages.read(stored.journal, "ann", meanwhile)
    assert len(found.streams[STREAM].seconds[0]) == 50
    assert found.unreadable == 0
    assert journal_messages.read(stored.journal, "ann").unreadable == 1


def test_rows_that_are_none_are_counted_and_left_out(stored):
    stored.say(window(0))
    valid = messages.encode(window(1)).decode()
    for message, time in [
        ("", T0),
        ("{", T0),
        (b"\xff\xfe", T0),
        (7, T0),
        ("[" * 60_000, T0),
        ("x" * 100_000, T0),
        (messages.encode(messages.Subscribed()).decode(), T0),
        (messages.encode(messages.Closed(wearer="bob", stream=STREAM, end=0)).decode(), T0),
        (valid, "never"),
        (valid, -1.0),
        (valid, float("inf")),
        (valid, 1e300),
        (valid.replace("360", str(2**62)), T0),
    ]:
        stored.row(message, time)
    found = stored.journal_messages()
    assert found.unreadable == 13
    assert len(found.streams[STREAM].seconds[0]) == 1


@pytest.mark.thorough
@given(st.lists(TO_VIEWER, max_size=5), st.floats())
@settings(max_examples=20)
def test_any_messages_at_any_time_are_read(tmp_path_factory, found, time):
    stored = StoredFiles(tmp_path_factory.mktemp("stored"))
    for number, message in enumerate(found):
        if time == time:  # SQLite has no NaN
            stored.row(messages.encode(message).decode(), time, "ann", number)
    stored.journal_messages()


def test_ids_far_apart_are_no_more_work(stored):
    for number in (-(2**63), 0, 2**63 - 1):
        stored.row(messages.encode(window(0)).decode(), T0 + 1, number=number)
    assert sum(len(b) for b in stored.journal_messages().streams[STREAM].seconds) == 3


@pytest.mark.parametrize("size", [0, 10, 100, 1000, 4096, 5000])
def test_a_damaged_journal_is_refused_in_a_sentence(stored, size):
    for second in range(50):
        stored.say(window(second))
    with closing(sqlite3.connect(stored.journal)) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    data = bytearray(stored.journal.read_bytes())
    data[size : size + 1500] = os.urandom(1500)
    stored.journal.write_bytes(data[: max(size + 1500, 4500)])
    with pytest.raises(UsageError, match=r"journal.*cannot be read: .*\.$"):
        stored.journal_messages()


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE other (id INTEGER)",
        "CREATE TABLE journal (id INTEGER PRIMARY KEY)",
        "CREATE TABLE journal (id TEXT, time, wearer, message)",
    ],
)
def test_a_database_that_is_no_journal_is_refused(tmp_path, table):
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(table)
        if "TEXT" in table:
            db.execute("INSERT INTO journal VALUES ('a', 1.0, 'ann', 'b')")
            db.execute("INSERT INTO journal VALUES ('b', 1.0, 'ann', 'b')")
    with pytest.raises(UsageError, match="is the database of another program"):
        journal_messages.read(path, "ann")


def test_a_journal_that_is_missing_or_not_a_file_is_reported(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("nowhere", "pipe", "."):
        with pytest.raises(UsageError, match="There is no journal"):
            journal_messages.read(tmp_path / name, "ann")
    assert not (tmp_path / "nowhere").exists()
