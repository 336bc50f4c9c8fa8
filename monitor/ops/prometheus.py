"""Metrics of the daemon for Prometheus, served over HTTP on this machine."""

import ipaddress
import socketserver
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    make_wsgi_app,
)

from ecgmon.core.alarm_kinds import Priority
from ecgmon.core.errors import UsageError
from ecgmon.wire import messages

SCRAPE_S: Final = 5.0
"""A connection that says nothing for so long is closed."""
MAX_SCRAPES: Final = 16
"""Connections at once, each with a thread; further ones are closed."""
_LATENCIES_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(slots=True)
class _Linked:
    """What was told last of a wearer's connection: stream, repeated samples, and the gauges."""

    stream: str
    lag: Gauge
    repeated: int = 0
    drift: Gauge | None = None


class Metrics:
    """The daemon's figures; they are changed by one thread, and told by others.

    What is told of a wearer is told no longer once the stream has closed, so that there is never
    more of it than wearers under watch.
    """

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._windows = self._counter("windows", "Seconds judged, by signal state.", "state")
        self._latency = Histogram(
            "ecgmon_classification_seconds",
            "From the arrival of the last sample a verdict needs to the verdict.",
            registry=self.registry,
            buckets=_LATENCIES_S,
        )
        self._gaps = self._counter("gaps", "Gaps in streams.")
        self._missing = self._counter("missing_samples", "Samples that never arrived.")
        self._repeated = self._counter("repeated_samples", "Samples that arrived again.")
        self._raised = self._counter("alarms_raised", "Alarms raised, by kind.", "kind")
        self._active = (
            self._gauge("alarms_active", "Active alarms.", "priority"),
            self._gauge("alarms_standing", "Old name of ecgmon_alarms_active.", "priority"),
        )
        self._lag = self._gauge("lag_seconds", "How far the newest sample is behind.", "wearer")
        self._drift = self._gauge("clock_drift_ppm", "How fast the device's clock is.", "wearer")
        self._dropped = self._counter("viewer_messages_dropped", "Lost on the way to viewers.")
        self._queue = self._gauge("disk_queue_depth", "What waits to be written to disk.")
        self._failing = self._gauge("disk_failing_seconds", "Since when writing fails or hangs.")
        self._held = self._gauge("samples_held", "Samples that wait in memory for the disk.")
        self._unkept = self._counter("samples_not_kept", "Judged, but given up unwritten.")
        self._unkept_before = 0
        self._refused = self._counter("refused", "Messages refused, by endpoint.", "endpoint")
        self._open = self._gauge("connections", "Connections of devices and viewers.")
        self._shut = self._counter("connections_refused", "Connections that were one too many.")
        self._shut_before = 0
        self._jobs = self._counter("job_failures", "Jobs of each second that failed.", "job")
        self._priorities: dict[tuple[str | None, int], Priority] = {}
        self._linked: dict[str, _Linked] = {}
        self._of_state: dict[str, Counter] = {}
        for priority in ("high", "medium", "low"):
            for gauge in self._active:
                gauge.labels(priority)

    def set_active(self, alarms: Iterable[messages.Alarm]) -> None:
        """Take alarms that stand already, as after a restart: they are not raised now."""
        for alarm in alarms:
            self._set_active(alarm)

    def publish(self, published: Iterable[messages.Published]) -> None:
        """Count what is published; the figures are a sink as viewers are."""
        for message in published:
            match message:
                case messages.Window():
                    if (judged := self._of_state.get(message.state)) is None:
                        judged = self._of_state[message.state] = self._windows.labels(message.state)
                    judged.inc()
                case messages.Gap(judged=False):
                    self._gaps.inc()
                    self._missing.inc(message.count)
                case messages.Alarm():
                    first = message.state == "raised" and message.count == 1
                    if first and not self._is_active(message):
                        self._raised.labels(message.kind).inc()
                    self._set_active(message)
                case messages.Link():
                    self._link(message)
                case messages.Closed():
                    self._close(message.wearer)

    def flush(self) -> None:
        """Do nothing: figures are told when they are asked for."""

    def close(self) -> None:
        """Do nothing: the server that tells them closes itself."""

    def judged(self, published: Iterable[messages.Published], seconds: float) -> None:
        """Take how long the verdicts among messages took, since their last samples were read."""
        for message in published:
            if isinstance(message, messages.Window) and message.abnormal is not None:
                self._latency.observe(seconds)

    def dropped(self, messages_dropped: int) -> None:
        """Take that so many more messages are known not to have reached viewers."""
        self._dropped.inc(messages_dropped)

    def queued(self, depth: int) -> None:
        """Take how much waits to be written to disk."""
        self._queue.set(depth)

    def disk(self, failing_s: float, held: int, unkept: int) -> None:
        """Take for how long the disk has failed, what waits for it, and all that was given up."""
        self._failing.set(failing_s)
        self._held.set(held)
        self._unkept.inc(unkept - self._unkept_before)
        self._unkept_before = unkept

    def refused(self, endpoint: str, times: int) -> None:
        """Take how often something was refused since the last time."""
        self._refused.labels(endpoint).inc(times)

    def connected(self, connections: int, refused: int) -> None:
        """Take how many connections there are, and how many were one too many so far."""
        self._open.set(connections)
        self._shut.inc(refused - self._shut_before)
        self._shut_before = refused

    def job_failed(self, job: str) -> None:
        """Take that a job of the second has failed."""
        self._jobs.labels(job).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ecgmon_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"ecgmon_{name}", text, labels, registry=self.registry)

    def _is_active(self, alarm: messages.Alarm) -> bool:
        return (alarm.wearer, alarm.alarm) in self._priorities

    def _set_active(self, alarm: messages.Alarm) -> None:
        key = alarm.wearer, alarm.alarm
        if (before := self._priorities.pop(key, None)) is not None:
            self._count(before, -1)
        if alarm.state != "cleared":
            self._priorities[key] = alarm.priority
            self._count(alarm.priority, 1)

    def _count(self, priority: str, alarms: int) -> None:
        for gauge in self._active:
            gauge.labels(priority).inc(alarms)

    def _link(self, link: messages.Link) -> None:
        known = self._linked.get(link.wearer)
        if known is None:
            lag = self._lag.labels(link.wearer)
            known = self._linked[link.wearer] = _Linked(link.stream, lag)
        before = known.repeated if known.stream == link.stream else 0
        if link.repeated > before:
            self._repeated.inc(link.repeated - before)
        known.stream, known.repeated = link.stream, link.repeated
        known.lag.set(link.lag_s)
        if link.drift_ppm is not None:
            known.drift = known.drift or self._drift.labels(link.wearer)
            known.drift.set(link.drift_ppm)

    def _close(self, wearer: str) -> None:
        if self._linked.pop(wearer, None) is not None:
            self._lag.remove(wearer)
            self._drift.remove(wearer)


