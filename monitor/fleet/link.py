"""The connection to NATS: its event loop runs in a thread of its own, beside the monitor's."""

import asyncio
import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ecgmon.core.errors import UsageError
from monitor.fleet.account import read_account
from monitor.ops.logs import logger

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

T = TypeVar("T")

LEAST_VERSION: Final = (2, 12)
"""Oldest server: of 2.12 on, a write may depend on another subject than its own (the fence)."""
CONNECT_S: Final = 5.0
"""Longest wait for the first connection, in seconds."""
CALL_S: Final = 5.0
"""Longest wait for what is asked of the server, in seconds."""
END_S: Final = 1.0
"""Longest wait for what is still to be sent at the end, in seconds."""
RECONNECT_S: Final = 0.25
"""Wait between two tries to connect again, in seconds."""
NOT_INSTALLED: Final = "A fleet needs the fleet extra: pip install 'ecgmon[fleet]'."

_log = logger(__name__)


class FleetError(UsageError):
    """NATS cannot be reached, or does not do what was asked for."""


class Mailbox(Generic[T]):
    """Passes items from the thread of the connection to the one that polls `fileno`."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._readable, self._wake = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(self._wake, False)

    def __len__(self) -> int:
        return len(self._items)

    def fileno(self) -> int:
        """Return what can be read while there is something to take."""
        return self._readable

    def put(self, item: T) -> None:
        """Add an item; may be called from any thread."""
        self._items.append(item)
        with contextlib.suppress(BlockingIOError):  # full of bytes not read yet: it is readable
            os.write(self._wake, b"\0")

    def take(self) -> T | None:
        """Return the oldest item, None if there is none."""
        if self._items:
            return self._items.popleft()
        with contextlib.suppress(BlockingIOError):
            os.read(self._readable, 4096)
        return self._items.popleft() if self._items else None  # one that came meanwhile

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._readable)
        os.close(self._wake)


class FleetLink:
    """A connection to NATS and JetStream, which comes back by itself when it is lost.

    Parameters
    ----------
    servers : sequence of str
        Addresses, such as ``nats://127.0.0.1:4222``: any of the cluster's.
    name : str
        How the connection is called in the server's own lists.
    credentials : str, optional
        File of name and password, or of NATS's own credentials.
    certificates : str, optional
        File of the certificate of who has signed the servers' certificates. With it nothing is said
        before the server has shown its own: servers need ``handshake_first``.

    Attributes
    ----------
    client, js : nats Client, JetStreamContext
        Known once it is connected; used in coroutines of `run` and `start` alone.

    Raises
    ------
    FleetError
        If it cannot be connected: the extra is missing, no server answers, or it is too old or has
        no JetStream.
    """

    client: "Client"
    js: "JetStreamContext"

    def __init__(
        self, servers: tuple[str, ...], name: str, credentials: str = "", certificates: str = ""
    ) -> None:
        if any("@" in server for server in servers):
            raise FleetError(
                "An address of NATS holds no name and password: put them into the file that "
                "fleet.credentials names, one line, name:password."
            )
        try:
            import nats  # noqa: F401 - the first who needs it
        except ImportError as error:
            raise FleetError(NOT_INSTALLED) from error
        self._servers = servers
        self._name, self._certificates = name, certificates
        self._account = read_account(credentials).options()
        self._in_use = False
        self._reason: Exception | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fleet", daemon=True)
        self._thread.start()
        try:
            self.run(self._connect(), CONNECT_S + CALL_S)  # which says itself why it cannot
        except BaseException:
            self.close()
            raise

    @property
    def connected(self) -> bool:
        """Whether a server is connected now."""
        return self.client.is_connected

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = CALL_S) -> T:
        """Do something in the connection's thread, and wait for it.

        Raises
        ------
        FleetError
            If it takes longer.
        """
        future = self.start(work)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            future.cancel()
            raise FleetError(
                f"NATS at {', '.join(self._servers)} does not answer: look at its log."
            ) from error

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin something in the connection's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call something in the connection's thread; nothing once it is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def close(self) -> None:
        """End the connection, with what is still to be sent, and all that runs in its thread."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(Exception):
            self.run(self._end(), CALL_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_S)
        if not self._thread.is_alive():
            self._loop.close()

    async def _connect(self) -> None:
        import ssl

        from nats.aio.client import Client
        from nats.errors import Error

        self.client = Client()
        tls = None
        if self._certificates:
            # At the end of each connection asyncio warns that nats-py keeps no half-open ones.
            logging.getLogger("asyncio").setLevel(logging.ERROR)
            try:
                tls = ssl.create_default_context(cafile=self._certificates)
            except OSError as error:
                raise FleetError(
                    f"{self._certificates} is no file of certificates: give "
                    "fleet.certificates the one that has signed those of the servers."
                ) from error
        try:
            connecting = asyncio.ensure_future(
                self.client.connect(
                    list(self._servers),
                    name=self._name,
                    **self._account,
                    tls=tls,
                    tls_handshake_first=tls is not None,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_S,  # type: ignore[arg-type] # any part
                    ping_interval=2,
                    max_outstanding_pings=2,
                    error_cb=self._note,
                    disconnected_cb=self._lost,
                    reconnected_cb=self._back,
                )
            )
            # Not `wait_for`: nats-py may miss that it is cancelled, and goes on for ever.
            if not (await asyncio.wait([connecting], timeout=CONNECT_S))[0]:
                connecting.cancel()
                raise TimeoutError("no answer")
            connecting.result()
        except (OSError, Error, TimeoutError, ValueError) as error:
            reason = str(self._reason or error)[:200] or "no answer"
            raise FleetError(
                f"No NATS server answers at {', '.join(self._servers)} ({reason}): start it, or "
                "give its address, fleet.credentials and fleet.certificates."
            ) from error
        version = self.client.connected_server_version
        if (version.major, version.minor) < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            raise FleetError(
                f"The NATS server at {', '.join(self._servers)} is version {version.major}."
                f"{version.minor}: a fleet needs {least} or newer."
            )
        self.js = self.client.jetstream(timeout=CALL_S)
        self._in_use = True

    async def _end(self) -> None:
        self._in_use = False
        if self.client.is_connected:
            with contextlib.suppress(Exception):  # it is lost: nothing can be sent any more
                await asyncio.wait_for(self.client.drain(), END_S)
        with contextlib.suppress(Exception):  # it was never there; its socket is closed
            await asyncio.wait_for(self.client.close(), END_S)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _note(self, error: Exception) -> None:
        """Log what goes wrong; while it is connected first, keep it for the sentence.

        Errors of each try to connect again are not logged: that it is lost was said.
        """
        if not self._in_use:
            self._reason = self._reason or error  # later ones follow from it
        elif self.client.is_connected:
            _log.warning("nats-error", reason=repr(error)[:300])

    async def _lost(self) -> None:
        if self._in_use:
            _log.warning("nats-lost")

    async def _back(self) -> None:
        _log.info("nats-back")
