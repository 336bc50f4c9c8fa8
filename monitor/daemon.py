"""The monitor's life: start-up, main loop, tick and shutdown."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import zmq

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.network.rate_limits import RateLimiter
from monitor.ops.logs import logger
from monitor.ops.maintenance import Maintenance
from monitor.ops.pacing import Pacing
from monitor.ops.prometheus import Metrics, MetricsServer
from monitor.ops.turns import Turns
from monitor.overload import LoadShedding
from monitor.requests import Answer, ViewerRequests
from monitor.settings import AT_ONCE, MonitorSettings
from monitor.sinks.outbox import Outbox
from monitor.sources.ingest import Ingest, IngestResult
from monitor.storage.capture import Capture
from monitor.storage.disk_jobs import Batch, ReadRequest
from monitor.storage.lookups import StreamLookups
from monitor.storage.storage_alarms import StorageAlarms
from monitor.storage.writer import StorageWriter
from monitor.take_overs import TakeOvers
from monitor.transports import Context, Surround, alone, usable
from monitor.wearers.registry import WearerRegistry

LINK_S: Final = 1.0
"""How often link messages are published, and changed keys and models are looked for, in seconds."""
LATE_S: Final = 2.0
"""A tick that takes longer, in seconds, is not reported to the watchdog: windows are waiting."""
DRAIN_S: Final = 1.2
"""Longest wait for the disk at the end, in seconds: the monitor ends within 2 s of the request."""

_log = logger(__name__)


class Monitor:
    """The monitoring daemon in one thread; other threads and signal handlers may call `stop`.

    Parameters
    ----------
    settings : MonitorSettings
        How it is set up.
    context : zmq.Context
        Of its sockets.
    surround : callable
        Connects it; by default with the endpoints of its settings.

    Attributes
    ----------
    ingest, publish : str
        Endpoints bound, the first of each, known after `start`.
    registry, metrics, take_overs : WearerRegistry, Metrics, TakeOvers
        Its wearers, its figures, and what takes over the wearers of others; after `start`.
    later : callable
        Takes what is to be read in the storage thread; after `start`.
    """

    def __init__(
        self, settings: MonitorSettings, context: Context, surround: Surround = alone
    ) -> None:
        self._settings = settings
        self._context = context
        self._surround = surround
        self._stopping = threading.Event()
        self._new_settings: MonitorSettings | None = None
        self._last_link = 0.0

    def start(self) -> None:
        """Open the journal and bind the sockets; raises `UsageError` where that fails."""
        settings = self._settings
        with contextlib.ExitStack() as stack:
            around = self._around = self._surround(settings, self._context, stack)
            self._connections, self._sources = around.connections, around.sources
            bound = [endpoint for source in around.sources for endpoint in source.endpoints]
            offered, self._publisher = around.offered, around.publisher
            self.ingest, self.publish = bound[0], offered[0] if offered else ""
            self.metrics = Metrics()
            self._upkeep = Maintenance(self.metrics.job_failed)
            self._turns = Turns(LINK_S)
            if settings.metrics and not around.shared:
                stack.callback(MetricsServer(self.metrics, settings.metrics).close)
            journal = around.open_journal()
            self.registry = WearerRegistry(settings.policy)
            self.registry.own = around.own
            if not around.shared:
                try:
                    self.registry.restore(journal.alarms(), journal.unfinished(), time.monotonic())
                except UsageError:
                    journal.close()
                    raise
            self._open = stack.pop_all()
        capture = None
        if settings.captured is not None:
            capture = Capture(settings.captured, settings.capture_hours, settings.capture_gb * 1e9)
        keep_days = (settings.window_days, settings.journal_days, settings.capture_days)
        wall = None if around.shared else journal.wall()
        self._disk = StorageWriter(journal, capture, settings.journal.parent, keep_days, wall)
        self._ingest = Ingest(
            self._sources,
            self.registry,
            around.access,
            RateLimiter(settings.rates),
            lambda user: usable(offered, user),
        )
        self._shedding = LoadShedding(self.registry, self._ingest.connections)
        sinks = {"sink-metrics": self.metrics, **around.sinks}
        self._outbox = Outbox(sinks, self._publisher, self._disk, self._upkeep)
        self._lookups = StreamLookups(settings.captured, journal, self._disk)
        self.later = self._disk.hand_over
        self.take_overs = TakeOvers(self.registry, journal, self.later)
        self._storage_alarms = StorageAlarms(
            self.registry.own, journal, self._disk, wall, self.metrics
        )
        act = self.registry.carry_out
        self._requests = ViewerRequests(self._publisher, act, around.access, journal, self.later)
        poller = zmq.Poller()
        readable = [source.readable for source in self._sources]
        for one in (*readable, self._publisher.inbox.readable, self._disk.ready):
            poller.register(one, zmq.POLLIN)
        self._pacing = Pacing(poller, self._disk.ready)
        snapshot = self.registry.snapshot(time.monotonic())
        self.metrics.set_active(one for one in snapshot if isinstance(one, messages.Alarm))
        self._disk.start()
        ready = "worker-ready" if around.shared else "ready"
        _log.info(ready, ingest=",".join(bound), publish=",".join(offered))

    def run(self, alive: Callable[[], None] = lambda: None) -> None:
        """Tick until stopped, then shut down; `start` comes first.

        Parameters
        ----------
        alive : callable
            Called after each tick that was in time and left no window unjudged.
        """
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                self.tick()
                if time.monotonic() - began < LATE_S and not self.registry.behind:
                    alive()
        finally:
            self.shutdown()

    def tick(self) -> None:
        """Read what has arrived, classify it in one batch, and hand it to disk and viewers."""
        busy = self.registry.recovering or self._ingest.left_over
        if self._pacing.wait(self._publish_stored, busy=busy):
            self._shedding.load.pause()
        now = time.monotonic()
        self._take_done(now)
        newcomers, requests = self._publisher.drain(now)
        self._outbox.welcome(newcomers)
        result = self._ingest.drain(now)
        published, answers = result.published, list[Answer]()
        for request in requests:
            changes, answer = self._requests.carry_out(request)
            published += changes
            answers += answer
        judged = self.registry.advance(
            lambda wearer: self._publisher.subscribed(f"trace/{wearer}"), ripe=True
        )
        self.metrics.judged(judged, time.monotonic() - now)
        published += judged
        if now - self._last_link >= LINK_S:
            self._last_link = now
            published += self._each_second(now)
        for part in self._turns.due(now):
            published += self._look_after(part, now)
        self._hand_over(published, result, answers)
        self._ingest.connections.acknowledge_judged(now, result.due)
        self._outbox.send(lambda: self.registry.snapshot(now))

    def shutdown(self) -> None:
        """Process, write and publish what has arrived; streams may go on with another monitor."""
        now = time.monotonic()
        self._lookups.cancel()
        self._hand_over(self.registry.advance(lambda _: False), IngestResult())
        self._disk.stop(DRAIN_S)
        self._take_done(now)
        self._outbox.send(lambda: self.registry.snapshot(now))
        self._disk.close()
        self._open.close()
        _log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to end after the current tick."""
        self._stopping.set()

    def reload(self, settings: MonitorSettings) -> None:
        """Use other settings, on the same endpoints and files; may be called from any thread."""
        self._new_settings = settings

    def say(self, published: list[messages.Published], then: Answer) -> None:
        """Publish what is not of a tick; ``then`` is called once it is on disk and published."""
        self._hand_over(published, IngestResult(), [then])

    def _take_done(self, now: float) -> None:
        """Go on with what has waited for the disk: messages, acknowledgements, new streams."""
        for job in self._disk.take_done():
            if isinstance(job, ReadRequest):
                if job.then is not None:
                    job.then()
                continue
            if isinstance(job, Batch):
                self._outbox.stored(job)
                continue
            self._ingest.connections.acknowledge(job.acks, job.ends)
            if job.ends:
                self._hand_over(self._ingest.end(job.ends), IngestResult())
            if job.gaps:  # on disk already
                self._outbox.put(Batch([*job.gaps]))
        self._lookups.expire(now)

    def _publish_stored(self) -> None:
        """Publish what has waited for the disk, and is there."""
        now = time.monotonic()
        self._take_done(now)
        self._outbox.send(lambda: self.registry.snapshot(now))

    def _hand_over(
        self,
        published: list[messages.Published],
        result: IngestResult,
        answers: Sequence[Answer] = (),
    ) -> None:
        """Hand messages and samples to the disk; messages are published when their turn comes."""
        if self._settings.captured is None:  # samples are not written: only goodbyes wait
            last = {stream: result.acks.pop(stream) for stream in set(result.ends)}
            self._ingest.connections.acknowledge(result.acks)
            result = replace(result, pieces=[], acks=last)
        batch = Batch(published, result.pieces, result.acks, result.ends, [*answers])
        if published or result.acks or result.ends or answers:
            self._outbox.put(batch)
            self._disk.hand_over(batch)
        for hello, then in result.lookups:
            self._lookups.start(hello, then)

    def _each_second(self, now: float) -> list[messages.Published]:
        """Do what is due once a second; a job that fails ends no other."""
        published = self._upkeep.run(
            {
                "configuration": self._take_up_settings,
                "keys": self._refresh_keys,
                "viewers": lambda: self._publisher.forget_silent(now),
                # An empty batch commits what is pending, tries again, and removes what is old.
                "storage": lambda: self._disk.hand_over(Batch([])),
                "streams": lambda: self._ingest.look_after(now),
                "metrics": self._measure,
                "load": lambda: self._shedding.check(now),
                "journal": lambda: self._storage_alarms.of_journal(self.registry.snapshot, now),
                "clock": self._storage_alarms.of_clock,
                "disk": lambda: self._storage_alarms.of_disk(now, self._settings.disk_free_mb),
            }
        )
        failing = ", ".join(self._upkeep.failing)
        text = f"{failing}: looked after without success, again and again; see the log"
        return [*published, *self.registry.own.condition("upkeep", bool(failing), text=text)]

    def _look_after(self, part: int, now: float) -> list[messages.Published]:
        """Do what is due once a second for each of a part of the wearers."""
        return self._upkeep.run(
            {
                "links": lambda: self.registry.links(now, part),
                "models": lambda: self.registry.take_up_models(part),
                "wearers": lambda: self.registry.check(now, part),
            },
            part,
        )

    def _take_up_settings(self) -> None:
        """Use the configuration that was read again, if one was."""
        settings = self._new_settings
        if settings is None:
            return
        if waiting := self._settings.waiting(settings):
            _log.warning("restart-needed", settings=",".join(waiting))
        self._settings = replace(self._settings, **{of: getattr(settings, of) for of in AT_ONCE})
        self.registry.adopt(settings.policy)
        if self._new_settings is settings:  # no newer one has come meanwhile
            self._new_settings = None

    def _refresh_keys(self) -> None:
        if self._around.access.refresh():
            self._publisher.review()
            self._ingest.connections.detach_revoked()

    def _measure(self) -> None:
        self.metrics.dropped(self._publisher.take_dropped())
        self.metrics.queued(self._disk.depth)
        self.metrics.connected(self._connections.open, self._connections.refused)
        self.metrics.refused("ingest", sum(one.take_refused() for one in self._sources))
        self.metrics.refused("publish", self._publisher.inbox.take_refused())
