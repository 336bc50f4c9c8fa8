"""What is too old or too much is removed from the disk, and its free space is measured."""

import shutil
from pathlib import Path
from typing import Final

from monitor.ops.logs import logger
from monitor.storage.capture import Capture
from monitor.storage.journal import Journal
from monitor.storage.wall_clock import WallClock

DAY_S: Final = 86_400.0
TIDY_S: Final = 10.0
"""How often old entries are removed and the free space is measured, in seconds."""
MORE_S: Final = 1.0
"""The same, in seconds, where there were more old entries than are removed at once."""
RECORDS_S: Final = 60.0
"""How often old records of samples are looked for, in seconds: 43 MB of a thousand wearers."""

_log = logger(__name__)


class Tidying:
    """Removes what is old, a little every few seconds, in the storage thread.

    Parameters
    ----------
    journal : Journal
        Old entries are removed from it.
    capture : Capture or None
        Old records are removed from it.
    folder : Path
        On the disk whose free space is measured.
    keep_days : tuple of (float, float, float)
        Days after which windows, all other entries of the journal, and samples are removed.
    wall : WallClock
        Gives the time before which something is too old.

    Attributes
    ----------
    free_mb : float
        Free space, in 10^6 bytes.
    """

    def __init__(
        self,
        journal: Journal,
        capture: Capture | None,
        folder: Path,
        keep_days: tuple[float, float, float],
        wall: WallClock,
    ) -> None:
        self._journal = journal
        self._capture = capture
        self._folder = folder
        self._keep_days = keep_days
        self._wall = wall
        self._next = self._next_records = float("-inf")
        self.free_mb = float("inf")

    def tidy(self, now: float) -> None:
        """Remove what is old, if it is time to; ``now`` is the monotonic time in seconds."""
        if now < self._next:
            return
        windows, others, samples = (self._wall.cutoff(days * DAY_S) for days in self._keep_days)
        more = self._journal.prune(windows, others)
        self._next = now + (MORE_S if more else TIDY_S)
        try:
            if self._capture is not None and now >= self._next_records:
                self._next_records = now + RECORDS_S
                self._capture.remove_old(samples)
            self.free_mb = shutil.disk_usage(self._folder).free / 1e6
        except OSError as error:
            _log.warning("disk-untidy", error=error)
