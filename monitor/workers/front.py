"""The front: it has the endpoints and the monitor's own alarms, and workers have the wearers."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import zmq

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.network.host import routed
from monitor.network.router import Inbox
from monitor.ops.logs import logger
from monitor.ops.prometheus import Metrics, MetricsServer
from monitor.settings import AT_ONCE, MonitorSettings
from monitor.sinks.publisher import Publisher
from monitor.storage.journal import Journal
from monitor.storage.shared_journal import SharedJournalDatabase
from monitor.transports import Context, alone
from monitor.workers.crew import Crew
from monitor.workers.figures import JoinedFigures
from monitor.workers.order import GivenWord, WorkerOrder
from monitor.workers.own_conditions import JoinedAlarms
from monitor.workers.own_part import OwnPart
from monitor.workers.staff import Staff

IDLE_MS: Final = 100
"""Longest wait for a message in a turn, in milliseconds."""
TURN_S: Final = 0.03
"""Shortest time between two turns, in seconds: what comes meanwhile is passed on together."""
SECOND_S: Final = 1.0
"""How often workers, keys and conditions are looked after, in seconds."""
START_S: Final = 50.0
"""Longest wait for the workers at the start, in seconds."""
END_S: Final = 1.4
"""Longest wait for the workers at the end, in seconds..."""
DRAIN_S: Final = 0.3
"""...and then for the disk."""
ONLY: Final = "Workers serve endpoints of tcp:// and ipc:// alone."
FAILING: Final = "processes that watch wearers end again and again; see the log"

_log = logger(__name__)


class Front:
    """A monitor whose wearers are shared by worker processes; used as `monitor.daemon.Monitor`.

    Parameters
    ----------
    settings : MonitorSettings
        How it is set up.
    context : zmq.Context
        Of its sockets.
    config : str or None
        The configuration's file, as the command line named it: workers read it themselves.
    given : list of (tuple of str, object, str)
        Key, value and origin of what the command line gave besides.

    Attributes
    ----------
    ingest, publish : str
        Endpoints bound, the first of each, known after `start`.
    """

    def __init__(
        self,
        settings: MonitorSettings,
        context: Context,
        config: str | None,
        given: list[GivenWord],
    ) -> None:
        self._settings = settings
        self._context = context
        self._config, self._given = config, given
        self._stopping = threading.Event()
        self._new_settings: MonitorSettings | None = None
        self._last_second = self._last_turn = float("-inf")
        self._polled: set[int] = set()

    def start(self) -> None:
        """Bind the sockets and start the workers; raises `UsageError` where that fails."""
        settings = self._settings
        endpoints = [*settings.ingest, *settings.publish]
        if len(routed(endpoints)) < len(endpoints):
            raise UsageError(ONLY)
        with contextlib.ExitStack() as stack:
            around = alone(settings, self._context, stack)
            (inbox,), publisher = around.sources, around.publisher
            if not (isinstance(inbox, Inbox) and isinstance(publisher, Publisher)):
                raise UsageError(ONLY)
            self.ingest, self.publish = inbox.endpoints[0], around.offered[0]
            metrics, alarms = Metrics(), JoinedAlarms()
            figures = JoinedFigures(metrics.registry)
            if settings.metrics:
                stack.callback(MetricsServer(figures, settings.metrics).close)
            database = SharedJournalDatabase(settings.journal)
            journal = Journal(settings.journal, database)
            try:
                past, unfinished = list(journal.alarms()), journal.unfinished()
            except UsageError:
                journal.close()
                raise
            alarms.restore(one for one in past if one.wearer is None)
            stands = alarms.own.snapshot()
            metrics.set_active(one for one in stands if isinstance(one, messages.Alarm))

            def order(link: int, lock: int) -> WorkerOrder:
                return WorkerOrder(
                    front=os.getpid(),
                    link=link,
                    lock=lock,
                    config=self._config,
                    given=self._given,
                    ingest=list(inbox.endpoints),
                    publish=list(around.offered),
                    figures=bool(settings.metrics),
                )

            self._crew = Crew(settings.workers, order, database.lock)
            stack.callback(self._crew.kill)
            capacity = settings.policy.capacity
            self._staff = Staff(
                self._crew, inbox, publisher, around.access, capacity, alarms, figures
            )
            streaming = {one.wearer for one in unfinished}
            known = {one.wearer for one in past if one.wearer is not None} | streaming
            self._staff.placement.orphans = {one: one in streaming for one in known}
            audience = self._staff.audience
            self._own = OwnPart(settings, around, publisher, audience, journal, alarms, metrics)
            self._sockets = (inbox.readable, publisher.inbox.readable)
            self._open = stack.pop_all()
        self._own.start()
        self._await_workers()
        _log.info(
            "ready",
            ingest=",".join(inbox.endpoints),
            publish=",".join(around.offered),
            workers=self._staff.ready,
        )

    def run(self, alive: Callable[[], None] = lambda: None) -> None:
        """Take turns until stopped, then shut down; ``alive`` is called after each turn."""
        try:
            while not self._stopping.is_set():
                self.turn()
                alive()
        finally:
            self.shutdown()

    def turn(self) -> None:
        """Pass on what has come, of devices, viewers and workers."""
        self._wait()
        now = time.monotonic()
        self._crew.start_missing(now)
        self._staff.hear(now)
        self._own.turn(now)
        self._staff.pass_on(now)
        if now - self._last_second >= SECOND_S:
            self._last_second = now
            jobs = {
                "configuration": self._take_up_settings,
                "workers": lambda: self._staff.look(now),
            }
            failing = FAILING if self._crew.failing else ""
            self._own.each_second(now, self._settings.disk_free_mb, jobs, lambda: failing)

    def shutdown(self) -> None:
        """End the workers, publish what they say last, and write the monitor's own alarms."""
        deadline = time.monotonic() + END_S
        self._crew.end()
        while self._crew.members and (now := time.monotonic()) < deadline:
            self._poll(IDLE_MS // 10)
            self._staff.hear(now)
            self._crew.flush()
        self._crew.kill()
        self._own.end(DRAIN_S)
        self._open.close()
        _log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to end after the current turn."""
        self._stopping.set()

    def reload(self, settings: MonitorSettings) -> None:
        """Use other settings, on the same endpoints and files; may be called from any thread."""
        self._new_settings = settings

    def _await_workers(self) -> None:
        """Wait until all workers have started; raises `UsageError` if one ends meanwhile."""
        until = time.monotonic() + START_S
        wanted = len(self._crew.start_missing(time.monotonic()))
        while self._staff.ready < wanted and not self._stopping.is_set():
            self._poll(IDLE_MS)
            now = time.monotonic()
            self._staff.hear(now)
            self._crew.flush()
            if len(self._crew.members) < wanted or now > until:
                self.shutdown()
                raise UsageError("A worker process did not start: see the log.")

    def _wait(self) -> None:
        """Wait until something has come, and for what else comes in a moment."""
        unsent = any(one.link.waiting for one in self._crew.members.values())
        self._poll(0 if self._staff.left_over else IDLE_MS // 10 if unsent else IDLE_MS)
        early_s = self._last_turn + TURN_S - time.monotonic()
        if early_s > 0 and not self._staff.left_over:
            time.sleep(early_s)
        self._last_turn = time.monotonic()

    def _poll(self, timeout_ms: int) -> None:
        links = {one.link.fileno() for one in self._crew.members.values()}
        if links != self._polled:
            self._polled, self._poller = links, zmq.Poller()
            for one in (*self._sockets, self._own.ready, *links):
                self._poller.register(one, zmq.POLLIN)
        self._poller.poll(timeout_ms)

    def _take_up_settings(self) -> None:
        """Use the configuration that was read again, if one was, and let workers read it."""
        settings, self._new_settings = self._new_settings, None
        if settings is None:
            return
        if waiting := self._settings.waiting(settings):
            _log.warning("restart-needed", settings=",".join(waiting))
        at_once = {name: getattr(settings, name) for name in AT_ONCE}
        self._settings = replace(self._settings, **at_once)
        self._crew.reload()
