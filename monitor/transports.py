"""What a monitor is connected to: sources and sinks, opened by the schemes of its endpoints."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import zmq

from monitor.alarms.alarm_messages import AlarmMessages
from monitor.network.access import LOCAL, Access, authenticated, is_local
from monitor.network.connections import Connections, most
from monitor.network.host import Host, by_opener, scheme
from monitor.ops.logs import logger
from monitor.settings import MonitorSettings
from monitor.sinks import SINKS
from monitor.sinks.base import Sink
from monitor.sinks.publisher import Publisher, listen
from monitor.sinks.viewers import Viewers
from monitor.sources import SOURCES
from monitor.sources.base import Source
from monitor.storage.journal import Journal

Context = zmq.Context[zmq.Socket[bytes]]

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a monitor is connected to.

    Parameters
    ----------
    access : Access
        Who may do what.
    connections : Connections
        Counts connections.
    sources : list of Source
        Where samples come from.
    sinks : dict of str to Sink
        Where results go, by name.
    publisher : Viewers
        The one of them that viewers talk to.
    offered : tuple of str
        Endpoints that devices are told of.
    open_journal : callable
        Opens the journal; raises `UsageError`.
    own : AlarmMessages
        The alarms of the monitor itself.
    shared : bool
        Whether other processes have other wearers and the same journal: alarms are not restored at
        the start, and another process looks after the clock and what is old.
    """

    access: Access
    connections: Connections
    sources: list[Source]
    sinks: dict[str, Sink]
    publisher: Viewers
    offered: tuple[str, ...]
    open_journal: Callable[[], Journal]
    own: AlarmMessages
    shared: bool = False


Surround = Callable[[MonitorSettings, Context, contextlib.ExitStack], Surroundings]
"""Connects a monitor; the stack lets go of everything."""


def alone(settings: MonitorSettings, context: Context, stack: contextlib.ExitStack) -> Surroundings:
    """Bind the sockets of a monitor that is one process; raises `UsageError` where that fails."""
    access = Access(settings.keys)
    stack.enter_context(authenticated(context, access))
    sockets = stack.enter_context(contextlib.ExitStack())
    connections = Connections(most())
    stack.callback(connections.close)
    host = Host(context, settings.own, access, connections, sockets)
    sources = open_sources(settings.ingest, host, stack)
    sinks, publisher = open_sinks(settings.publish, host, stack)
    connections.start()
    return Surroundings(
        access,
        connections,
        sources,
        sinks,
        publisher,
        publisher.inbox.endpoints,
        lambda: Journal(settings.journal),
        AlarmMessages(None),
    )


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
