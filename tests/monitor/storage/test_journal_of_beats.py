"""Beats in the journal: few rows, bounded, and found again after a restart or damage."""

import sqlite3
import time
from contextlib import closing

import pytest

from ecgmon.export.journal_reader import read, read_beats
from ecgmon.wire import messages
from ecgmon.wire.beat_rows import BeatRow, Beats, JudgedSecond, decode_row, unpack
from monitor.storage import journal as journal_module
from monitor.storage import salvage
from monitor.storage.journal import Journal

IDS = {"wearer": "ann", "stream": "0000000000000007"}


def beat(at, label="N", **ids):
    return messages.Beat(**IDS | ids, at=at, label=label, probability=0.5, rr=None)


def window(number):
    judged = {"state": "signal", "probability": 0.1, "abnormal": False, "heart_rate": None}
    return messages.Window(**IDS, **judged, first=360 * number, model="generic")


def rows(path):
    with closing(sqlite3.connect(path)) as reader:
        return reader.execute("SELECT type, message FROM journal ORDER BY id").fetchall()


def test_the_beats_between_two_commits_are_one_row_of_each_stream(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        for at in range(0, 900, 300):
            journal.append([beat(at), beat(at + 1, "V", wearer="bob")])
        assert rows(path) == []
        journal.commit()
        found = [decode_row(text.encode()) for _, text in rows(path)]
        assert [(one.wearer, one.at, one.label) for one in found] == [
            ("ann", [0, 300, 600], "NNN"),
            ("bob", [1, 301, 601], "VVV"),
        ]
        journal.append([messages.BeatWithdrawn(**IDS, at=600)])
        journal.commit()
        assert rows(path)[-1][0] == "beat-withdrawn"
        assert journal.next_beat("ann", IDS["stream"]) == 601
        assert journal.next_beat("ann", "0" * 16) == 0


def test_beats_are_in_the_row_of_their_streams_latest_window_and_read_from_it(tmp_path):
    path = tmp_path / "journal.db"
    wanted = [beat(at) for at in (5, 300, 500)]
    with closing(Journal(path)) as journal:
        journal.append([wanted[0], window(0), beat(7, wearer="bob"), window(1), *wanted[1:]])
        journal.commit()
        assert [kind for kind, _ in rows(path)] == ["window", "window", "beats"]
        assert journal.next_beat("ann", IDS["stream"]) == 501
        assert journal.next_window("ann", IDS["stream"]) == 720
        journal.append([beat(at) for at in range(1000, 1003)])  # no window is near
        journal.commit()
        assert journal.next_beat("ann", IDS["stream"]) == 1003
        journal.append([window(2), *(beat(at) for at in range(2000, 2100))])
        journal.commit()
        assert journal.next_beat("ann", IDS["stream"]) == 2100
    found = list(read_beats(path, "ann"))
    assert [(m.first, m.state) for m in found if isinstance(m, messages.Window)] == [
        (0, "signal"),
        (360, "signal"),
        (720, "signal"),
    ]
    beats = [m.at for m in found if isinstance(m, messages.Beat)]
    assert beats == [5, 300, 500, *range(1000, 1003), *range(2000, 2100)]
    (stream,) = read(path, "ann").streams.values()
    assert [second["first"] for batch in stream.seconds for second in batch] == [0, 360, 720]
    rescued = [decode_row(row[3].encode()) for row in salvage.rows(path)]
    assert [type(one) for one in rescued].count(JudgedSecond) == 2
    assert [m.at for one in rescued if isinstance(one, BeatRow) for m in unpack(one)] == [
        *(beats[:3]),
        7,
        *beats[3:],
    ]


def test_beats_wait_with_their_window_for_a_disk_that_fails(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for n in range(3):
                journal.append([window(n), beat(360 * n)])
                journal.commit()
            other.execute("ROLLBACK")
        assert journal.failed
        journal.commit()
    found = [decode_row(text.encode()) for _, text in rows(path)]
    assert [(one.first, one.beats.at) for one in found] == [(0, [0]), (360, [360]), (720, [720])]


def test_many_beats_at_once_are_several_rows(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append([beat(at) for at in range(150)])
    found = [decode_row(text.encode()) for _, text in rows(path)]
    assert [len(one.at) for one in found] == [64, 64, 22]
    assert [b.at for one in found for b in unpack(one)] == list(range(150))


@pytest.mark.parametrize("old", [True, False])
def test_beats_go_as_windows_do(tmp_path, old, monkeypatch):
    monkeypatch.setattr(journal_module, "PRUNED", 3)
    path, now = tmp_path / "journal.db", time.time()
    with closing(Journal(path)) as journal:
        for at in range(5):
            journal.append([beat(at)])
            journal.commit()
        journal.prune(now + 100 if old else now - 100, 0)
        assert len(rows(path)) == (2 if old else 5)


def test_a_disk_that_fails_loses_beats_before_alarms(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "MAX_WAITING", 4)
    path = tmp_path / "journal.db"
    paused = messages.Paused(wearer="ann", kind="abnormal", until=2e9, time=1e9)
    with closing(Journal(path)) as journal:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for at in range(6):
                journal.append([beat(at)] + [paused] * (at == 0))
                journal.commit()
            other.execute("ROLLBACK")
        journal.commit()
        assert journal.lost == 3
    assert [kind for kind, _ in rows(path)].count("paused") == 1
    assert [kind for kind, _ in rows(path)].count("beats") == 3


def test_a_damaged_journal_keeps_its_latest_beats(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append([beat(5), beat(300, "V")])
        journal.append([messages.BeatWithdrawn(**IDS, at=300)])
    found = [decode_row(row[3].encode()) for row in salvage.rows(path)]
    assert [type(one) for one in found] == [messages.BeatWithdrawn, Beats]
    assert found[1].label == "NV"


def test_an_export_lists_no_single_beats_and_counts_none_as_unreadable(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append([beat(5), messages.BeatWithdrawn(**IDS, at=5)])
    content = read(path, "ann")
    assert (content.others, content.unreadable, content.streams) == ([], 0, {})
