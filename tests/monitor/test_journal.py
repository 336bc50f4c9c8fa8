"""What the journal promises: an alert is on disk once said, whatever happens to the process."""

import logging
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ecgmon.errors import UsageError
from ecgmon.wire import messages
from monitor.journal import Journal
from tests.cli.subprocesses import PATIENCE_S, python, start

ROOT = Path(__file__).parents[2]
IDS = {"wearer": "203", "stream": "0000000000000007"}


def alert(number, state="raised"):
    kind = {"kind": "asystole", "priority": "high", "text": "no beat for 4 seconds"}
    return messages.Alert(**IDS, **kind, alert=number, state=state, at=number)


def window(number):
    judged = {"state": "signal", "probability": 0.1, "abnormal": False, "heart_rate": None}
    return messages.Window(**IDS, **judged, first=360 * number, model="generic")


def kept(path):
    """Read the journal as anybody may, from a connection of one's own."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        query = "SELECT id, type, wearer, message FROM journal ORDER BY id"
        rows = reader.execute(query).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    read = [messages.decode_published(row[3].encode()) for row in rows]
    assert [(type(m).__name__.lower(), m.wearer) for m in read] == [row[1:3] for row in rows]
    return read


def test_an_alert_and_what_came_before_it_is_durable_when_append_returns(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        said = []
        for number in range(5):
            batch = [window(number), alert(number), alert(number, "cleared")]
            journal.append(batch)
            said += batch
            assert kept(path) == said


def test_windows_wait_at_most_a_second_and_for_the_close(tmp_path):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append([window(0)])
        start_s = time.monotonic()
        while not kept(path):
            assert time.monotonic() - start_s < PATIENCE_S
            time.sleep(0.02)
            journal.append([])  # as every tick does
        assert kept(path) == [window(0)]
        journal.append([window(1)])
    assert kept(path) == [window(0), window(1)]


def test_traces_and_links_are_not_kept(tmp_path):
    path = tmp_path / "journal.db"
    gap = messages.Gap(**IDS, first=5, count=7)
    with closing(Journal(path)) as journal:
        trace = messages.Trace(**IDS, first=0, samples=b"\0\0")
        link = messages.Link(**IDS, received=1, missing=0, repeated=0, lag_s=0.0)
        journal.append([trace, gap, link])
    assert kept(path) == [gap]


def test_a_journal_goes_on_where_it_was(tmp_path):
    path = tmp_path / "journal.db"
    for number in range(3):
        with closing(Journal(path)) as journal:
            journal.append([alert(number)])
    assert kept(path) == [alert(0), alert(1), alert(2)]


def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "journal.db"
    for content in (b"hello", b"not a database " * 500, np.random.default_rng(1).bytes(8192)):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"The journal .*journal\.db cannot be opened: "):
            Journal(path)
        assert path.read_bytes() == content


def test_another_programs_table_is_refused(tmp_path):
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE journal (id INTEGER PRIMARY KEY, entry TEXT)")
    with pytest.raises(UsageError, match="no such column"):
        Journal(path)


def test_a_folder_or_a_place_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere" / "journal.db"):
        with pytest.raises(UsageError, match="unable to open database file"):
            Journal(path)


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from monitor.journal import Journal
from tests.monitor.test_journal import alert, window

journal, number = Journal(Path(sys.argv[1])), int(sys.argv[2])
while True:
    journal.append([window(number), window(number + 1)])
    journal.append([alert(number + 2)])
    number += 3
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_a_prefix_with_every_alert_that_append_returned_for(tmp_path):
    path, rng = tmp_path / "journal.db", np.random.default_rng(1)
    number = 0
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        with start(sys.executable, "-c", WRITER, path, number, ROOT, folder=folder) as writer:
            writer.wait_for(r"\d\n")
            time.sleep(float(rng.uniform(0, 0.05)))
            writer.process.kill()
            reported = int(writer.end().out.rpartition("\n")[0].split()[-1])
        read = kept(path)
        assert read == [alert(i) if i % 3 == 2 else window(i) for i in range(len(read))]
        assert len(read) >= reported > number
        assert len(read) % 3 == 0  # the windows before an alert come with it, or not at all
        number = len(read)
    with closing(Journal(path)) as journal:
        journal.append([alert(number)])
    assert kept(path)[-1] == alert(number)


FULL_DISK = """
import logging, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from monitor.journal import Journal
from tests.monitor.test_journal import alert, kept

path = Path(sys.argv[1])
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
journal = Journal(path)
journal.append([alert(0)])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def disk(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

for again in range(2):
    disk(20_000)
    for number in range(1000):
        journal.append([alert(number)])  # never raises
    disk(hard)
    journal.append([alert(5000 + again)])
disk(20_000)
journal.append([alert(number) for number in range(1000)])
journal.close()
disk(hard)
read = kept(path)
assert read[0] == alert(0)
assert {alert(5000), alert(5001)} < set(read)
assert len(read) < 1000
print("survived")
"""


def test_a_full_disk_is_logged_once_each_time_and_never_stops_the_monitor(tmp_path):
    outcome = python(FULL_DISK, tmp_path / "journal.db", ROOT)
    assert (outcome.code, outcome.out) == (0, "survived\n"), outcome.err
    complaints = [line.split()[:4] for line in outcome.err.splitlines()]
    begin = ["ERROR", "monitor.journal", "journal=failed"]
    assert complaints == [[*begin, f"lost={lost}"] for lost in (1, 1, 1000)]


def test_a_writer_that_holds_the_file_is_waited_for_then_logged(tmp_path, caplog):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.append([alert(0)])
        other.execute("ROLLBACK")
        journal.append([alert(1)])
    assert kept(path) == [alert(1)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "database is locked" in caplog.text
