"""The journal's promise: a published alarm is on disk, whatever happens to the process."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ecgmon.core.errors import UsageError
from ecgmon.records.captured.journal_schema import LAYOUT
from ecgmon.wire import messages
from monitor.storage import journal as journal_module
from monitor.storage import journal_queries
from monitor.storage.journal import Journal
from tests.support.subprocesses import PATIENCE_S

ROOT = Path(__file__).parents[3]
IDS = {"wearer": "203", "stream": "0000000000000007"}
OPENED = messages.Opened(
    **IDS, lead="II", rate=360, model="generic", threshold=0.5, look_ahead_s=0.5
)
PAUSED = messages.Paused(wearer="203", kind="abnormal", until=2e9, time=1e9, by="a nurse")


def alarm(number, state="raised"):
    kind = {"kind": "asystole", "priority": "high", "category": "physiological", "text": "no beat"}
    return messages.Alarm(**IDS, **kind, alarm=number + 1, state=state, at=number, time=1e9)


def window(number):
    judged = {"state": "signal", "probability": 0.1, "abnormal": False, "heart_rate": None}
    return messages.Window(**IDS, **judged, first=360 * number, model="generic")


def stored(path):
    """Read the journal as anybody may, from a connection of one's own."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        query = "SELECT id, type, wearer, message FROM journal ORDER BY id"
        rows = reader.execute(query).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    read = [messages.decode_to_viewer(row[3].encode()) for row in rows]
    assert [(m.__struct_config__.tag, m.wearer) for m in read] == [row[1:3] for row in rows]
    return read


