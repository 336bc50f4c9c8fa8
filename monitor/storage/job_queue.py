"""The queue of the storage thread: jobs wait a moment for others, and are bounded in number."""

import threading
import time
from collections import deque
from typing import Final

from ecgmon.wire import messages
from monitor.storage.disk_jobs import Batch, ReadRequest

COALESCE_S: Final = 0.2
"""Jobs, and samples that are due, wait this long for others, in seconds."""
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
        self._at_once = False
        self._carried: Batch | None = None
        self._busy_since: float | None = None
        self.lost = 0
        self.stopping = False

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Batch | ReadRequest, hurries: bool = False) -> None:
        """Add a job; if too many wait, the oldest is given up.

        Parameters
        ----------
        job : Batch or ReadRequest
            What to do.
        hurries : bool
            Whether it must not wait for others; one that somebody waits for never does.
        """
        with self._changed:
            first = not self._jobs
            self._jobs.append(job)
            if len(self._jobs) > MAX_QUEUED:
                self._give_up_oldest()
            hurries = hurries or _is_awaited(job)
            self._at_once |= hurries
            if first or hurries:
                self._changed.notify()

    def take(self, until: float | None = None) -> list[Batch | ReadRequest]:
        """Wait for jobs and take all of them; none where none come.

        Parameters
        ----------
        until : float, optional
            Monotonic time in seconds at which samples are due; without it, none are.
        """
        with self._changed:
            while not self._jobs and not self.stopping:
                left_s = None if until is None else until - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return []
                self._changed.wait(left_s)
            now = time.monotonic()
            until = (now if until is None else min(now, until)) + COALESCE_S
            while not (self.stopping or self._at_once):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            jobs = self.take_rest()
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

    def _give_up_oldest(self) -> None:
        """Give up the oldest job, but not its alarms, gaps, goodbyes and acknowledgements."""
        oldest = self._jobs.popleft()
        self.lost += 1
        if isinstance(oldest, Batch):
            left_out = messages.Window | messages.Trace | messages.Link
            carried = self._carried or Batch([])
            kept = [m for m in oldest.published if not isinstance(m, left_out)]
            self._carried = Batch(
                [*carried.published, *kept][-MAX_CARRIED:],
                acks=carried.acks | oldest.acks,
                ends=carried.ends + oldest.ends,
                queued=carried.queued,
            )


def _is_awaited(job: Batch | ReadRequest) -> bool:
    return isinstance(job, ReadRequest) or bool(job.ends or job.urgent)
