"""The front's own part: alarms of the monitor itself, history, tidying, and figures."""

import time
from collections.abc import Callable, Mapping, Sequence

from ecgmon.wire import messages
from monitor.ops.maintenance import Job, Maintenance
from monitor.ops.prometheus import Metrics
from monitor.requests import Answer, ViewerRequests
from monitor.settings import MonitorSettings
from monitor.sinks.base import Sink
from monitor.sinks.outbox import Outbox
from monitor.sinks.publisher import Publisher
from monitor.sinks.viewers import Request
from monitor.storage.disk_jobs import Batch, ReadRequest
from monitor.storage.journal import Journal
from monitor.storage.storage_alarms import StorageAlarms
from monitor.storage.writer import StorageWriter
from monitor.transports import Surroundings
from monitor.workers.audience import Audience
from monitor.workers.own_conditions import JoinedAlarms
from monitor.workers.tidied import TidiedCapture


class OwnPart:
    """What the front does itself, with a storage thread of its own.

    Parameters
    ----------
    settings : MonitorSettings
        How the monitor is set up.
    around : Surroundings
        What it is connected to.
    publisher : Publisher
        Talks to viewers.
    audience : Audience
        Asks workers what viewers want to know.
    journal : Journal
        Open.
    alarms : JoinedAlarms
        The alarms of the monitor itself.
    metrics : Metrics
        The front's own figures.

    Attributes
    ----------
    ready : int
        File descriptor that can be read when something is on disk.
    """

    def __init__(
        self,
        settings: MonitorSettings,
        around: Surroundings,
        publisher: Publisher,
        audience: Audience,
        journal: Journal,
        alarms: JoinedAlarms,
        metrics: Metrics,
    ) -> None:
        self._around = around
        self._publisher = publisher
        self._audience = audience
        self._alarms = alarms
        self._metrics = metrics
        self._upkeep = Maintenance(metrics.job_failed)
        capture = None
        if settings.captured is not None:
            max_bytes = settings.capture_gb * 1e9
            capture = TidiedCapture(settings.captured, settings.capture_hours, max_bytes)
        keep_days = (settings.window_days, settings.journal_days, settings.capture_days)
        wall = journal.wall()
        self._disk = StorageWriter(journal, capture, settings.journal.parent, keep_days, wall)
        sinks: dict[str, Sink] = {"sink-metrics": metrics, "sink-viewers": publisher}
        self._outbox = Outbox(sinks, audience, self._disk, self._upkeep)
        self._storage_alarms = StorageAlarms(alarms.here, journal, self._disk, wall, metrics)
        self._requests = ViewerRequests(
            publisher, alarms.carry_out, around.access, journal, self._disk.hand_over
        )
        self.ready = self._disk.ready

    def start(self) -> None:
        """Start the storage thread."""
        self._disk.start()

    def turn(self, now: float) -> None:
        """Publish what is on disk by now, and take what viewers say."""
        for job in self._disk.take_done():
            if isinstance(job, Batch):
                self._outbox.stored(job)
            elif isinstance(job, ReadRequest) and job.then is not None:
                job.then()
        newcomers, requests = self._publisher.drain(now)
        self._audience.look()  # before snapshots: nothing is missed after them
        self._outbox.welcome(newcomers)
        for request in requests:
            self._carry_out(request)
        self._outbox.send(self._alarms.own.snapshot)

    def each_second(
        self, now: float, least_mb: float, jobs: Mapping[str, Job], failing: Callable[[], str]
    ) -> None:
        """Do what is due once a second.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.
        least_mb : float
            Less free space, in 10^6 bytes, is alarmed.
        jobs : mapping of str to callable
            What is due besides.
        failing : callable
            Says what else goes on failing; empty if nothing does.
        """
        alarms = self._alarms
        published = self._upkeep.run(
            {
                **jobs,
                "keys": self._refresh_keys,
                "viewers": lambda: self._publisher.forget_silent(now),
                "storage": lambda: self._disk.hand_over(Batch([])),
                "metrics": self._measure,
                "journal": lambda: self._storage_alarms.of_journal(
                    lambda _: alarms.own.snapshot(), now
                ),
                "clock": self._storage_alarms.of_clock,
                "disk": lambda: self._storage_alarms.of_disk(now, least_mb),
            }
        )
        why = ", ".join(self._upkeep.failing)
        text = f"{why}: looked after without success, again and again; see the log"
        also = failing()
        alarms.here.condition("upkeep", bool(why or also), text=also or text)
        self._hand_over([*published, *alarms.look()])

    def end(self, timeout_s: float) -> None:
        """Write and publish what is left; a disk that hangs is given up after a time."""
        self._disk.stop(timeout_s)
        self.turn(time.monotonic())
        self._disk.close()

    def _carry_out(self, request: Request) -> None:
        of_wearer = request.message.wearer is not None
        if of_wearer and not isinstance(request.message, messages.History):
            self._audience.request(request)
        else:
            self._hand_over(*self._requests.carry_out(request))

    def _hand_over(
        self, published: list[messages.Published], answers: Sequence[Answer] = ()
    ) -> None:
        if published or answers:
            batch = Batch(published, answers=[*answers])
            self._outbox.put(batch)
            self._disk.hand_over(batch)

    def _refresh_keys(self) -> None:
        if self._around.access.refresh():
            self._publisher.review()

    def _measure(self) -> None:
        metrics, connections = self._metrics, self._around.connections
        metrics.dropped(self._publisher.take_dropped())
        metrics.queued(self._disk.depth)
        metrics.connected(connections.open, connections.refused)
        metrics.refused("ingest", sum(one.take_refused() for one in self._around.sources))
        metrics.refused("publish", self._publisher.inbox.take_refused())
