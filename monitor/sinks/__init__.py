"""Sinks: where the results go, and the conversation with viewers.

A new sink is a file here and a line of `SINKS` (docs/guide/extending.md).
"""

from typing import Final

SINKS: Final = {
    "tcp": "monitor.sinks.publisher:listen",
    "ipc": "monitor.sinks.publisher:listen",
}
"""What opens the endpoints of ``network.publish``, by scheme: an `Opener` of a `Sink`. It is loaded
when an endpoint asks for it, so that a sink may need a library that others do not."""
