"""A journal whose writer is killed, whose disk is full, or whose file is locked."""

import logging
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ecgmon.wire import messages
from monitor.storage.journal import Journal
from tests.monitor.storage.test_journal import IDS, OPENED, PAUSED, alarm, stored, window
from tests.support.subprocesses import python, start

ROOT = Path(__file__).parents[3]

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from monitor.storage.journal import Journal
from tests.monitor.storage.test_journal import alarm, window

journal, number = Journal(Path(sys.argv[1])), int(sys.argv[2])
while True:
    journal.append([window(number), window(number + 1)])
    journal.append([alarm(number + 2)])
    number += 3
    print(number, flush=True)
"""


@pytest.mark.thorough
def test_a_killed_writer_leaves_a_prefix_with_every_alarm_that_append_returned_for(tmp_path):
    path, rng = tmp_path / "journal.db", np.random.default_rng(1)
    number = 0
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        with start(sys.executable, "-c", WRITER, path, number, ROOT, folder=folder) as writer:
            writer.wait_for(r"\d\n")
            time.sleep(float(rng.uniform(0, 0.05)))
            writer.process.kill()
            reported = int(writer.end().out.rpartition("\n")[0].split()[-1])
        read = stored(path)
        assert read == [alarm(i) if i % 3 == 2 else window(i) for i in range(len(read))]
        assert len(read) >= reported > number
        assert len(read) % 3 == 0  # the windows before an alarm come with it, or not at all
        number = len(read)
    with closing(Journal(path)) as journal:
        journal.append([alarm(number)])
    assert stored(path)[-1] == alarm(number)


FULL_DISK = """
import logging, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ecgmon.wire import messages
from monitor.storage.journal import Journal
from tests.monitor.storage.test_journal import alarm, stored, window

path = Path(sys.argv[1])
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
journal = Journal(path)
journal.append([alarm(0)])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def disk(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

for again in range(2):
    disk(20_000)
    for number in range(200):
        journal.append([window(number), alarm(number)])  # never raises
    assert journal.failed
    disk(hard)
    journal.append([alarm(5000 + again)])
    assert not journal.failed
disk(20_000)
journal.append([window(number) for number in range(1000)])
journal.close()
disk(hard)
while_full = [each for number in range(200) for each in (window(number), alarm(number))]
assert stored(path) == [alarm(0), *while_full, alarm(5000), *while_full, alarm(5001)]
print("survived")
"""


def test_a_full_disk_is_logged_and_pending_messages_are_written_when_there_is_room(tmp_path):
    outcome = python(FULL_DISK, tmp_path / "journal.db", ROOT)
    assert (outcome.code, outcome.out) == (0, "survived\n"), outcome.err
    found_messages = [
        line.split(" ", 2)[2].partition(" error=")[0] for line in outcome.err.splitlines()
    ]
    failed, back = "event=journal-failed waiting=2 lost=0", "event=journal-back written=401 lost=0"
    at_the_end = ["event=journal-failed waiting=1000 lost=0", "event=journal-closed lost=1000"]
    assert found_messages == [failed, back, failed, back, *at_the_end]


def test_another_writer_that_locks_the_file_delays_rows_and_loses_none(tmp_path, caplog):
    path = tmp_path / "journal.db"
    gap = messages.Gap(**IDS, first=5, count=7)
    with closing(Journal(path)) as journal, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.append([OPENED, window(0), alarm(0), PAUSED, gap])
        assert journal.failed
        other.execute("ROLLBACK")
        journal.append([alarm(1)])
        assert not journal.failed
    assert stored(path) == [OPENED, window(0), alarm(0), PAUSED, gap, alarm(1)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "database is locked" in caplog.text
