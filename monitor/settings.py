"""The settings of a monitor."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from ecgmon.keys import KeyStore, PrivateKey
from monitor.network.rate_limits import RateLimit
from monitor.wearers.policy import WearerPolicy

LOOPBACK: Final = ("tcp://127.0.0.1:*",)


AT_ONCE: Final = ("policy", "disk_free_mb")
"""What a running monitor takes up; all else waits for a restart."""


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """How a monitor is set up.

    Parameters
    ----------
    journal : Path
        SQLite file to append to.
    policy : WearerPolicy
        How wearers are watched.
    ingest, publish : tuple of str
        Endpoints to bind; a port of ``*`` takes a free one.
    keys : KeyStore, optional
        Who may connect over the network; without it, nobody.
    own : PrivateKey, optional
        The monitor's own, needed where the network can reach an endpoint.
    rates : RateLimit
        How much a connection with a key may send.
    captured : Path, optional
        Folder to keep the samples of every wearer in; without it, they are not kept.
    capture_hours : int
        How much is kept of each wearer.
    capture_days : float
        How long it is kept.
    capture_gb : float
        How much is kept of all, in 10^9 bytes.
    window_days, journal_days : float
        How long windows stay in the journal, and all else.
    disk_free_mb : float
        Less free space, in 10^6 bytes, is alarmed.
    workers : int
        Processes that share the wearers; 0 for none but the monitor's own.
    metrics : str
        Where figures are told over HTTP, such as ``127.0.0.1:9555``; empty for nowhere.
    """

    journal: Path
    policy: WearerPolicy
    ingest: tuple[str, ...] = LOOPBACK
    publish: tuple[str, ...] = LOOPBACK
    keys: KeyStore | None = None
    own: PrivateKey | None = None
    rates: RateLimit = field(default_factory=RateLimit)
    captured: Path | None = None
    capture_hours: int = 24
    capture_days: float = 7.0
    capture_gb: float = 10.0
    window_days: float = 7.0
    journal_days: float = 30.0
    disk_free_mb: float = 500.0
    metrics: str = ""
    workers: int = 0

    def waiting(self, requested: "MonitorSettings") -> list[str]:
        """Return which settings differ from the wanted ones and need a restart."""
        return [
            name.name
            for name in fields(self)
            if name.name not in (*AT_ONCE, "keys", "own")
            and getattr(self, name.name) != getattr(requested, name.name)
        ]
