"""How a worker is started: what the front tells it on its command line."""

from pathlib import Path

import msgspec

from ecgmon.config import Given, load
from monitor.configured import settings
from monitor.settings import MonitorSettings

GivenWord = tuple[tuple[str, ...], object, str]
"""Key, value and origin of what the command line gives besides the configuration."""


class WorkerOrder(msgspec.Struct, frozen=True):
    """One line of JSON, the argument of a worker's program.

    Parameters
    ----------
    front : int
        The front's process.
    link, lock : int
        File descriptors of the link and of the journal's lock.
    config : str or None
        The configuration's file, as the command line named it.
    given : list of (tuple of str, object, str)
        Key, value and origin of what the command line gave besides.
    ingest, publish : list of str
        Endpoints of the front.
    figures : bool
        Whether figures are asked for.
    """

    front: int
    link: int
    lock: int
    config: str | None
    given: list[GivenWord]
    ingest: list[str]
    publish: list[str]
    figures: bool

    def read(self) -> MonitorSettings:
        """Read the configuration; raises `EcgmonError` if it is refused."""
        config = self.config and Path(self.config)
        return settings(load(config or None, [Given(*one) for one in self.given]).config)
