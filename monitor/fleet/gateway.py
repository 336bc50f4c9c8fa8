"""The gateway of a fleet: it talks with devices as a monitor does, and keeps in JetStream."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final

import zmq

from ecgmon.wire import messages
from monitor.fleet.gateway_dispatch import PortionDispatch
from monitor.fleet.gateway_figures import GatewayFigures
from monitor.fleet.gateway_jetstream import PortionStore
from monitor.fleet.gateway_registry import GatewayRegistry
from monitor.fleet.gateway_settings import GatewaySettings
from monitor.fleet.gateway_stream import ForwardedStream
from monitor.fleet.joined import join
from monitor.fleet.link import Mailbox
from monitor.fleet.portions import Portion
from monitor.network.access import Access, authenticated
from monitor.network.connections import Connections, most
from monitor.network.host import Host
from monitor.network.rate_limits import RateLimiter
from monitor.ops.logs import logger
from monitor.ops.maintenance import Maintenance
from monitor.ops.pacing import Pacing
from monitor.ops.prometheus import MetricsServer
from monitor.sources.ingest import Ingest
from monitor.transports import Context, open_sources, usable
from monitor.wearers.stream_tail import StreamTail

SECOND_S: Final = 1.0
"""How often keys and silent devices are looked after, in seconds."""
END_S: Final = 1.2
"""Longest wait for JetStream at the end, in seconds: what it has not is not acknowledged."""
END_POLL_MS: Final = 20
"""Longest wait for one answer at the end, in milliseconds."""

_log = logger(__name__)


class Gateway:
    """A gateway in one thread, beside that of its connection to NATS; used as a `Monitor`.

    Parameters
    ----------
    settings : GatewaySettings
        How it is set up.
    context : zmq.Context
        Of its sockets.

    Attributes
    ----------
    ingest : str
        The first endpoint bound, known after `start`.
    """

    def __init__(self, settings: GatewaySettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._stopping = threading.Event()
        self._new_settings: GatewaySettings | None = None
        self._last_second = 0.0
        self._away_since: float | None = None

    def start(self) -> None:
        """Join the fleet and bind the sockets.

        Raises
        ------
        FleetError
            If there is no fleet to join.
        UsageError
            If an endpoint cannot be bound.
        """
        settings = self._settings
        with contextlib.ExitStack() as stack:
            self._mail: Mailbox[Callable[[], None]] = Mailbox()
            stack.callback(self._mail.close)
            self._link, partitions = join(settings.fleet)
            stack.callback(self._link.close)
            self._access = Access(settings.keys)
            stack.enter_context(authenticated(self._context, self._access))
            sockets = stack.enter_context(contextlib.ExitStack())
            self._connections = Connections(most())
            stack.callback(self._connections.close)
            host = Host(self._context, settings.own, self._access, self._connections, sockets)
            self._sources = open_sources(settings.ingest, host, stack)
            self._connections.start()
            self._figures = GatewayFigures()
            if settings.metrics:
                stack.callback(MetricsServer(self._figures, settings.metrics).close)
            self._open = stack.pop_all()
        self._store = PortionStore(self._link)
        self._registry = GatewayRegistry(settings.policy)
        limits = RateLimiter(settings.rates)
        self._ingest = Ingest(
            self._sources,
            self._registry,
            self._access,
            limits,
            lambda user: usable(settings.publish, user),
        )
        self._dispatch = PortionDispatch(self._keep, self._stored)
        self._upkeep = Maintenance(lambda _: None)
        poller = zmq.Poller()
        for one in (*(source.readable for source in self._sources), self._mail.fileno()):
            poller.register(one, zmq.POLLIN)
        self._pacing = Pacing(poller, self._mail.fileno())
        bound = [endpoint for source in self._sources for endpoint in source.endpoints]
        self.ingest = bound[0]
        _log.info("ready", ingest=",".join(bound), partitions=partitions)

    def run(self, alive: Callable[[], None] = lambda: None) -> None:
        """Tick until stopped, then end in order; ``alive`` is called after each tick."""
        try:
            while not self._stopping.is_set():
                self.tick()
                alive()
        finally:
            self.shutdown()

    def tick(self) -> None:
        """Read what devices have sent, publish what is due, and acknowledge what is kept."""
        self._pacing.wait(self._take_mail, busy=self._ingest.left_over)
        now = time.monotonic()
        self._take_mail()
        result = self._ingest.drain(now)
        for stream in result.ends:
            if (active := self._registry.forwarded(stream)) and active.part():
                self._stored(active, active.next, True)
        for stream in result.acks:
            if active := self._registry.forwarded(stream):
                self._dispatch.add(active)
        for hello, then in result.lookups:
            self._look_up(hello, then)
        self._dispatch.send_due(now)
        self._ingest.connections.acknowledge_judged(now, result.due)
        if now - self._last_second >= SECOND_S:
            self._last_second = now
            self._upkeep.run(
                {
                    "configuration": self._take_up_settings,
                    "keys": self._refresh_keys,
                    "streams": lambda: self._look_after(now),
                    "figures": lambda: self._measure(now),
                }
            )

    def shutdown(self) -> None:
        """Publish what was accepted, and acknowledge what JetStream takes of it in time."""
        until = time.monotonic() + END_S
        poller = zmq.Poller()
        poller.register(self._mail.fileno(), zmq.POLLIN)
        while len(self._dispatch) and (now := time.monotonic()) < until:
            self._dispatch.send_due(now, all_of_it=True)
            poller.poll(END_POLL_MS)
            self._take_mail()
        if left := len(self._dispatch):
            _log.warning("left-unpublished", wearers=left)
        self._open.close()
        _log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to end after the current tick."""
        self._stopping.set()

    def reload(self, settings: GatewaySettings) -> None:
        """Use another policy, on the same endpoints; may be called from any thread."""
        self._new_settings = settings

    def _take_mail(self) -> None:
        while (then := self._mail.take()) is not None:
            then()

    def _keep(self, portion: Portion, then: Callable[[], None]) -> None:
        future = self._link.start(self._store.keep(portion))

        def done() -> None:
            future.result()  # what failed there is a fault of this loop, too
            then()

        future.add_done_callback(lambda _: self._mail.put(done))

    def _stored(self, stream: ForwardedStream, index: int, parted: bool) -> None:
        """Acknowledge what JetStream has."""
        self._figures.portions.inc()
        self._ingest.connections.acknowledge({stream: index}, [stream] if parted else [])
        if parted:
            self._ingest.end([stream])

    def _look_up(self, hello: messages.Hello, then: Callable[[StreamTail | None], None]) -> None:
        """Ask JetStream how far it has a stream; its device is welcomed then."""
        future = self._link.start(self._store.known(hello))

        def done() -> None:
            from nats.errors import Error

            try:
                self._registry.note(hello, future.result())
            except (Error, TimeoutError) as error:  # without a note the device is refused
                _log.warning("not-looked-up", wearer=hello.wearer, reason=repr(error)[:300])
            then(None)
            if active := self._registry.opened(hello):
                self._dispatch.add(active)

        future.add_done_callback(lambda _: self._mail.put(done))

    def _look_after(self, now: float) -> None:
        self._registry.look_after(now)
        self._ingest.look_after(now)

    def _refresh_keys(self) -> None:
        if self._access.refresh():
            self._ingest.connections.detach_revoked()

    def _take_up_settings(self) -> None:
        settings, self._new_settings = self._new_settings, None
        if settings is None:
            return
        if waiting := self._settings.waiting(settings):
            _log.warning("restart-needed", settings=",".join(waiting))
        self._registry.policy = settings.policy

    def _measure(self, now: float) -> None:
        """Tell the figures, and log when JetStream goes away and comes back."""
        if trouble := self._store.trouble:
            if self._away_since is None:
                self._away_since = now
                _log.error("jetstream-away", reason=trouble, wearers=len(self._dispatch))
        elif self._away_since is not None:
            _log.info("jetstream-back", seconds=round(now - self._away_since, 1))
            self._away_since = None
        figures = self._figures
        figures.away.set(0.0 if self._away_since is None else now - self._away_since)
        figures.under_way.set(self._dispatch.under_way)
        figures.devices.set(len(self._ingest.connections))
        figures.connections.set(self._connections.open)
        figures.refused.inc(sum(source.take_refused() for source in self._sources))
