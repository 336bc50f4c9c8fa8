"""A thread of a replay: one plays, one may be the monitor."""

import threading
from collections.abc import Callable


class Worker(threading.Thread):
    """A thread whose exception is raised where it is joined, and told to the others at once."""

    def __init__(self, name: str, work: Callable[[], None], failed: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._failed = failed
        self._error: BaseException | None = None

    def run(self) -> None:
        """Work, in the thread."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by finish
            self._error = error
            self._failed.set()

    def finish(self) -> None:
        """Wait for the end; raise what ended it."""
        if self.ident is not None:  # it may never have been started
            self.join()
        if self._error is not None:
            raise self._error
