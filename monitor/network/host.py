"""What the monitor lends to the transports that it opens, and which of them opens an endpoint."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, TypeVar

import zmq

from ecgmon.core.errors import UsageError
from ecgmon.keys import PrivateKey
from monitor.network.access import Access
from monitor.network.connections import Connections
from monitor.network.router import SCHEMES, Inbox, bind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Host:
    """The monitor as those see it that open sources and sinks.

    Parameters
    ----------
    context : zmq.Context
        Of its sockets.
    own : PrivateKey or None
        Its key, for endpoints that the network can reach.
    access : Access
        Who may do what.
    connections : Connections
        Counts connections.
    sockets : ExitStack
        Closes the sockets after all else.
    """

    context: "zmq.Context[zmq.Socket[bytes]]"
    own: PrivateKey | None
    access: Access
    connections: Connections
    sockets: ExitStack

    def router(self, endpoints: tuple[str, ...], most_bytes: int) -> Inbox:
        """Bind a ROUTER socket; raises `UsageError` where that cannot be done.

        Parameters
        ----------
        endpoints : tuple of str
            Where to, of `monitor.network.router.SCHEMES`.
        most_bytes : int
            A longer message ends its connection.
        """
        socket = self.sockets.enter_context(self.context.socket(zmq.ROUTER))
        self.connections.watch(socket)
        return Inbox(socket, bind(socket, endpoints, self.own, most_bytes))


Opener = Callable[[tuple[str, ...], Host], T]
"""Opens the endpoints of its schemes as one source or sink."""


def scheme(endpoint: str) -> str:
    """Return what comes before ``://`` in an endpoint."""
    return endpoint.partition("://")[0]


def routed(endpoints: Iterable[str]) -> list[str]:
    """Return the endpoints of ROUTER sockets, which devices and viewers of ours connect to."""
    return [endpoint for endpoint in endpoints if scheme(endpoint) in SCHEMES]


def by_opener(
    openers: Mapping[str, str], endpoints: Iterable[str], key: str
) -> dict[Opener[Any], tuple[str, ...]]:
    """Return which endpoints each opener opens, in the order of the first one of each.

    Parameters
    ----------
    openers : mapping of str to str
        By scheme, as ``module:function``: `monitor.sources.SOURCES` or `monitor.sinks.SINKS`.
    endpoints : iterable of str
        As configured.
    key : str
        The configuration's key that names them.

    Raises
    ------
    UsageError
        If no opener is registered for a scheme.
    """
    found: dict[Opener[Any], tuple[str, ...]] = {}
    for endpoint in endpoints:
        name = openers.get(scheme(endpoint))
        if name is None:
            *others, last = (f"{known}://" for known in openers)
            raise UsageError(
                f"{key} cannot be {endpoint!r}: endpoints of this monitor begin with "
                f"{', '.join(others)} or {last}."
            )
        opener: Opener[Any] = resolve_name(name)
        found[opener] = (*found.get(opener, ()), endpoint)
    return found
