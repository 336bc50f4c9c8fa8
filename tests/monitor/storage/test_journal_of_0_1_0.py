"""A journal that version 0.1.0 wrote is read, and goes on as one of today's."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ecgmon.export import journal_reader as journal_messages
from ecgmon.records.captured.journal_schema import LAYOUT
from ecgmon.wire import messages
from monitor.storage.journal import Journal
from tests.monitor.storage.test_journal import alarm
from tests.support.rig import Rig

EARLIER = Path(__file__).parents[2] / "fixtures" / "0.1.0" / "journal.db"
ANN, BOB = messages.stream_id(7), messages.stream_id(8)


@pytest.fixture
def path(tmp_path):
    return shutil.copyfile(EARLIER, tmp_path / "journal.db")


def layout(path):
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_all_that_it_says_is_read_and_its_layout_is_today_s_from_then_on(path):
    assert layout(path) == 0
    with closing(Journal(path)) as journal:
        assert journal.damaged is None
        found_messages = [
            (m.wearer, m.alarm, m.kind, m.state, m.at, m.by)
            if isinstance(m, messages.Alarm)
            else (m.wearer, m.kind, m.until - m.time, m.by)
            for m in journal.alarms()
        ]
        assert found_messages == [
            ("ann", 1, "asystole", "raised", 12097, None),
            ("ann", 1, "asystole", "latched", 15514, None),
            ("bob", 1, "no-signal", "raised", 1440, None),
            ("bob", 1, "no-signal", "acknowledged", 1440, "Ann"),
            ("bob", "abnormal", 600, "Ann"),
            ("bob", 1, "no-signal", "cleared", 10440, None),
        ]
        assert journal.unfinished() == [messages.Closed(wearer="ann", stream=ANN, end=71 * 360)]
        assert journal.next_window("bob", BOB) == 45 * 360
        journal.append([alarm(1)])
    assert layout(path) == LAYOUT
    with closing(Journal(path)) as journal:
        assert len(list(journal.alarms())) == 7


def test_it_is_exported(path):
    for _ in range(2):  # as it was, and as it has become
        of_bob = journal_messages.read(path, "bob")
        stream = of_bob.streams[BOB]
        assert (len(stream.seconds[0]), stream.gaps) == (45, [(2160, 7200)])
        assert not of_bob.unreadable
        Journal(path).close()


def test_a_monitor_goes_on_from_it(path, tmp_path):
    with Rig(tmp_path) as rig:
        listener = rig.newcomer().subscribed()
        (latched,) = listener.all(messages.Alarm, "ann")
        assert (latched.kind, latched.state) == ("asystole", "latched")
        request = messages.Acknowledge(wearer="ann", alarm=latched.alarm, by="Ann")
        assert listener.asks(request) == messages.Done()
        assert listener.until(messages.Alarm, "ann", state="cleared").alarm == 1