def test_an_alarm_and_what_came_before_it_is_durable_when_append_returns(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal_messages = []
        for number in range(5):
            batch = [window(number), alarm(number), alarm(number, "cleared")]
            journal.append(batch)
            journal_messages += batch
            assert stored(path) == journal_messages


def test_windows_wait_at_most_a_second_and_for_the_close(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append([window(0)])
        start_s = time.monotonic()
        while not stored(path):
            assert time.monotonic() - start_s < PATIENCE_S
            time.sleep(0.02)
            journal.append([])  # as every tick does
        assert stored(path) == [window(0)]
        journal.append([window(1)])
    assert stored(path) == [window(0), window(1)]


def test_traces_and_links_are_not_stored(tmp_path):
    path = tmp_path / "journal.db"
    gap = messages.Gap(**IDS, first=5, count=7)
    with closing(Journal(path)) as journal:
        trace = messages.Trace(**IDS, first=0, samples=b"\0\0")
        link = messages.Link(**IDS, received=1, missing=0, repeated=0, lag_s=0.0)
        journal.append([trace, gap, link])
    assert stored(path) == [gap]


def test_a_journal_goes_on_where_it_was(tmp_path):
    path = tmp_path / "journal.db"
    for number in range(3):
        with closing(Journal(path)) as journal:
            journal.append([alarm(number)])
    assert stored(path) == [alarm(0), alarm(1), alarm(2)]


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "journal.db"
    for table in ("journal (id INTEGER PRIMARY KEY, entry TEXT)", "notes (text TEXT)"):
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as other:
            other.execute(f"CREATE TABLE {table}")
        before = path.read_bytes()
        with pytest.raises(UsageError, match="is the database of another program"):
            Journal(path)
        assert path.read_bytes() == before


def test_a_newer_journal_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "journal.db"
    Journal(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {LAYOUT + 1}")
    with pytest.raises(UsageError, match="was written by a newer ecgmon"):
        Journal(path)


def test_a_folder_or_a_place_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "journal.db" / "something").mkdir(parents=True)
    with pytest.raises(UsageError, match="is a folder: name a file"):
        Journal(tmp_path / "journal.db")
    with pytest.raises(UsageError, match="cannot be opened: No such file"):
        Journal(tmp_path / "nowhere" / "journal.db")


def test_of_too_much_that_waits_the_oldest_windows_are_lost_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "MAX_WAITING", 4)
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.append([window(0), alarm(0), window(1), alarm(1), window(2), window(3)])
        assert journal.lost == 2
        journal.append([alarm(2), alarm(3), alarm(4)])
        assert journal.lost == 5
        other.execute("ROLLBACK")
    assert stored(path) == [alarm(1), alarm(2), alarm(3), alarm(4)]


def test_active_alarms_and_open_streams_are_found_again(tmp_path):
    left = msgspec.structs.replace(OPENED, wearer="119")
    closed = messages.Closed(wearer="119", stream=IDS["stream"], end=5)
    journal_messages = [
        OPENED,
        left,
        window(0),
        alarm(0),
        closed,
        PAUSED,
        window(1),
        alarm(0, "cleared"),
    ]
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.append(journal_messages)
        assert list(journal.alarms()) == [alarm(0), PAUSED, alarm(0, "cleared")]
        assert journal.unfinished() == [messages.Closed(**IDS, end=720)]
        assert journal.next_window("203", IDS["stream"]) == 720
        assert journal.next_window("203", messages.stream_id(8)) == 0
        assert journal.next_window("119", IDS["stream"]) == 0


def test_the_past_comes_in_pages_newest_first(tmp_path):
    with closing(Journal(tmp_path / "journal.db")) as journal:
        for number in range(7):
            journal.append([window(number), alarm(number)])
        other = msgspec.structs.replace(alarm(7), wearer="119")
        own = msgspec.structs.replace(alarm(8), wearer=None)
        journal.append([other, PAUSED, own])

        def pages(wearer, limit):
            found, before = [], None
            while True:
                past = journal.past(messages.History(wearer=wearer, before=before, limit=limit))
                if past.before is None:
                    assert past.entries == []
                    return found
                assert 1 <= len(past.entries) <= limit
                found, before = found + past.entries, past.before

        mine = [alarm(number) for number in range(7)]
        for limit in (1, 3, 50):
            assert pages("203", limit) == [PAUSED, *reversed(mine)]
            assert pages("119", limit) == [other]
            assert pages("nobody", limit) == []
            assert pages(None, limit) == [own, PAUSED, other, *reversed(mine)]


def test_old_windows_are_removed_before_old_alarms_and_some_at_a_time(tmp_path, monkeypatch):
    path, day_s = tmp_path / "journal.db", 86_400
    with closing(Journal(path)) as journal:
        for age_days in (40, 10, 0):
            monkeypatch.setattr(time, "time", lambda age=age_days: 2e9 - age * day_s)
            journal.append([window(age_days), alarm(age_days, "cleared")])
        monkeypatch.setattr(journal_module, "PRUNED", 1)
        left = []
        for _ in range(3):
            more = journal.prune(2e9 - 7 * day_s, 2e9 - 30 * day_s)
            left.append((len(journal_messages(path)), more))
        # Of six, at most one window and one of anything each time.
        assert left == [(4, True), (3, True), (3, False)]
    assert journal_messages(path) == [alarm(10, "cleared"), window(0), alarm(0, "cleared")]


def test_active_alarms_and_open_streams_stay_however_old_they_are(tmp_path):
    other = msgspec.structs.replace(OPENED, wearer="119")
    long_ago = [OPENED, other, alarm(1), alarm(1, "latched"), alarm(2), other]
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.append([*long_ago, messages.Closed(wearer="119", stream=IDS["stream"], end=5)])
        journal.append([alarm(2, "cleared")])
        journal.prune(float("inf"), float("inf"))
    assert journal_messages(tmp_path / "journal.db") == [OPENED, alarm(1, "latched")]


def test_looking_for_what_is_old_reads_nothing_that_is_not(tmp_path):
    with closing(Journal(tmp_path / "journal.db")) as journal:
        for query in (journal_queries.PRUNE_WINDOWS, journal_queries.PRUNE_OTHERS):
            plan = journal._database.execute(f"EXPLAIN QUERY PLAN {query}", 0.0, 1)
            steps = [step.decode() for *_, step in plan]
            assert not [step for step in steps if step.startswith("SCAN") or "B-TREE" in step]


def test_an_entry_that_cannot_be_read_is_left_out(tmp_path, caplog):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append([alarm(number) for number in range(500)])
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE journal SET message = '{}' WHERE id = 3")
            other.execute("UPDATE journal SET message = x'ff' WHERE id = 4")
        assert len(list(journal.alarms())) == 498
        assert "event=journal-unreadable entry=3" in caplog.text


def journal_messages(path):
    with closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT message FROM journal ORDER BY id").fetchall()
    return [messages.decode_to_viewer(text.encode()) for (text,) in rows]


def test_two_monitors_cannot_write_to_one_journal(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)), pytest.raises(UsageError, match="Another monitor writes"):
        Journal(path)
    Journal(path).close()  # it has let go
