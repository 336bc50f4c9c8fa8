"""A worker process: an ordinary monitor whose devices and viewers are connected to the front."""

import contextlib
import ctypes
import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec
import zmq

from ecgmon.core.errors import EcgmonError
from monitor.daemon import Monitor
from monitor.network.access import Access
from monitor.network.connections import Connections
from monitor.ops.garbage import collect_rarely
from monitor.ops.logs import log_to_stderr, logger
from monitor.settings import MonitorSettings
from monitor.storage.journal import Journal
from monitor.storage.shared_journal import SharedJournalDatabase
from monitor.transports import Context, Surroundings
from monitor.workers.figures import families
from monitor.workers.link import WordLink
from monitor.workers.order import WorkerOrder
from monitor.workers.own_conditions import NotedConditions
from monitor.workers.relay import Relay
from monitor.workers.relayed_ports import RelayedPublisher, RelayedSource
from monitor.workers.words import (
    TO_WORKER,
    Alive,
    Conditions,
    CountedFigures,
    End,
    Ready,
    Reload,
    Room,
    SeenKinds,
    TakenOver,
    TakeOver,
    ToWorker,
)

ALIVE_S: Final = 1.0
"""How often a worker that keeps up says so, in seconds."""
FIGURES_S: Final = 2.0
"""How often it tells its figures, in seconds."""
REST_S: Final = 0.5
"""Longest wait at the end for the front to take what is left, in seconds."""
_PR_SET_PDEATHSIG: Final = 1

_log = logger(__name__)


class WorkerProcess:
    """A worker's monitor, and its end of the link.

    Parameters
    ----------
    order : WorkerOrder
        How it is started.
    """

    def __init__(self, order: WorkerOrder) -> None:
        self._order = order
        end = socket.socket(fileno=order.link)
        self._relay = Relay(WordLink(end, TO_WORKER), self._take)
        self._own = NotedConditions()
        self._said_conditions: dict[str, str | None] = {}
        self._alive_at = self._figures_at = float("-inf")
        context: Context = zmq.Context()
        self._monitor = Monitor(order.read(), context, self._surround)

    def run(self) -> None:
        """Watch wearers until the front says that it is the end, or is gone."""
        self._monitor.start()
        self._relay.say(Ready())
        self._relay.flush()
        self._monitor.run(self._alive)
        self._relay.flush()
        self._relay.link.close(REST_S)

    def _surround(
        self, wanted: MonitorSettings, _context: Context, _stack: contextlib.ExitStack
    ) -> Surroundings:
        source = RelayedSource(self._relay, tuple(self._order.ingest))
        publisher = RelayedPublisher(
            self._relay, source, lambda: not self._monitor.take_overs.running
        )
        path, lock = wanted.journal, self._order.lock
        return Surroundings(
            Access(wanted.keys),
            Connections(1),
            [source],
            {"sink-relay": publisher},
            publisher,
            tuple(self._order.publish),
            lambda: Journal(path, SharedJournalDatabase(path, lock)),
            self._own,
            shared=True,
        )

    def _take(self, word: ToWorker) -> None:
        """Take a word of the front that is neither a device's nor a viewer's."""
        match word:
            case Room(elsewhere=elsewhere):
                self._monitor.registry.share_places(elsewhere)
            case TakeOver(wearers=wearers):
                self._monitor.take_overs.start(wearers, self._taken_over(wearers))
            case SeenKinds(kinds=kinds):
                self._own.seen = set(kinds)
            case Reload():
                threading.Thread(target=self._reload, name="reload", daemon=True).start()
            case End():
                self._monitor.stop()

    def _taken_over(self, wearers: list[str]) -> Callable[[], None]:
        def say() -> None:
            self._relay.say(TakenOver(wearers))
            self._relay.flush()

        return say

    def _reload(self) -> None:
        try:
            self._monitor.reload(self._order.read())
        except EcgmonError as error:
            _log.error("reload-refused", reason=error)

    def _alive(self) -> None:
        """Say once a second that this worker keeps up, and what else the front must know."""
        now, relay = time.monotonic(), self._relay
        if now - self._alive_at < ALIVE_S:
            return
        self._alive_at = now
        registry = self._monitor.registry
        wearers = [stream.wearer for stream in registry.streams]
        relay.say(Alive(wearers, now < registry.closed_until))
        if self._own.holding != self._said_conditions:
            self._said_conditions = dict(self._own.holding)
            relay.say(Conditions(self._said_conditions))
        if self._order.figures and now - self._figures_at >= FIGURES_S:
            self._figures_at = now
            relay.say(CountedFigures(families(self._monitor.metrics.registry)))
        relay.flush()


def main() -> None:
    """Be a worker; the only argument is its order."""
    order = msgspec.json.decode(sys.argv[1], type=WorkerOrder)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the front hears of them, and says what to do
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != order.front:
        return  # it has gone already
    log_to_stderr()
    collect_rarely()
    faulthandler.enable()  # a worker that hangs is ended by SIGABRT, and leaves in the log where
    WorkerProcess(order).run()


if __name__ == "__main__":
    main()
