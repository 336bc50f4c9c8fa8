"""The address of a monitor, with the key that opens a connection to it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zmq


@dataclass(frozen=True, slots=True)
class MonitorAddress:
    """A monitor's endpoint, and the file of the key to connect with, if there is one."""

    endpoint: str
    key: Path | None = None

    @property
    def secure(self) -> "Callable[[zmq.Socket[bytes]], None]":
        """What gives a socket the key; raises `AccessError` if the file holds none."""
        if self.key is None:
            return lambda _: None

        from ecgmon.keys.private import PrivateKey

        return PrivateKey.read(self.key).secure
