"""A monitor's captures and journal, made by hand."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import msgspec
import numpy as np

from ecgmon.export import journal_reader as journal_messages
from ecgmon.export import streams
from ecgmon.records.captured.layout import CapturedHeader
from ecgmon.wire import messages

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
T0 = BEGAN.timestamp()
STREAM, OTHER = f"{7:016x}", f"{8:016x}"
HEADER = CapturedHeader(
    wearer="ann", stream=STREAM, first=0, rate=250.0, gain=200.0, lead="II", began=BEGAN
)
TABLE = (
    "CREATE TABLE journal (id INTEGER PRIMARY KEY, time REAL NOT NULL, "
    "type TEXT NOT NULL, wearer TEXT NOT NULL, message TEXT NOT NULL)"
)


class StoredFiles:
    """The folder of a monitor that watches ann, whose device has 250 Hz."""

    def __init__(self, folder):
        self.captured = folder / "captured"
        self.journal = folder / "journal.db"
        with closing(sqlite3.connect(self.journal)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(TABLE)

    def capture(self, samples, **changes):
        header = msgspec.structs.replace(HEADER, **changes)
        home = self.captured / header.wearer
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{header.name}.hea").write_bytes(header.encode())
        (home / f"{header.name}.dat").write_bytes(np.asarray(samples, dtype="<i2").tobytes())

    def row(self, message, time=T0, wearer="ann", number=None):
        """Write a row, of whatever bytes."""
        with closing(sqlite3.connect(self.journal)) as db, db:
            db.execute("PRAGMA synchronous=OFF")
            db.execute(
                "INSERT INTO journal VALUES (?, ?, 'x', ?, ?)", (number, time, wearer, message)
            )

    def say(self, message, late_s=1.0, stream_began=T0):
        """Write a message to the journal, ``late_s`` seconds after the signal that it is about."""
        time = getattr(message, "time", stream_began + getattr(message, "first", 0) / 360)
        self.row(messages.encode(message).decode(), time + late_s, message.wearer)

    def journal_messages(self):
        return journal_messages.read(self.journal, "ann")

    def streams(self, start=-np.inf, stop=np.inf):
        return streams.streams(self.captured, "ann", self.journal_messages(), start, stop)


def window(second, state="signal", abnormal=False, stream=STREAM, **changes):
    known = state == "signal" and abnormal is not None
    fields = {
        "wearer": "ann",
        "stream": stream,
        "first": 360 * second,
        "state": state,
        "probability": 0.25 if known else None,
        "abnormal": abnormal if known else None,
        "heart_rate": 61.04 if state == "signal" else None,
        "model": "generic",
    }
    return messages.Window(**fields | changes)


def alarm(second, state, number=1, kind="abnormal", **changes):
    fields = {
        "wearer": "ann",
        "stream": STREAM,
        "alarm": number,
        "kind": kind,
        "priority": "medium",
        "category": "physiological",
        "state": state,
        "at": 360 * second,
        "time": T0 + second + 1,
        "text": "too many of them",
    }
    return messages.Alarm(**fields | changes)
