"""Look-ups in the storage thread: what is on disk of a stream that a device continues."""

from collections.abc import Callable
from pathlib import Path

from ecgmon.wire import messages
from monitor.storage.disk_jobs import ReadRequest
from monitor.storage.journal import Journal
from monitor.storage.recovery import recover_stream
from monitor.storage.writer import WRITE_TIMEOUT_S, StorageWriter
from monitor.wearers.stream_tail import StreamTail


class StreamLookups:
    """Look-ups that run: a disk that hangs makes no device wait longer than `WRITE_TIMEOUT_S`.

    Parameters
    ----------
    folder : Path or None
        Where signals are captured; None if they are not.
    journal : Journal
        Read in the storage thread.
    disk : StorageWriter
        Where the look-ups are done.
    """

    def __init__(self, folder: Path | None, journal: Journal, disk: StorageWriter) -> None:
        self._folder = folder
        self._journal = journal
        self._disk = disk
        self._running: dict[ReadRequest, Callable[[StreamTail | None], None]] = {}

    def start(self, hello: messages.Hello, then: Callable[[StreamTail | None], None]) -> None:
        """Look up the stream of a hello, after all that was handed over to the disk before.

        Parameters
        ----------
        hello : Hello
            Names wearer and stream.
        then : callable
            Called in the loop, once, with what was found; with None if that is nothing or comes
            too late.
        """

        def look_up() -> Callable[[], None]:
            tail = (
                recover_stream(self._folder, self._journal, hello.wearer, hello.stream)
                if self._folder
                else None
            )
            return lambda: self._finish(request, tail)

        request = ReadRequest(look_up, hello.wearer)
        self._running[request] = then
        self._disk.hand_over(request)

    def expire(self, now: float) -> None:
        """Go on without those that take too long; call it every tick."""
        for request in [r for r in self._running if now - r.queued >= WRITE_TIMEOUT_S]:
            self._finish(request, None)

    def cancel(self) -> None:
        """Go on with none of those that run: their devices say hello to the next monitor."""
        self._running.clear()

    def _finish(self, request: ReadRequest, tail: StreamTail | None) -> None:
        if then := self._running.pop(request, None):
            then(tail)
