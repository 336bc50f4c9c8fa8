"""Taking over the wearers of a process that has ended: their alarms go on from the journal."""

import time
from collections.abc import Callable

from ecgmon.core.errors import UsageError
from monitor.ops.logs import logger
from monitor.storage.disk_jobs import ReadRequest
from monitor.storage.journal import Journal
from monitor.wearers.registry import WearerRegistry

_log = logger(__name__)


class TakeOvers:
    """Restores the alarms of wearers, and knows of whose the look-up is under way.

    Parameters
    ----------
    registry : WearerRegistry
        Where the wearers are watched from then on.
    journal : Journal
        Read in the storage thread.
    later : callable
        Takes what is to be read in the storage thread.

    Attributes
    ----------
    running : int
        Look-ups that are under way.
    """

    def __init__(
        self, registry: WearerRegistry, journal: Journal, later: Callable[[ReadRequest], None]
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._later = later
        self.running = 0

    def start(self, wearers: list[str], then: Callable[[], None]) -> None:
        """Take over wearers; their streams go on from disk when their devices say hello.

        Parameters
        ----------
        wearers : list of str
            Who; none is watched here.
        then : callable
            Called in the loop when it is done, also where nothing could be read.
        """
        self.running += 1
        self._later(ReadRequest(lambda: self._look_up(wearers, then)))

    def _look_up(self, wearers: list[str], then: Callable[[], None]) -> Callable[[], None]:
        """Read in the disk's thread; what is returned is called in the loop."""
        past, unfinished = [], []
        try:
            past = list(self._journal.alarms(wearers))
            unfinished = self._journal.unfinished(set(wearers))
        except UsageError as error:
            _log.error("not-taken-over", reason=error)

        def go_on() -> None:
            self._registry.restore(past, unfinished, time.monotonic())
            self.running -= 1
            then()

        return go_on
