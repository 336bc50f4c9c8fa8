"""Watching a fleet from this process: the query side runs in a thread, on a private endpoint."""

import contextlib
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from monitor.fleet.query import QuerySettings

ENDS_S: Final = 5.0
"""Longest wait for the thread at the end, in seconds."""


@contextlib.contextmanager
def queried(server: str) -> Iterator[str]:
    """Run a query side, and yield the endpoint where a viewer connects to it.

    Parameters
    ----------
    server : str
        Address of one of the fleet's NATS servers; the rest is as configured.

    Raises
    ------
    UsageError
        If no fleet is there, or the configuration is none.
    """
    from msgspec import structs

    from ecgmon.config import load
    from monitor.fleet.query import QuerySettings

    fleet = structs.replace(load().config.fleet, servers=(server,))
    # Where nobody has asked for a log, its lines would be written across the screen.
    logging.getLogger("monitor").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="ecgmon-") as folder:
        settings = QuerySettings(fleet, (f"ipc://{Path(folder) / 'view'}",))
        with watched(settings) as endpoint:
            yield endpoint


@contextlib.contextmanager
def watched(settings: "QuerySettings") -> Iterator[str]:
    """Run a query side in a thread; yields the first endpoint where viewers connect.

    Raises
    ------
    UsageError
        If no fleet is there, or an endpoint cannot be bound.
    """
    import zmq

    from monitor.fleet.query import QuerySide
    from monitor.ops.logs import logger

    with contextlib.ExitStack() as stack:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        stack.callback(context.destroy, linger=0)
        side = QuerySide(settings, context)
        side.start()

        def run() -> None:
            try:
                side.run()
            except Exception:  # noqa: BLE001 - the viewer shows that nobody answers any more
                logger("monitor.fleet.query").exception("query-ended")

        thread = threading.Thread(target=run, name="query", daemon=True)
        thread.start()
        stack.callback(thread.join, ENDS_S)
        stack.callback(side.stop)
        yield side.publish
