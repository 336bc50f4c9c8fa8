"""The disk's own thread: the loop hands over what is to be kept, and never waits for it."""

import contextlib
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ecgmon.core.errors import EcgmonError
from ecgmon.wire import messages
from monitor.ops.logs import logger
from monitor.storage.capture import Capture
from monitor.storage.jobs import Batch, ReadRequest, StoredSamples, gap
from monitor.storage.journal import Journal, urgent
from monitor.storage.wall_clock import WallClock
from monitor.wearers.stream import Stream

COALESCE_S: Final = 0.2
"""Samples wait so long for others, so that files are not opened for every frame."""
FLUSH_SAMPLES: Final = 720
"""Samples of one wearer, two seconds, that do not wait: a device catches up."""
WRITE_TIMEOUT_S: Final = 2.0
"""A disk that takes longer keeps nothing from being published any more."""
MAX_QUEUED: Final = 20_000
"""Batches that wait for a disk that hangs; what the oldest say of windows is lost, and counted."""
MAX_CARRIED: Final = 1_000
"""Messages, other than windows, that a batch given up leaves to the next one."""
DAY_S: Final = 86_400.0
MAINTENANCE_S: Final = 10.0
"""How often old entries are removed and the free space is looked at."""

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
        On the disk whose free space is watched.
    keep_days : tuple of (float, float, float)
        How long windows stay in the journal, and all else, and how long samples are kept.
    wall : WallClock
        Tells how old something is.

    Attributes
    ----------
    ready : int
        File descriptor that can be read when something is done.
    free_mb : float
        Free space, in 10^6 bytes.
    lost : int
        Batches given up since the disk hangs.
    """

    def __init__(
        self,
        journal: Journal,
        capture: Capture | None,
        folder: Path,
        keep_days: tuple[float, float, float],
        wall: WallClock,
    ) -> None:
        super().__init__(name="disk", daemon=True)  # a disk that hangs must not keep us alive
        self._journal = journal
        self._capture = capture
        self._folder = folder
        self._keep_days = keep_days
        self._wall = wall
        self._queue: deque[Batch | ReadRequest] = deque()
        self._done: deque[Batch | ReadRequest | StoredSamples] = deque()
        self._work = threading.Condition()
        self._stopping = False
        self._busy: float | None = None
        self._error: BaseException | None = None
        self._waiting: dict[str, int] = {}
        self._wanted: dict[Stream, int] = {}
        self._ending: set[Stream] = set()
        self._carried: Batch | None = None
        self._hurry = False
        self._tidied = float("-inf")
        self.ready, self._wake = os.pipe()
        os.set_blocking(self.ready, False)
        os.set_blocking(self._wake, False)
        self.free_mb = float("inf")
        self.lost = 0

    @property
    def depth(self) -> int:
        """How much waits to be done."""
        return len(self._queue)

    @property
    def works(self) -> bool:
        """Whether what was handed over may yet be done; not once it was stopped."""
        return self.is_alive() and not self._stopping

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
        """Return for how long the oldest of what was handed over has waited."""
        with self._work:
            oldest = self._busy if self._busy is not None else now
            return now - min(oldest, self._queue[0].queued if self._queue else now)

    def hand_over(self, job: Batch | ReadRequest) -> None:
        """Take something to do; what a hanging disk leaves over is bounded."""
        with self._work:
            if isinstance(job, Batch) and self._capture is not None:
                for wearer, piece in job.pieces:
                    self._capture.append(wearer, piece)
            self._queue.append(job)
            self._hurry |= self._hurries(job)
            if isinstance(job, Batch):
                job.pieces = []  # the capture has them, and bounds them
            if len(self._queue) > MAX_QUEUED:
                self._shorten()
            self._work.notify()

    def take_done(self) -> list[Batch | ReadRequest | StoredSamples]:
        """Return what has been done since the last call, in order; raises what ended the thread."""
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

    def _shorten(self) -> None:
        """Give up the oldest job, but not what a restart goes on from, nor whom it lets go."""
        oldest = self._queue.popleft()
        self.lost += 1
        if isinstance(oldest, Batch):
            left_out = messages.Window | messages.Trace | messages.Link
            carried = self._carried = self._carried or Batch([])
            carried.published += [m for m in oldest.published if not isinstance(m, left_out)]
            del carried.published[:-MAX_CARRIED]
            carried.ends += oldest.ends
            carried.acks |= oldest.acks

    def stop(self, patience_s: float) -> None:
        """Do what is left, and end; gives up a disk that hangs for so long."""
        with self._work:
            self._stopping = True
            self._work.notify()
        self.join(patience_s)
        if self.is_alive():
            _log.error("disk-hangs", lost=len(self._queue))

    def close(self) -> None:
        """After `stop`, do what was handed over since; a disk that hangs is left alone."""
        if self.is_alive():
            return
        self._do(list(self._queue))
        self._journal.close()
        os.close(self.ready)
        os.close(self._wake)

    def run(self) -> None:
        """Work until stopped."""
        try:
            while jobs := self._next():
                self._do(jobs)
                with self._work:
                    self._busy = None
                self._tidy()
        except BaseException as error:  # noqa: BLE001 - raised in the loop, which cannot go on
            self._error = error
            self._tell()

    def _next(self) -> list[Batch | ReadRequest]:
        """Wait for work; returns none when stopped and all is done."""
        with self._work:
            while not self._queue and not self._stopping:
                self._work.wait()
            until = time.monotonic() + COALESCE_S
            while not (self._stopping or self._hurry):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    break
                self._work.wait(left_s)
            jobs = list(self._queue)
            self._queue.clear()
            self._waiting.clear()
            self._hurry = False
            self._busy = jobs[0].queued if jobs else None
            if carried := self._carried:
                self._carried = None
                jobs.insert(0, carried)
            return jobs

    def _hurries(self, job: "Batch | ReadRequest") -> bool:
        """Tell whether somebody waits for a job, or for the samples that wait by now."""
        if isinstance(job, ReadRequest) or any(map(urgent, job.published)):
            return True
        for wearer, piece in job.pieces:
            waiting = self._waiting.get(wearer, 0) + len(piece.samples)
            if waiting >= FLUSH_SAMPLES:
                return True
            self._waiting[wearer] = waiting
        return bool(job.ends)

    def _do(self, jobs: "list[Batch | ReadRequest]") -> None:
        """Write what was published, and all samples.

        What an alarm was raised by is there when the alarm is; for other samples it need not wait.
        """
        batches = [job for job in jobs if isinstance(job, Batch)]
        errands = [job for job in jobs if isinstance(job, ReadRequest)]
        published = [message for batch in batches for message in batch.published]
        if self._capture is not None:
            self._capture.flush({m.wearer for m in published if urgent(m) and m.wearer})
        self._journal.append(published)
        self._finish(batches)
        for batch in batches:
            self._wanted |= batch.acks
            self._ending.update(batch.ends)
        kept = self._keep()
        for request in errands:
            try:
                request.then = request.look_up()
            except (EcgmonError, OSError) as error:
                _log.error("disk-unreadable", error=error)
        self._finish([kept, *errands])

    def _keep(self) -> StoredSamples:
        """Write all samples; what is on disk, or a gap in the journal, can be acknowledged."""
        kept = StoredSamples()
        holding = None
        if self._capture is not None:
            self._capture.flush()
            holding = self._capture.holding
            lost = holding.take_lost()
            if lost and not (self._capture.error or self._journal.failed):
                kept.gaps = [gap(one) for one in lost]
                self._journal.append(kept.gaps)
                self._journal.commit()
                if self._journal.failed:
                    kept.gaps = []
                else:
                    holding.record(lost)
        for stream, wanted in list(self._wanted.items()):
            first = holding.first(stream.wearer, stream.number) if holding else None
            kept.acks[stream] = wanted if first is None else min(wanted, first)
            if kept.acks[stream] == wanted:
                del self._wanted[stream]
                if stream in self._ending:
                    self._ending.remove(stream)
                    kept.ends.append(stream)
        return kept

    def _finish(self, done: "Sequence[Batch | ReadRequest | StoredSamples]") -> None:
        self._done.extend(done)
        self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it was not read yet: the loop is awake
            os.write(self._wake, b"\0")

    def _tidy(self) -> None:
        now = time.monotonic()
        if now - self._tidied < MAINTENANCE_S:
            return
        self._tidied = now
        windows, others, samples = (self._wall.cutoff(days * DAY_S) for days in self._keep_days)
        self._journal.prune(windows, others)
        try:
            if self._capture is not None:
                self._capture.tidy(samples)
            self.free_mb = shutil.disk_usage(self._folder).free / 1e6
        except OSError as error:
            _log.warning("disk-untidy", error=error)
