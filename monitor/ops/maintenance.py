"""The jobs of each second: one that fails stops neither the others nor the monitor."""

from collections.abc import Callable, Mapping
from typing import Final

from ecgmon.wire import messages
from monitor.ops.logs import logger

ALARMED: Final = 3
"""A job that fails so often in a row is alarmed."""
LOGGED: Final = 60
"""Of a job that goes on failing, every so manyth failure is logged."""

Job = Callable[[], list[messages.Published] | None]

_log = logger(__name__)


class Maintenance:
    """Runs jobs and counts how often each has failed.

    Parameters
    ----------
    failed : callable
        Called with a job's name whenever it fails.
    """

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._in_a_row: dict[str, int] = {}

    @property
    def failing(self) -> list[str]:
        """The jobs that go on failing."""
        return [name for name, times in self._in_a_row.items() if times >= ALARMED]

    def run(self, jobs: Mapping[str, Job]) -> list[messages.Published]:
        """Run jobs in their order and return what is to be published of them."""
        published: list[messages.Published] = []
        for name, job in jobs.items():
            try:
                published += job() or []
            except Exception as error:  # noqa: BLE001 - whatever it is, monitoring goes on
                times = self._in_a_row[name] = self._in_a_row.get(name, 0) + 1
                self._failed(name)
                if times % LOGGED == 1:
                    failure = {"job": name, "times": times, "error": repr(error)}
                    _log.error("job-failed", **failure, exc_info=times == 1)
            else:
                self._in_a_row.pop(name, None)
        return published
