"""The journal: all that is published but traces and links, appended to an SQLite file."""

import json
import time
from collections.abc import Collection, Container, Iterator, Sequence
from pathlib import Path
from typing import Final

from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import ProtocolError, UsageError
from ecgmon.wire import messages
from ecgmon.wire.beat_rows import BeatRow, decode_row
from monitor.ops.logs import logger
from monitor.storage import journal_queries as ask
from monitor.storage import salvage
from monitor.storage.journal_database import JournalDatabase
from monitor.storage.open_beats import OpenBeats
from monitor.storage.wall_clock import CLOCK_SET, WallClock

COMMIT_S: Final = 1.0
"""Windows are committed at most this late; alarms at once, before they are published."""
PRUNED: Final = 2_000
"""Most entries removed at once, so that removing never delays an alarm."""

MAX_WAITING: Final = 20_000
"""Most entries that wait for a disk that fails or a file that is locked: about 10 MB, or five
minutes of 64 wearers. Beyond that the oldest windows and beats are lost first."""
LOG_S: Final = 60.0
"""How often a journal that fails is logged, in seconds."""

URGENT: Final = frozenset({messages.Alarm, messages.Paused, messages.Closed})
"""Messages that are published only after they are on disk."""
_AT_ONCE: Final = URGENT | {messages.Opened, messages.Gap}
"""A monitor that goes on after a restart must know who is missed, and the gaps of streams; samples
that are written after these messages are acknowledged."""
_NOT_KEPT: Final = frozenset({messages.Trace, messages.Link})

_log = logger(__name__)


