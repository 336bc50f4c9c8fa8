"""Log of a failing or hanging disk: since when, and how much signal is not written."""

from typing import Final

from monitor.ops.logs import logger

REPORT_S: Final = 10.0
"""How often the log says how much is not on disk while that lasts."""

_log = logger(__name__)


class DiskTrouble:
    """Says in the log when the disk begins to fail, what is at stake meanwhile, and what is lost.

    Attributes
    ----------
    seconds : float
        For how long the disk has failed or hung by now; 0 while it is well.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._reported = 0.0
        self._unkept_before = 0
        self.seconds = 0.0

    def note(self, now: float, why: str, held: int, unkept: int) -> None:
        """Take how the disk is; call it about once a second.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.
        why : str
            What is wrong; empty if nothing is.
        held : int
            Samples that wait in memory.
        unkept : int
            Samples that were given up since the monitor was started.
        """
        if why and self._since is None:
            self._since = self._reported = now
            _log.error("disk-failing", held=held, error=why)
        self.seconds = 0.0 if self._since is None else now - self._since
        lost = unkept - self._unkept_before
        if not why and self._since is not None:
            _log.warning("disk-well", seconds=round(self.seconds), not_kept=lost)
            self._since, self.seconds = None, 0.0
            self._unkept_before = unkept
        elif why and now - self._reported >= REPORT_S:
            self._reported = now
            trouble = {"seconds": round(self.seconds), "held": held, "not_kept": lost, "error": why}
            _log.error("disk-failing", **trouble)
