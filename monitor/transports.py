"""Sources and sinks of a monitor: opened by the schemes of its endpoints, closed one by one."""

import contextlib

from monitor.network.access import LOCAL, is_local
from monitor.network.host import Host, by_opener, scheme
from monitor.ops.logs import logger
from monitor.sinks import SINKS
from monitor.sinks.base import Sink
from monitor.sinks.publisher import Publisher, listen
from monitor.sources import SOURCES
from monitor.sources.base import Source

_log = logger(__name__)


def open_sources(
    endpoints: tuple[str, ...], host: Host, stack: contextlib.ExitStack
) -> list[Source]:
    """Open where samples come from; ``stack`` closes them.

    Raises
    ------
    UsageError
        If an endpoint cannot be bound.
    """
    sources: list[Source] = []
    for opener, of_source in by_opener(SOURCES, endpoints, "network.ingest").items():
        sources.append(opener(of_source, host))
        stack.callback(close, sources[-1])
    return sources


def usable(endpoints: tuple[str, ...], user: str) -> str:
    """Return the first endpoint that takes a user's connections, with a key or without."""
    fitting = (one for one in endpoints if is_local(one) == (user == LOCAL))
    return next(fitting, endpoints[0] if endpoints else "")


def close(port: Source | Sink) -> None:
    """Close a source or a sink; one that fails keeps the others from nothing."""
    try:
        port.close()
    except Exception:  # noqa: BLE001 - whatever it is, the monitor ends in order
        _log.exception("not-closed", what=type(port).__name__)


def open_sinks(
    endpoints: tuple[str, ...], host: Host, stack: contextlib.ExitStack
) -> tuple[dict[str, Sink], Publisher]:
    """Open where results go; returns them by name, and the one that viewers talk to.

    Where no endpoint is one of viewers, they have a publisher that listens nowhere.
    """
    sinks: dict[str, Sink] = {}
    for opener, of_sink in by_opener(SINKS, endpoints, "network.publish").items():
        sinks[f"sink-{scheme(of_sink[0])}"] = sink = opener(of_sink, host)
        stack.callback(close, sink)
    for sink in sinks.values():
        if isinstance(sink, Publisher):
            return sinks, sink
    return sinks, listen((), host)
