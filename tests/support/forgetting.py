"""A state folder with much data of two wearers, and what must be left after forgetting one."""

import json
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from ecgmon.models.store import Store
from monitor.storage.capture import Capture
from monitor.storage.journal import Journal
from replay.simulator.simulation import simulate
from tests.monitor.storage.test_capture import piece
from tests.monitor.storage.test_journal import PAUSED, alarm, window
from tests.support.bundles import write_bundle
from trainer.enrolment import sources

JUNO, BOB = "ward-7-juno", "bob"
OLD = "a line that was removed for its age"
INSERT = "INSERT INTO journal (time, type, wearer, message) VALUES (?, ?, ?, ?)"


def made(folder):
    """A state folder with the same data of two wearers."""
    folder.mkdir()
    capture = Capture(folder / "captured", hours=24)
    journal = Journal(folder / "journal.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECGMON_STATE", str(folder))
        for wearer in (JUNO, BOB):
            capture.append([(wearer, piece(0, 3600 * 180))])
            record = simulate("normal", duration_s=10, wearer=wearer).record
            sources.keep(record, wearer)
            add_models(Store(folder / "models"), wearer, folder.parent / f"{wearer}.onnx")
            journal.append([replace(window(n), wearer=wearer) for n in range(300)])
            others = (alarm(1), alarm(1, "cleared"), alarm(2), PAUSED)
            journal.append([replace(message, wearer=wearer) for message in others])
    capture.flush()
    journal.close()
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        db.execute("PRAGMA secure_delete = OFF")  # as where SQLite was built without it
        row = (0.0, "event", JUNO, OLD)
        db.execute(INSERT, row)
        db.commit()
        db.execute("DELETE FROM journal WHERE time = 0")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert OLD.encode() in (folder / "journal.db").read_bytes()
    return folder


def add_models(store, wearer, path):
    bundle = write_bundle(path, wearer=wearer, history_s=0, look_ahead_s=0, rate=120)
    for _ in range(2):
        store.activate(wearer, store.add(wearer, bundle))


def stored_files(folder):
    """Return what must not change: all files except the journal's, and the journal's lines."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(("journal.db", "forgotten.jsonl"))
    }
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        return files, db.execute("SELECT * FROM journal ORDER BY id").fetchall()


def assert_forgotten(folder, template):
    """Not a byte names the wearer, and of all else each byte is as it was."""
    names = [path for path in folder.rglob("*") if JUNO in path.name]
    holding = [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(text.encode() in path.read_bytes() for text in (JUNO, OLD))
    ]
    assert (names, holding) == ([], [])
    files, lines = stored_files(template)
    expected = {name: data for name, data in files.items() if JUNO not in name}
    assert stored_files(folder) == (expected, [line for line in lines if line[3] != JUNO])


def audit(folder):
    return [json.loads(line) for line in (folder / "forgotten.jsonl").read_text().splitlines()]
