"""The storage thread: the loop hands over what is to be written, and never waits for the disk."""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ecgmon.core.errors import EcgmonError
from monitor.ops.logs import logger
from monitor.storage.capture import Capture
from monitor.storage.disk_jobs import Batch, ReadRequest, StoredSamples
from monitor.storage.job_queue import JobQueue
from monitor.storage.journal import Journal
from monitor.storage.sample_writer import SampleWriter
from monitor.storage.tidying import Tidying
from monitor.storage.wall_clock import WallClock

WRITE_TIMEOUT_S: Final = 2.0
"""Once a write takes longer, in seconds, what is published no longer waits for the disk."""

_log = logger(__name__)


class StorageWriter(threading.Thread):
    """Writes batches in the order in which they come, several at once if they wait.

    Parameters
    ----------
    journal : Journal
        Used by this thread alone once it has started.
    capture : Capture or None
        Likewise.
    folder : Path
        On the disk whose free space is measured.
    keep_days : tuple of (float, float, float)
        Days after which windows, all other entries of the journal, and samples are removed.
    wall : WallClock or None
        Gives the time before which something is too old; None where another process removes it.

    Attributes
    ----------
    ready : int
        File descriptor that can be read when something is done.
    """

    def __init__(
        self,
        journal: Journal,
        capture: Capture | None,
        folder: Path,
        keep_days: tuple[float, float, float],
        wall: WallClock | None,
    ) -> None:
        # A daemon thread: a disk that hangs must not keep the process alive.
        super().__init__(name="disk", daemon=True)
        self._journal = journal
        self._capture = capture
        self._queue = JobQueue()
        self._done: deque[Batch | ReadRequest | StoredSamples] = deque()
        self._error: BaseException | None = None
        self._samples = SampleWriter(journal, capture)
        self._tidying = wall and Tidying(journal, capture, folder, keep_days, wall)
        self.ready, self._wake = os.pipe()
        os.set_blocking(self.ready, False)
        os.set_blocking(self._wake, False)

    @property
    def depth(self) -> int:
        """Jobs that wait."""
        return len(self._queue)

    @property
    def works(self) -> bool:
        """Whether jobs handed over now may still be done; not after `stop`."""
        return self.is_alive() and not self._queue.stopping

    @property
    def lost(self) -> int:
        """Jobs given up so far, because the disk hangs."""
        return self._queue.lost

    @property
    def free_mb(self) -> float:
        """Free space on the disk, in 10^6 bytes; infinite while it is not known."""
        return self._tidying.free_mb if self._tidying else float("inf")

    @property
    def failed(self) -> bool:
        """Whether the last write has failed."""
        return self._journal.failed or (self._capture is not None and bool(self._capture.error))

    @property
    def error(self) -> str:
        """Why the last write of samples has failed; empty if it has not."""
        why = self._capture.error if self._capture else None
        return str(why) if why else ""

    @property
    def held(self) -> int:
        """Samples that wait for the disk."""
        return self._capture.holding.held if self._capture else 0

    @property
    def unkept(self) -> int:
        """Samples that were given up so far, because the disk did not take them in time."""
        return self._capture.holding.lost if self._capture else 0

    def behind_s(self, now: float) -> float:
        """Return for how long the oldest job that is not done has waited, in seconds."""
        return self._queue.behind_s(now)

    def hand_over(self, job: Batch | ReadRequest) -> None:
        """Queue a job; what a hanging disk leaves over is bounded."""
        hurries = False
        if isinstance(job, Batch) and self._capture is not None:
            hurries = self._capture.append(job.pieces)
        self._queue.put(job, hurries)
        if isinstance(job, Batch):
            job.pieces = []  # the capture has them, and bounds them

    def take_done(self) -> list[Batch | ReadRequest | StoredSamples]:
        """Return what was done since the last call, in order; raises what ended the thread."""
        if self._error is not None:
            raise self._error
        while True:
            try:
                os.read(self.ready, 4096)
            except BlockingIOError:
                break
        done = []
        while self._done:
            done.append(self._done.popleft())
        return done

    def stop(self, timeout_s: float) -> None:
        """Do what is left and end; a disk that hangs for ``timeout_s`` seconds is given up."""
        self._queue.stop()
        self.join(timeout_s)
        if self.is_alive():
            _log.error("disk-hangs", lost=len(self._queue))

    def close(self) -> None:
        """After `stop`, do the jobs handed over since; a disk that hangs is left alone."""
        if self.is_alive():
            return
        self._do(self._queue.take_rest(), everything=True)
        self._journal.close()
        os.close(self.ready)
        os.close(self._wake)

    def run(self) -> None:
        """Work until stopped, and then write all that waits."""
        works = True
        try:
            while works:
                stopping = self._queue.stopping
                jobs = self._queue.take(self._samples.due_at())
                works = bool(jobs) or not stopping
                self._do(jobs, everything=stopping)
                self._queue.mark_done()
                if self._tidying:
                    self._tidying.tidy(time.monotonic())
        except BaseException as error:  # noqa: BLE001 - raised in the loop, which cannot go on
            self._error = error
            self._wake_loop()

    def _do(self, jobs: list[Batch | ReadRequest], *, everything: bool) -> None:
        """Write what was published, then the samples that are due, then look up what is asked for.

        Samples of a wearer with an alarm are written before it. Alarms do not wait for others.
        Those of a stream that ends or is looked up are due, and all once the thread is stopped.
        """
        batches = [job for job in jobs if isinstance(job, Batch)]
        requests = [job for job in jobs if isinstance(job, ReadRequest)]
        alarmed = {m.wearer for batch in batches for m in batch.urgent if m.wearer}
        self._samples.write_of(alarmed)
        self._journal.append([message for batch in batches for message in batch.published])
        self._finish(batches)
        self._samples.await_disk(batches)
        wearers = alarmed | {request.wearer for request in requests if request.wearer}
        stored = self._samples.write(wearers, everything=everything)
        for request in requests:
            try:
                request.then = request.look_up()
            except (EcgmonError, OSError) as error:
                _log.error("disk-unreadable", error=error)
        self._finish([stored, *requests] if stored else requests)

    def _finish(self, done: Sequence[Batch | ReadRequest | StoredSamples]) -> None:
        if done:
            self._done.extend(done)
            self._wake_loop()

    def _wake_loop(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full of bytes not read yet: the loop wakes
            os.write(self._wake, b"\0")
