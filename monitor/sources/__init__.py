"""Sources: how samples reach the monitor, and the conversation with devices.

A new source is a file here and a line of `SOURCES` (docs/guide/extending.md).
"""

from typing import Final

SOURCES: Final = {
    "tcp": "monitor.sources.router:listen",
    "ipc": "monitor.sources.router:listen",
}
"""What opens the endpoints of ``network.ingest``, by scheme: an `Opener` of a `Source`. It is
loaded when an endpoint asks for it, so that a source may need a library that others do not."""
