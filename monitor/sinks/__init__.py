"""Sinks: where the results go, and the conversation with viewers.

A new sink is a file here and a line of `SINKS` (docs/guide/extending.md).
"""

from typing import Final

from monitor.network.host import Opener
from monitor.network.router import SCHEMES
from monitor.sinks import publisher
from monitor.sinks.base import Sink

SINKS: Final[dict[str, Opener[Sink]]] = {
    **dict.fromkeys(SCHEMES, publisher.listen),
}
"""What opens the endpoints of ``network.publish``, by scheme."""
