"""The source of ZeroMQ: one ROUTER socket for all endpoints of devices."""

from typing import Final

from ecgmon.wire import frame, messages
from monitor.network.host import Host
from monitor.network.router import Inbox

MAX_BYTES: Final = max(frame.MAX_BYTES, messages.MAX_BYTES)
"""Bytes of the longest message that a device can send."""


def listen(endpoints: tuple[str, ...], host: Host) -> Inbox:
    """Open the endpoints; raises `UsageError` where one cannot be bound."""
    return host.router(endpoints, MAX_BYTES)