class Journal:
    """The SQLite journal: published messages in the order in which they were published.

    Write-ahead logging lets anybody read while the monitor writes; full synchronisation makes a
    committed alarm survive a power cut.

    Parameters
    ----------
    path : Path
        The SQLite file, made if it is not there.
    database : JournalDatabase, optional
        The file, open already.

    Attributes
    ----------
    failed : bool
        Whether the last commit failed: its messages wait for the next one.
    lost : int
        Messages that will not be written, since this monitor began.

    Raises
    ------
    UsageError
        If it cannot be opened or is no journal.
    """

    def __init__(self, path: Path, database: JournalDatabase | None = None) -> None:
        self._pending: list[salvage.Row] = []
        self._beats = OpenBeats()
        self._committed = time.monotonic()
        self._logged = -LOG_S
        self.failed = False
        self.lost = 0
        self._database = database or JournalDatabase(path)

    @property
    def damaged(self) -> str | None:
        """What became of a journal that was damaged, found since this monitor began."""
        return self._database.damaged

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.commit()
        if self._pending:
            _log.error("journal-closed", lost=self.lost + len(self._pending))
        self._database.close()

    def append(self, published: Sequence[messages.Published]) -> None:
        """Append messages; alarms, gaps, and streams that open are on disk when this returns."""
        now = time.time()
        for m in published:
            if isinstance(m, messages.Beat):
                self._beats.add(m)
                continue
            if isinstance(m, messages.Window):
                self._beats.note(m, len(self._pending))
            if type(m) not in _NOT_KEPT:
                kind, text = str(m.__struct_config__.tag), messages.encode(m).decode()
                self._pending.append((now, kind, m.wearer or "", text))
        at_once = not _AT_ONCE.isdisjoint(map(type, published))
        if at_once or time.monotonic() - self._committed >= COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """Write what is pending; if that fails, it waits for the next commit."""
        self._beats.join(self._pending, time.time())
        if not self._pending:
            return
        try:
            self._database.insert(self._pending)
        except (*salvage.ERRORS, UsageError) as error:
            self._wait(error)
        else:
            if self.failed:
                _log.warning("journal-back", written=len(self._pending), lost=self.lost)
            self.failed = False
            self._pending.clear()
        self._committed = time.monotonic()

    def _wait(self, error: Exception) -> None:
        """Let what is pending wait for the next commit; of too much, the oldest is lost."""
        excess = len(self._pending) - MAX_WAITING
        rest = []
        for row in self._pending:
            if excess > 0 and row[1] in ("window", "beats"):
                excess -= 1
            else:
                rest.append(row)
        rest = rest[-MAX_WAITING:]
        self.lost += len(self._pending) - len(rest)
        self._pending = rest
        now = time.monotonic()
        if not self.failed or now - self._logged >= LOG_S:
            self._logged = now
            _log.error("journal-failed", waiting=len(rest), lost=self.lost, error=error)
        self.failed = True

    def alarms(
        self, wearers: Collection[str] | None = None
    ) -> Iterator[messages.Alarm | messages.Paused]:
        """Yield the entries about alarms of some wearers, or all, oldest first.

        One that cannot be read is left out.
        """
        named = () if wearers is None else (json.dumps([*wearers]),)
        for _, message in self._read(ask.ALARMS_OF if named else ask.ALARMS, *named):
            if isinstance(message, messages.Alarm | messages.Paused):
                yield message

    def unfinished(self, wearers: Container[str] | None = None) -> list[messages.Closed]:
        """Return, for each wearer whose latest stream has not ended, the message that would end it.

        Of some wearers, or of all.

        Its ``end`` is where the stream's windows end. It is published if no device goes on with
        the stream.
        """
        latest: dict[str, messages.Opened | messages.Closed] = {}
        for _, message in self._read(ask.STREAMS):
            if isinstance(message, messages.Opened | messages.Closed):
                latest[message.wearer] = message
        return [
            messages.Closed(wearer=w, stream=m.stream, end=self.next_window(w, m.stream))
            for w, m in latest.items()
            if isinstance(m, messages.Opened) and (wearers is None or w in wearers)
        ]

    def next_window(self, wearer: str, stream: str) -> int:
        """Return the index after the latest window of a wearer's stream; 0 if it has none."""
        for _, message in self._read(ask.LATEST_WINDOW, wearer, stream):
            if isinstance(message, messages.Window):
                return message.first + WINDOW
        return 0

    def next_beat(self, wearer: str, stream: str) -> int:
        """Return the index after the latest beat of a wearer's stream; 0 if none is known."""
        queries = ask.LATEST_BEATS, ask.LATEST_BEATS_OF_WINDOWS
        rows = [row for query in queries for _, row in self._read(query, wearer, stream)]
        return max((row.beats.next for row in rows if isinstance(row, BeatRow)), default=0)

    def wall(self) -> WallClock:
        """Return the wall clock by the time of the newest entry and by its recorded steps."""
        try:
            newest = next(iter(self._database.execute(ask.NEWEST)), None)
        except salvage.ERRORS:  # a journal that cannot be read is reported elsewhere
            return WallClock()
        steps = (m for _, m in self._read(ask.STEPS, CLOCK_SET) if isinstance(m, messages.Event))
        return WallClock(newest[0] if newest else None, steps)

    def gaps(self, wearer: str, stream: str) -> Iterator[messages.Gap]:
        """Yield the latest gaps of a wearer's stream, newest first."""
        for _, message in self._read(ask.GAPS, wearer, stream):
            if isinstance(message, messages.Gap):
                yield message

    def past(self, request: messages.History) -> messages.Past:
        """Return entries about alarms before the requested one, newest first."""
        before = 2**62 if request.before is None else request.before
        if request.wearer is None:
            rows = list(self._read(ask.PAST, before, request.limit))
        else:
            rows = list(self._read(ask.PAST_OF_ONE, request.wearer, before, request.limit))
        entries = [m for _, m in rows if isinstance(m, messages.Alarm | messages.Paused)]
        return messages.Past(entries=entries, before=rows[-1][0] if rows else None)

    def prune(self, windows_before: float, others_before: float) -> bool:
        """Remove up to `PRUNED` windows, rows of beats, and other entries that are too old.

        What shows that an alarm stands or a stream is open stays, however old it is.

        Parameters
        ----------
        windows_before, others_before : float
            Times of the wall clock; what is older is too old. Beats go as windows do.

        Returns
        -------
        bool
            Whether more may be too old.
        """
        removed = []
        try:
            for query, *values in (
                (ask.PRUNE_WINDOWS, windows_before, PRUNED),
                (ask.PRUNE_BEATS, PRUNED, windows_before),
                (ask.PRUNE_OTHERS, others_before, PRUNED),
            ):
                self._database.execute(query, *values)
                removed += self._database.execute("SELECT changes()")
        except (*salvage.ERRORS, UsageError) as error:
            _log.warning("journal-not-pruned", error=error)
        return (PRUNED,) in removed

    def _read(
        self, query: str, *values: object
    ) -> Iterator[tuple[int, messages.ToViewer | BeatRow]]:
        """Yield id and message of each row that can be read; raises `UsageError` if none can."""
        try:
            rows = self._database.execute(query, *values)
        except salvage.ERRORS as error:
            raise UsageError(
                f"The journal {self._database.path} cannot be read ({error}): move it away and "
                "start anew."
            ) from error
        for number, text in rows:
            try:
                yield number, decode_row(text if isinstance(text, bytes) else b"")
            except ProtocolError as error:
                _log.warning("journal-unreadable", entry=number, error=error)
