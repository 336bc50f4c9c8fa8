"""Alarms of the storage: a damaged journal, a clock that was set, a disk that fails or is full."""

from collections.abc import Callable

from ecgmon.wire import messages
from monitor.alarms.alarm_messages import AlarmMessages
from monitor.ops.prometheus import Metrics
from monitor.storage.damage import JournalDamage
from monitor.storage.disk_jobs import Batch
from monitor.storage.disk_trouble import DiskTrouble
from monitor.storage.journal import Journal
from monitor.storage.wall_clock import WallClock
from monitor.storage.writer import WRITE_TIMEOUT_S, StorageWriter


class StorageAlarms:
    """Looks after the storage once a second and tells the monitor's own alarms of it.

    Parameters
    ----------
    own : AlarmMessages
        The alarms of the monitor itself.
    journal : Journal
        May have been damaged.
    disk : StorageWriter
        Writes.
    wall : WallClock or None
        The clock by which ages are counted; None where another process looks after it.
    metrics : Metrics
        Counts how long the disk has failed.
    """

    def __init__(
        self,
        own: AlarmMessages,
        journal: Journal,
        disk: StorageWriter,
        wall: WallClock | None,
        metrics: Metrics,
    ) -> None:
        self._own = own
        self._journal = journal
        self._disk = disk
        self._wall = wall
        self._metrics = metrics
        self._damage = JournalDamage(own)
        self._trouble = DiskTrouble()

    def of_journal(
        self, snapshot: Callable[[float], list[messages.Published]], now: float
    ) -> list[messages.Published]:
        """Tell that the journal was damaged.

        Parameters
        ----------
        snapshot : callable
            Says how all are at a monotonic time; what could not be read of a damaged journal must
            be in the new one after a restart all the same.
        now : float
            Monotonic time in seconds.
        """
        if self._damage.is_news(self._journal.damaged):
            self._disk.hand_over(Batch(snapshot(now)))
        return self._damage.check(self._journal.damaged)

    def of_clock(self) -> list[messages.Published]:
        """Tell that the wall clock was set."""
        if self._wall is None:
            return []
        step = self._wall.look()
        text = (
            f"the clock was set by {self._wall.step_s:+.0f} s: nothing old is removed for an hour"
        )
        published = self._own.condition("clock", self._wall.stepped, text=text)
        return [step, *published] if step else published

    def of_disk(self, now: float, least_mb: float) -> list[messages.Published]:
        """Tell whether the disk fails, and whether less than ``least_mb`` are free on it."""
        why = text = ""
        if self._disk.failed:
            text = "the disk cannot be written: signal and alarms are not kept"
            why = self._disk.error or "the journal cannot be written"
        elif self._disk.behind_s(now) > WRITE_TIMEOUT_S:
            why = text = "the disk does not answer: signal and alarms may not be kept"
        self._trouble.note(now, why, self._disk.held, self._disk.unkept)
        self._metrics.disk(self._trouble.seconds, self._disk.held, self._disk.unkept)
        low = f"{self._disk.free_mb:.0f} MB are free on the disk: make room"
        return [
            *self._own.condition("disk", bool(why), text=text),
            *self._own.condition("disk-low", self._disk.free_mb < least_mb, text=low),
        ]