class HasRegistry(Protocol):
    """Figures as a registry tells them."""

    @property
    def registry(self) -> CollectorRegistry:
        """The registry."""


class MetricsServer:
    """Tells the figures at ``http://ADDRESS/metrics``, in threads of its own.

    Parameters
    ----------
    metrics : HasRegistry
        What is told.
    address : str
        Host and port, such as ``127.0.0.1:9555``; port 0 takes a free one.

    Attributes
    ----------
    address : str
        With the port that was taken.

    Raises
    ------
    UsageError
        If the address is none of this machine's own, or in use.
    """

    def __init__(self, metrics: HasRegistry, address: str) -> None:
        host, port = _loopback(address)
        try:
            self._server = _Server((host, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"Metrics cannot be told at {address} ({error.strerror}): choose another address "
                "or stop what uses it."
            ) from error
        self.address = f"{host}:{self._server.server_port}"
        self._server.set_app(make_wsgi_app(metrics.registry))
        # The poll interval is how long closing may take.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Tell nothing any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        super().__init__(address, handler)
        self._places = threading.BoundedSemaphore(MAX_SCRAPES)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as there
        """Answer in a thread, unless there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread could be started
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Make room for the next one, whatever becomes of this."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask a name server for a name
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # whoever asked has gone


class _Handler(WSGIRequestHandler):
    timeout = SCRAPE_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


def _loopback(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    try:
        if ipaddress.IPv4Address(host).is_loopback and 0 <= int(port) < 65536:
            return host, int(port)
    except ValueError:
        pass
    raise UsageError(
        f"Metrics cannot be told at {address}: they are told without keys, so only to this "
        "machine; give an address such as 127.0.0.1:9555."
    )
