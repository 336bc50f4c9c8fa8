"""Attaching to a running monitor: how things stand there, and requests."""

import contextlib
import getpass
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ecgmon.core.errors import EcgmonError
from ecgmon_cli.fleet_view import queried
from ecgmon_cli.where import is_fleet

if TYPE_CHECKING:
    from ecgmon.keys.address import MonitorAddress
    from ecgmon.wire import messages
    from ecgmon.wire.viewer_client import ViewerClient

ANSWER_S: Final = 3.0
"""A monitor that is there answers within it."""
FLEET_S: Final = 10.0
"""The same for a fleet, where some monitor or other has to do what is asked for."""
_POLL_MS: Final = 20
_BATCH: Final = 200

By = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Who does this; viewers see the name.", show_default="the user's name"
    ),
]
JsonAnswer = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="Write the answer as JSON to this file; - is stdout."
    ),
]


def user() -> str:
    """Return who sits at the terminal, as well as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as containers have
        return "unknown"


@contextlib.contextmanager
def attached(where: "MonitorAddress", topics: list[str]) -> Iterator["ViewerClient"]:
    """Connect to a monitor's publish endpoint, or to a fleet; raises `UsageError` for neither."""
    import zmq

    from ecgmon.wire.viewer_client import ViewerClient

    with contextlib.ExitStack() as stack:
        endpoint = where.endpoint
        if is_fleet(endpoint):
            endpoint = stack.enter_context(queried(endpoint))
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        stack.callback(context.destroy, linger=500)  # the last request still leaves
        viewer = ViewerClient(context, endpoint, topics, secure=where.secure)
        yield stack.enter_context(contextlib.closing(viewer))


class Attached:
    """A monitor that can be asked.

    Parameters
    ----------
    viewer : ViewerClient
        Connected to it.
    endpoint : str
        Where.

    Attributes
    ----------
    station : MonitorSnapshot
        How things stand.
    """

    def __init__(self, viewer: "ViewerClient", endpoint: str) -> None:
        from viewer.model.snapshot import MonitorSnapshot

        self.snapshot = MonitorSnapshot()
        self._viewer = viewer
        self._endpoint = endpoint
        self._answer_s = FLEET_S if is_fleet(endpoint) else ANSWER_S

    def wait_for_snapshot(self) -> None:
        """Wait until the monitor has said how things stand; raises `EcgmonError` if it does not."""
        from ecgmon.wire import messages

        self._await(lambda message: isinstance(message, messages.Subscribed))

    def ask(self, request: "messages.FromViewer") -> "messages.ToViewer":
        """Return the answer to a request; raises `EcgmonError` where it is refused, or none."""
        from ecgmon.wire import messages

        deadline = time.monotonic() + self._answer_s
        while not self._viewer.say(request):
            if time.monotonic() > deadline:
                raise self._nobody()
            time.sleep(_POLL_MS / 1000)
        return self._await(lambda message: isinstance(message, messages.Done | messages.Past))

    def listen(self, seconds: float, enough: Callable[[], bool]) -> None:
        """Listen until there is enough, but no longer than so many seconds."""
        deadline = time.monotonic() + seconds
        while not enough() and time.monotonic() < deadline:
            for message in self._messages():
                self.snapshot.apply(message, time.monotonic())

    def _await(self, topics: "Callable[[messages.ToViewer], bool]") -> "messages.ToViewer":
        from ecgmon.wire import messages

        deadline = time.monotonic() + self._answer_s
        found = None
        while time.monotonic() < deadline:
            for message in self._messages():
                self.snapshot.apply(message, time.monotonic())
                if isinstance(message, messages.Refused):
                    raise EcgmonError(f"The monitor refused: {message.reason}")
                if topics(message):
                    found = message
            if found is not None:
                return found
        raise self._nobody()

    def _messages(self) -> "Iterator[messages.ToViewer]":
        self._viewer.keep_alive()
        self._viewer.socket.poll(_POLL_MS)
        yield from self._viewer.drain(_BATCH)

    def _nobody(self) -> EcgmonError:
        return EcgmonError(
            f"No monitor answers at {self._endpoint}: start ecgmon serve, or give the endpoint "
            "where it publishes with --monitor."
        )


@contextlib.contextmanager
def asking(where: "MonitorAddress", topics: list[str]) -> Iterator[Attached]:
    """Connect to a monitor that has said how things stand."""
    with attached(where, topics) as viewer:
        monitor = Attached(viewer, where.endpoint)
        monitor.wait_for_snapshot()
        yield monitor
