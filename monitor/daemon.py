"""The monitor's life: start-up, main loop, tick and shutdown."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zmq

from ecgmon.errors import UsageError
from ecgmon.wire import frame, messages
from monitor.alerts import AlertRules
from monitor.capture import Capture
from monitor.ingest import Ingest
from monitor.journal import Journal
from monitor.publish import HIGH_WATER, Publisher
from monitor.ward import Ward

LOOPBACK: Final = "tcp://127.0.0.1:*"
PRIVATE: Final = ("tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://", "inproc://")
"""How endpoints begin that only this machine reaches."""
IDLE_MS: Final = 100
"""Longest wait for samples in a tick; link reports are due at least so often."""
LINK_S: Final = 1.0
"""How often streams are reported on, and models newly put into service are looked for."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a monitor is set up.

    Parameters
    ----------
    journal : Path
        SQLite file to append to.
    resolve : callable
        Gives the path of a wearer's bundle.
    ingest, publish : str
        Endpoints to bind; a port of ``*`` takes a free one.
    rules : AlertRules
        What raises and clears alerts.
    captured : Path, optional
        Folder to keep the samples of every wearer in; without it, they are not kept.
    capture_hours : int
        How much is kept of each wearer.
    """

    journal: Path
    resolve: Callable[[str], Path]
    ingest: str = LOOPBACK
    publish: str = LOOPBACK
    rules: AlertRules = field(default_factory=AlertRules)
    captured: Path | None = None
    capture_hours: int = 24


class Monitor:
    """A monitoring daemon in one thread; `stop` may be called from another one or a signal.

    Parameters
    ----------
    settings : Settings
        How it is set up.
    context : zmq.Context
        Of its sockets.

    Attributes
    ----------
    ingest, publish : str
        Endpoints bound, known after `start`.
    """

    def __init__(self, settings: Settings, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        self._settings = settings
        self._context = context
        self._stopping = threading.Event()
        self._last_link = 0.0

    def start(self) -> None:
        """Open the journal and bind the sockets; raises `UsageError` where that fails."""
        with contextlib.ExitStack() as failed:
            ingest = failed.enter_context(self._context.socket(zmq.ROUTER))
            ingest.maxmsgsize = max(frame.MAX_BYTES, messages.MAX_BYTES)
            ingest.sndhwm = HIGH_WATER
            ingest.set(zmq.HEARTBEAT_IVL, 2_000)  # a dead peer is noticed, not kept for ever
            ingest.set(zmq.HEARTBEAT_TIMEOUT, 6_000)
            publish = failed.enter_context(self._context.socket(zmq.XPUB))
            publish.maxmsgsize = 1024  # only subscriptions come in
            publish.sndhwm = HIGH_WATER
            for socket, endpoint in (
                (ingest, self._settings.ingest),
                (publish, self._settings.publish),
            ):
                if not endpoint.startswith(PRIVATE):
                    raise UsageError(
                        f"The endpoint {endpoint} cannot be bound: until connections have keys, "
                        "only what the network cannot reach, tcp://127.0.0.1:PORT or ipc://PATH."
                    )
                socket.linger = 500  # the last results still leave, a dead peer holds nobody up
                try:
                    socket.bind(endpoint)
                except zmq.ZMQError as error:
                    why = zmq.strerror(error.errno or 0)
                    raise UsageError(
                        f"The endpoint {endpoint} cannot be bound ({why}): "
                        "choose another one or stop what uses it."
                    ) from error
            self._journal = Journal(self._settings.journal)
            failed.pop_all()
        self.ingest = _endpoint(ingest)
        self.publish = _endpoint(publish)
        self._ward = Ward(self._settings.resolve, self._settings.rules)
        folder = self._settings.captured
        self._capture = Capture(folder, self._settings.capture_hours) if folder else None
        self._ingest = Ingest(ingest, self._ward, self.publish, self._capture)
        self._publisher = Publisher(publish)
        self._poller = zmq.Poller()
        self._poller.register(ingest, zmq.POLLIN)
        self._poller.register(publish, zmq.POLLIN)
        _log.info("ingest=%s publish=%s ready", self.ingest, self.publish)

    def run(self) -> None:
        """Tick until stopped, then shut down; `start` comes first."""
        try:
            while not self._stopping.is_set():
                self.tick()
        finally:
            self.shutdown()

    def tick(self) -> None:
        """Take what has arrived, classify it in one batch, record it, publish it, acknowledge."""
        self._poller.poll(IDLE_MS)
        newcomer = self._publisher.take_subscriptions()
        published = self._ingest.drain()
        published += self._ward.advance(
            lambda wearer: self._publisher.wanted(f"trace/{wearer}".encode())
        )
        if self._capture is not None:
            self._capture.flush_due()
        now = time.monotonic()
        if now - self._last_link >= LINK_S:
            self._last_link = now
            published += self._ward.link(now)
            published += self._ward.take_up_models()
        self._tell(published)
        self._tell(self._ingest.acknowledge())
        if newcomer:
            for message in self._ward.snapshot():
                self._publisher.send(message)

    def shutdown(self) -> None:
        """Process what has arrived, end the streams, flush what is kept, close the sockets."""
        self._tell(self._ward.advance(lambda _: False))
        for stream in self._ward.streams:
            self._tell(self._ward.close(stream))
        if self._capture is not None:
            self._capture.flush()
        self._journal.close()
        self._ingest.socket.close()
        self._publisher.socket.close()
        _log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to end after the current tick."""
        self._stopping.set()

    def _tell(self, published: list[messages.Published]) -> None:
        """Record, then publish: nobody hears of an alert that a power cut could undo."""
        self._journal.append(published)
        if self._capture is not None and any(isinstance(m, messages.Closed) for m in published):
            self._capture.flush()  # who hears of the end can read what was captured
        for message in published:
            self._publisher.send(message)


def _endpoint(socket: "zmq.Socket[bytes]") -> str:
    """Return what a socket was bound to, with the port the system chose."""
    return socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
