"""The queue of the storage thread: jobs wait a moment for others, and are bounded in number."""

import threading
import time
from collections import deque
from typing import Final

from ecgmon.wire import messages
from monitor.storage.disk_jobs import Batch, ReadRequest
from monitor.storage.journal import urgent

COALESCE_S: Final = 0.2
"""Samples wait this long for others, in seconds, so that files are not opened for every frame."""
FLUSH_SAMPLES: Final = 720
"""This many samples of one wearer, two seconds, do not wait: a device catches up."""
MAX_QUEUED: Final = 20_000
"""Most jobs that wait for a disk that hangs; beyond that the oldest is given up, and counted."""
MAX_CARRIED: Final = 1_000
"""Most messages, other than windows, that jobs given up leave to a batch of their own."""


class JobQueue:
    """Jobs in the order in which they came, filled by the loop and emptied by the storage thread.

    Attributes
    ----------
    lost : int
        Jobs given up so far, because the disk hangs.
    stopping : bool
        Whether no more jobs will be taken by the thread than those that wait now.
    """

    def __init__(self) -> None:
        self._jobs: deque[Batch | ReadRequest] = deque()
        self._changed = threading.Condition()
        self._samples: dict[str, int] = {}
        self._at_once = False
        self._carried: Batch | None = None
        self._busy_since: float | None = None
        self.lost = 0
        self.stopping = False

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Batch | ReadRequest) -> None:
        """Add a job; if too many wait, the oldest is given up."""
        with self._changed:
            self._jobs.append(job)
            self._at_once |= self._is_awaited(job)
            if len(self._jobs) > MAX_QUEUED:
                self._give_up_oldest()
            self._changed.notify()

    def take(self) -> list[Batch | ReadRequest]:
        """Wait for jobs and take all of them; none if the queue was stopped and is empty."""
        with self._changed:
            while not self._jobs and not self.stopping:
                self._changed.wait()
            until = time.monotonic() + COALESCE_S
            while not (self.stopping or self._at_once):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            jobs = self.take_rest()
            self._samples.clear()
            self._at_once = False
            self._busy_since = jobs[0].queued if jobs else None
            if carried := self._carried:
                self._carried = None
                jobs.insert(0, carried)
            return jobs

    def take_rest(self) -> list[Batch | ReadRequest]:
        """Take all jobs that wait, without waiting for any."""
        jobs = list(self._jobs)
        self._jobs.clear()
        return jobs

    def mark_done(self) -> None:
        """Note that the jobs taken last are done."""
        with self._changed:
            self._busy_since = None

    def stop(self) -> None:
        """Let the thread take what waits now, and then nothing more."""
        with self._changed:
            self.stopping = True
            self._changed.notify()

    def behind_s(self, now: float) -> float:
        """Return for how long the oldest job that is not done has waited, in seconds."""
        with self._changed:
            oldest = self._busy_since if self._busy_since is not None else now
            return now - min(oldest, self._jobs[0].queued if self._jobs else now)

    def _is_awaited(self, job: Batch | ReadRequest) -> bool:
        """Tell whether a job, or the samples that wait by now, must not wait for others."""
        if isinstance(job, ReadRequest) or any(map(urgent, job.published)):
            return True
        for wearer, piece in job.pieces:
            samples = self._samples.get(wearer, 0) + len(piece.samples)
            if samples >= FLUSH_SAMPLES:
                return True
            self._samples[wearer] = samples
        return bool(job.ends)

    def _give_up_oldest(self) -> None:
        """Give up the oldest job, but not its alarms, gaps, goodbyes and acknowledgements."""
        oldest = self._jobs.popleft()
        self.lost += 1
        if isinstance(oldest, Batch):
            left_out = messages.Window | messages.Trace | messages.Link
            carried = self._carried = self._carried or Batch([])
            carried.published += [m for m in oldest.published if not isinstance(m, left_out)]
            del carried.published[:-MAX_CARRIED]
            carried.ends += oldest.ends
            carried.acks |= oldest.acks
