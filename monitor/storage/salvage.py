"""Salvage of a damaged journal: it is moved aside, and its readable rows are copied.

SQLite reads nothing behind a damaged page, so rows are looked for in the bytes of the file: a row
that is whole is found wherever it lies. A message is JSON that begins with its type and ends with
``v``; the bytes before it must be those of a row with this message in SQLite's file format
(https://sqlite.org/fileformat2.html, 1.6 and 2.1).
"""

import os
import re
import sqlite3
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ecgmon.core.errors import ProtocolError, UsageError
from ecgmon.wire.beat_rows import decode_row
from monitor.ops.logs import logger

SEARCHED: Final = 1_000_000_000
"""Bytes at the end of a file that are looked through, some seconds of work."""
WINDOWS_IN: Final = 16_000_000
"""Bytes at the end of a file in which windows and beats are looked for: the latest hour of 16
wearers. They are ten times as many as all other rows, and only the latest are needed to go on."""
CHUNK: Final = 4_000_000
LONGEST: Final = 4096
"""Bytes of the longest row that lies in one page."""
MOST: Final = 200_000
"""Rows kept, the latest ones."""
CHECKED: Final = 32_000_000
"""Bytes of the largest journal that is checked as a whole when it is opened, 0.2 s of work."""
ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the latter where it quotes a damaged file."""
MAGIC: Final = b"SQLite format 3\0"
SIDE_FILES: Final = ("-wal", "-shm")

_BEGIN: Final = re.compile(rb'\{"type":"([a-z-]{1,16})"')
_BEGIN_OF_OTHERS: Final = re.compile(rb'\{"type":"((?!window|beats")[a-z-]{1,16})"')
_END: Final = b'"v":1}'
_DAMAGE: Final = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_ERROR,  # a schema or a message that is not as it was written
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_NOTADB,
)
"""Of all other errors the file is not the cause: no room, no permission, a lock, a failing disk."""

_log = logger(__name__)

Row = tuple[float, str, str, str]
"""Time, type, wearer and message."""


def is_damage(error: Exception) -> bool:
    """Tell whether one of `ERRORS` shows that the file itself is damaged."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in _DAMAGE or isinstance(error, UnicodeDecodeError)


def complaint(db: sqlite3.Connection, path: Path) -> str | None:
    """Return what is wrong inside an open journal, if it is small enough to be checked."""
    if path.stat().st_size > CHECKED:
        return None  # what is damaged is found when it is read or written
    (result,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    return None if result == b"ok" else result.decode(errors="replace")


def was_journal(path: Path) -> bool:
    """Tell whether what is at a path was a monitor's journal: nothing else is ever moved.

    It has the name of one, or the lock of a monitor lies beside it, or it begins as a database.
    """
    if path.suffix == ".db" or path.with_name(f"{path.name}.lock").exists():
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def unusable(path: Path) -> str | None:
    """Return why SQLite must not even open what was a journal; None if it may.

    It would take a file that has lost its content for a new one, and remove the write-ahead log
    beside it, in which the latest rows are.

    Raises
    ------
    UsageError
        If there is a folder with something in it, which is nobody's journal.
    """
    if path.is_dir():
        if any(path.iterdir()):
            raise UsageError(f"{path} is a folder: name a file for the journal.")
        return "a folder is in its place"
    log = path.with_name(f"{path.name}-wal")
    if path.is_file():
        return None if path.stat().st_size else "it is empty"
    alone = not path.exists() and log.is_file() and log.stat().st_size > 0
    return "only its write-ahead log is there" if alone else None


def move_aside(path: Path) -> Path:
    """Rename a journal and the files of its write-ahead log; returns what it is called now.

    Raises
    ------
    UsageError
        If it cannot be renamed.
    """
    path = path.resolve()  # its write-ahead log lies beside the file that a link leads to
    stem = f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    names = (stem, *(f"{stem}-{n}" for n in range(2, 100)))
    aside = next((p for p in map(path.with_name, names) if not p.exists()), path.with_name(stem))
    try:
        for suffix in ("", *SIDE_FILES):
            file = path.with_name(path.name + suffix)
            if file.exists():
                file.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise UsageError(
            f"The journal {path} is damaged and cannot be moved aside ({error.strerror}): "
            "move it away, with its -wal and -shm files."
        ) from error
    return aside


def rows(damaged: Path) -> list[Row]:
    """Return the rows that can be read of a damaged journal, in the order of their ids."""
    found: dict[int, Row] = {}
    for suffix in ("", "-wal"):
        path = damaged.with_name(damaged.name + suffix)
        try:
            for number, row in _rows(path):
                found[number] = row
                if len(found) > 2 * MOST:
                    found = dict(sorted(found.items())[-MOST:])
        except OSError as error:
            if path.is_file():
                _log.error("journal-unreadable", file=path, error=error)
    return [row for _, row in sorted(found.items())[-MOST:]]


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield ids and rows as they lie in a file, again wherever a page was copied.

    May raise `OSError`.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for at in range(max(size - SEARCHED, 0), size, CHUNK):
            file.seek(at)
            data = file.read(CHUNK + LONGEST)
            late = at + CHUNK > size - WINDOWS_IN
            for begin in (_BEGIN if late else _BEGIN_OF_OTHERS).finditer(data):
                if found := _row(data, begin.start(), begin[1].decode()):
                    yield found


def _row(data: bytes, start: int, kind: str) -> tuple[int, Row] | None:
    """Return the id and the row whose message begins at ``start``; None if it is not whole."""
    text = data[start : data.find(_END, start, start + LONGEST) + len(_END)]
    try:
        message, result = decode_row(text), text.decode()
    except (ProtocolError, UnicodeDecodeError):
        return None
    wearer = getattr(message, "wearer", None) or ""
    names = f"{kind}{wearer}".encode()
    types = b"\x00\x07" + b"".join(_varint(13 + 2 * len(part)) for part in (kind, wearer, text))
    head = bytes([len(types) + 1]) + types
    length = _varint(len(head) + 8 + len(names) + len(text))
    at = start - len(names) - 8
    if data[start - len(names) : start] != names or data[at - len(head) : at] != head:
        return None
    end = at - len(head)
    for digits in range(1, 10):  # of the id
        number = data[end - digits : end]
        if data[end - digits - len(length) : end - digits] == length and _is_varint(number):
            (when,) = struct.unpack_from(">d", data, at)
            return _value(number), (when, kind, wearer, result)
    return None


def _varint(value: int) -> bytes:
    """Return a number in SQLite's format: seven bits in a byte, the highest first."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _is_varint(digits: bytes) -> bool:
    return all(digit & 0x80 for digit in digits[:-1]) and digits[-1] < 0x80


def _value(digits: bytes) -> int:
    value = 0
    for digit in digits:
        value = value << 7 | digit & 0x7F
    return value
