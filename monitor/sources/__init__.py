"""Sources: how samples reach the monitor, and the conversation with devices.

A new source is a file here and a line of `SOURCES` (docs/guide/extending.md).
"""

from typing import Final

from monitor.network.host import Opener
from monitor.network.router import SCHEMES
from monitor.sources import router
from monitor.sources.base import Source

SOURCES: Final[dict[str, Opener[Source]]] = {
    **dict.fromkeys(SCHEMES, router.listen),
}
"""What opens the endpoints of ``network.ingest``, by scheme."""
