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
        self._in_a_row: dict[tuple[str, int], int] = {}

    @property
    def failing(self) -> list[str]:
        """The jobs that go on failing."""
        failing = (name for (name, _), times in self._in_a_row.items() if times >= ALARMED)
        return list(dict.fromkeys(failing))

    def run(self, jobs: Mapping[str, Job], part: int = 0) -> list[messages.Published]:
        """Run jobs in their order and return what is to be published of them.

        Parameters
        ----------
        jobs : mapping of str to callable
            By name.
        part : int, optional
            Which part of the wearers they are for; failures are counted for each part.
        """
        published: list[messages.Published] = []
        for name, job in jobs.items():
            try:
                published += job() or []
            except Exception as error:  # noqa: BLE001 - whatever it is, monitoring goes on
                times = self._in_a_row[name, part] = self._in_a_row.get((name, part), 0) + 1
                self._failed(name)
                if times % LOGGED == 1:
                    failure = {"job": name, "times": times, "error": repr(error)}
                    _log.error("job-failed", **failure, exc_info=times == 1)
            else:
                self._in_a_row.pop((name, part), None)
        return published
