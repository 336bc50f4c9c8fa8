"""A damaged journal stops no monitor from starting, and its readable rows are saved."""

import os
import random
import shutil
import sqlite3
from contextlib import closing

import msgspec
import pytest

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.storage import salvage
from monitor.storage.journal import Journal
from tests.monitor.storage.test_journal import IDS, OPENED, PAUSED, alarm, journal_messages, window
from tests.support.rig import Rig

PAGE = 4096
OTHER = msgspec.structs.replace(OPENED, wearer="119")
PUBLISHED = [
    OPENED,
    OTHER,
    *(each for n in range(60) for each in (window(2 * n), window(2 * n + 1), alarm(n))),
    *(alarm(n, "cleared") for n in range(58)),
    PAUSED,
    messages.Closed(wearer="119", stream=IDS["stream"], end=5),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a journal that is as it should be."""
    path = tmp_path_factory.mktemp("sound") / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append(PUBLISHED)
    return path.read_bytes()


def read(message):
    """Return a message as it is read: numbers become what their field is."""
    return messages.decode_to_viewer(messages.encode(message))


def active(journal):
    """Return the alarms that are active by a journal."""
    latest = {m.alarm: m for m in journal.alarms() if isinstance(m, messages.Alarm)}
    return sorted(number for number, m in latest.items() if m.state != "cleared")


def asides(folder):
    names = (path.name for path in folder.iterdir() if ".damaged-" in path.name)
    return sorted(name for name in names if not name.endswith(salvage.SIDE_FILES))


def overwritten(data, chance):
    """Return a file of which something is not as it was written."""
    damaged = bytearray(data)
    match chance.randrange(4):
        case 0:
            del damaged[chance.randrange(len(damaged)) :]
        case 1:
            for at in chance.sample(range(0, len(damaged), PAGE), 3):
                damaged[at : at + PAGE] = chance.randbytes(PAGE)
        case 2:
            for _ in range(50):
                damaged[chance.randrange(100, len(damaged))] = chance.randrange(256)
        case 3:
            at = chance.randrange(len(damaged))
            damaged[at : at + 3 * PAGE] = bytes(len(damaged[at : at + 3 * PAGE]))
    return bytes(damaged)


def found_in(data):
    """Return the rows of `PUBLISHED` whose bytes are complete in a file."""
    return {repr(m) for m in PUBLISHED if messages.encode(m) in data}


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happened_to_its_file_the_journal_opens_and_stores_messages(
    tmp_path, sound, seed, caplog
):
    path = tmp_path / "journal.db"
    path.write_bytes(overwritten(sound, random.Random(seed)))  # noqa: S311 - not secrecy
    before = path.read_bytes()
    with closing(Journal(path)) as journal:
        list(journal.alarms())
        journal.unfinished()
        journal.append([alarm(1000)])
        journal.prune(1e5, 1e5)
        journal.append([alarm(1001)])
        assert not journal.failed
        found_messages = {repr(m) for m in journal.alarms()}
        assert repr(alarm(1001)) in found_messages
        if journal.damaged is None:
            assert not asides(tmp_path)
            return
        assert (tmp_path / asides(tmp_path)[0]).read_bytes() == before
        assert "event=journal-damaged" in caplog.text
        # Not all complete rows: one is also lost if the few bytes before it are damaged.
        readable = {m for m in found_in(before) if m.startswith(("Alarm", "Paused"))}
        assert len(readable - found_messages) <= 8


def test_rows_are_salvaged_once_in_their_order_with_the_latest_state_of_each_alarm(tmp_path, sound):
    path = tmp_path / "journal.db"
    path.write_bytes(b"\xaa" * PAGE + sound[PAGE:])  # the first page holds the places of all others
    with closing(Journal(path)) as journal:
        assert journal.damaged is not None
        assert f"{len(PUBLISHED)} of its entries" in journal.damaged
        assert active(journal) == [59, 60]
        assert journal.unfinished() == [messages.Closed(**IDS, end=120 * 360)]
    assert list(map(messages.encode, journal_messages(path))) == list(
        map(messages.encode, map(read, PUBLISHED))
    )


def test_the_write_ahead_log_of_a_damaged_file_is_read_as_well(tmp_path, sound):
    first = tmp_path / "first"
    first.mkdir()
    with closing(Journal(first / "journal.db")) as journal:
        journal.append(PUBLISHED)
        for suffix in ("", "-wal"):
            shutil.copyfile(first / f"journal.db{suffix}", tmp_path / f"journal.db{suffix}")
    assert (tmp_path / "journal.db-wal").stat().st_size > PAGE
    (tmp_path / "journal.db").write_bytes(b"")
    with closing(Journal(tmp_path / "journal.db")) as journal:
        assert active(journal) == [59, 60]
    (aside,) = asides(tmp_path)
    assert (tmp_path / f"{aside}-wal").exists()


@pytest.mark.parametrize("damage", ["empty", "text", "folder", "log alone", "half a page"])
def test_what_is_no_database_is_moved_aside(tmp_path, damage):
    path = tmp_path / "journal.db"
    match damage:
        case "empty":
            path.touch()
        case "text":
            path.write_text("not a database " * 500)
        case "folder":
            path.mkdir()
        case "log alone":
            path.with_name("journal.db-wal").write_bytes(b"\x37" * 100)
        case "half a page":
            path.write_bytes(b"SQLite format 3\0" + bytes(1000))
    with closing(Journal(path)) as journal:
        assert journal.damaged is not None
        journal.append([alarm(1)])
        assert not journal.failed
    assert journal_messages(path) == [alarm(1)]
    stored = [p for p in tmp_path.iterdir() if ".damaged-" in p.name]
    assert len(stored) == 1


@pytest.mark.parametrize("content", [b"a record of somebody's", b"", None])
def test_what_never_was_a_journal_is_not_moved(tmp_path, content):
    path = tmp_path / "100.dat"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    if content == b"":
        Journal(path).close()  # somebody has made room for one
    else:
        for _ in range(2):
            with pytest.raises(UsageError, match="cannot be opened"):
                Journal(path)
    assert not asides(tmp_path)


def test_each_that_is_moved_aside_has_a_name_of_its_own(tmp_path):
    path = tmp_path / "journal.db"
    for _ in range(3):
        path.write_text("nothing of ours")
        Journal(path).close()
    assert len(asides(tmp_path)) == 3


def test_a_file_that_a_link_leads_to_is_moved_where_it_is(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.db").write_text("nothing of ours")
    (tmp_path / "journal.db").symlink_to(tmp_path / "there" / "real.db")
    Journal(tmp_path / "journal.db").close()
    assert (tmp_path / "journal.db").is_symlink()
    assert len(asides(tmp_path / "there")) == 1


def test_what_cannot_be_moved_aside_is_refused_with_what_to_do(tmp_path, monkeypatch):
    path = tmp_path / "journal.db"
    path.write_text("nothing of ours")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "rename", refuse)
    with pytest.raises(UsageError, match=r"cannot be moved aside .*: move it away"):
        Journal(path)


def test_a_journal_that_is_damaged_while_it_is_written_is_replaced_at_once(tmp_path, caplog):
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append(PUBLISHED)
        journal._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.seek(PAGE)
            file.write(os.urandom(path.stat().st_size - PAGE))
        with closing(sqlite3.connect(path)) as other:  # what the other one had in mind is old
            other.execute("PRAGMA user_version = 1")
        for number in range(100, 104):
            journal.append([window(number), alarm(number)])
        assert not journal.failed
        assert journal.damaged is not None
        assert {m.alarm for m in journal.alarms()} >= set(range(101, 105))


def test_a_monitor_starts_and_says_so_until_it_is_acknowledged(tmp_path, sound, monkeypatch):
    monkeypatch.setattr("monitor.daemon.LINK_S", 0.05)
    (tmp_path / "journal.db").write_bytes(b"\xaa" * PAGE + sound[PAGE:])
    with Rig(tmp_path) as rig:
        listener = rig.newcomer().subscribed()
        damaged = listener.until(messages.Alarm, None, kind="journal")
        assert (damaged.state, damaged.priority) == ("raised", "medium")
        assert asides(tmp_path)[0] in damaged.text
        assert {m.alarm for m in listener.all(messages.Alarm, "203")} == {60}
        request = messages.Acknowledge(wearer=None, alarm=damaged.alarm, by="Ann")
        assert listener.asks(request) == messages.Done()
        listener.until(messages.Alarm, None, kind="journal", state="cleared")
    with Rig(tmp_path) as rig:
        listener = rig.newcomer().subscribed()
        assert {m.alarm for m in listener.all(messages.Alarm, "203")} == {60}
        assert listener.all(messages.Alarm, None) == []


def test_a_restart_ends_the_alarm(tmp_path, monkeypatch):
    monkeypatch.setattr("monitor.daemon.LINK_S", 0.05)
    (tmp_path / "journal.db").touch()
    with Rig(tmp_path) as rig:
        rig.newcomer().subscribed().until(messages.Alarm, None, kind="journal", state="raised")
    with Rig(tmp_path) as rig:
        rig.newcomer().subscribed().until(messages.Alarm, None, kind="journal", state="cleared")


def test_alarms_active_when_it_was_damaged_are_active_after_a_restart(tmp_path, monkeypatch):
    """Even what cannot be read of the file is known to the monitor that runs."""
    monkeypatch.setattr("monitor.daemon.LINK_S", 0.05)
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.append(PUBLISHED)
    with Rig(tmp_path) as rig:
        listener = rig.listener()
        db = rig.monitor._disk._journal._database
        monkeypatch.setattr(salvage, "rows", lambda _: [])
        rig.device().greet("bob", 9)
        broken = sqlite3.DatabaseError("disk image is malformed")
        broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        db._db.close()
        db._db = Broken(broken)
        listener.until(messages.Alarm, None, kind="journal", state="raised")
    with Rig(tmp_path) as rig:
        listener = rig.newcomer().subscribed()
        assert {m.alarm for m in listener.all(messages.Alarm, "203")} == {60}
        assert listener.all(messages.Alarm, None)


class Broken:
    """A connection to a file that is damaged."""

    in_transaction = False

    def __init__(self, error):
        self.error = error

    def execute(self, *_):
        raise self.error

    def close(self):
        pass
