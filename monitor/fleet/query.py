"""The query side: one place where viewers see the wearers of all monitors of a fleet."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import zmq

from ecgmon.config.fleet import FleetSection
from ecgmon.keys import KeyStore, PrivateKey
from ecgmon.wire import messages
from monitor.fleet.joined import name_of
from monitor.fleet.link import FleetError, FleetLink, Mailbox
from monitor.fleet.query_commands import CommandDesk
from monitor.fleet.query_feed import Job, ResultsFeed, begun
from monitor.fleet.query_requests import FleetRequests
from monitor.fleet.query_standing import FleetStanding, ToldMemory
from monitor.network.access import Access, authenticated
from monitor.network.connections import Connections, most
from monitor.network.host import Host
from monitor.ops.logs import logger
from monitor.sinks.publisher import listen
from monitor.transports import Context

IDLE_MS: Final = 100
"""Longest wait for a message in a turn, in milliseconds."""
START_S: Final = 60.0
"""Longest wait at the start until all is known that was said, in seconds."""
MOST_TAKEN: Final = 200
"""Results taken in a turn; requests of viewers wait no longer than for these."""
SECOND_S: Final = 1.0
"""How often keys and viewers are looked after, in seconds."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """How the query side is set up.

    Parameters
    ----------
    fleet : FleetSection
        Where NATS is.
    publish : tuple of str
        Where viewers connect.
    keys : KeyStore, optional
        Who may, where the network can reach an endpoint.
    own : PrivateKey, optional
        Key of the query side, for such endpoints.
    """

    fleet: FleetSection
    publish: tuple[str, ...]
    keys: KeyStore | None = None
    own: PrivateKey | None = None


class QuerySide:
    """Speaks to viewers as one monitor would that had all wearers of the fleet.

    Parameters
    ----------
    settings : QuerySettings
        How it is set up.
    context : zmq.Context
        Of its sockets.

    Attributes
    ----------
    publish : str
        The first endpoint that is bound, known after `start`.
    """

    def __init__(self, settings: QuerySettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._stopping = threading.Event()
        self._standing = FleetStanding()
        self._memory = ToldMemory()
        self._complete = False
        self._last_second = float("-inf")

    def start(self) -> None:
        """Connect to the fleet and bind the sockets.

        Raises
        ------
        UsageError
            If no fleet is there, or an endpoint cannot be bound.
        """
        settings, fleet = self._settings, self._settings.fleet
        if not fleet.servers:
            raise FleetError("No NATS server is named: give fleet.servers in the configuration.")
        with contextlib.ExitStack() as stack:
            self._box: Mailbox[Job] = Mailbox()
            stack.callback(self._box.close)
            link = FleetLink(
                fleet.servers, f"{name_of(fleet)}-query", fleet.credentials, fleet.certificates
            )
            stack.callback(link.close)
            link.run(begun(link, ", ".join(fleet.servers)))
            self._feed = link.start(ResultsFeed(link, self._box, self._take).run())
            self._await_news()
            self._access = Access(settings.keys)
            stack.enter_context(authenticated(self._context, self._access))
            sockets = stack.enter_context(contextlib.ExitStack())
            connections = Connections(most())
            stack.callback(connections.close)
            host = Host(self._context, settings.own, self._access, connections, sockets)
            self._publisher = listen(settings.publish, host)
            stack.callback(self._publisher.close)
            connections.start()
            self.publish = self._publisher.inbox.endpoints[0]
            self._desk = CommandDesk(link, self._box)
            self._requests = FleetRequests(
                link, self._box, self._publisher, self._access, self._standing, self._desk
            )
            link.run(self._desk.listen())
            self._poller = zmq.Poller()
            self._poller.register(self._publisher.inbox.readable, zmq.POLLIN)
            self._poller.register(self._box.fileno(), zmq.POLLIN)
            self._open = stack.pop_all()
        _log.info("ready", publish=",".join(self._publisher.inbox.endpoints))

    def run(self, alive: Callable[[], None] = lambda: None) -> None:
        """Take turns until stopped, then close everything; ``alive`` is called after each turn."""
        try:
            while not self._stopping.is_set():
                self.turn()
                alive()
        finally:
            self._open.close()
            _log.info("stopped")

    def turn(self) -> None:
        """Pass on what monitors have said, and take what viewers say."""
        self._poller.poll(0 if len(self._box) else IDLE_MS)
        for _ in range(MOST_TAKEN):
            if (job := self._box.take()) is None:
                break
            job()
        now = time.monotonic()
        newcomers, requests = self._publisher.drain(now)
        snapshot = self._standing.snapshot() if newcomers else []
        for newcomer in newcomers:
            self._publisher.send_snapshot(newcomer, snapshot)
        for request in requests:
            self._requests.carry_out(request, now)
        if now - self._last_second >= SECOND_S:
            self._last_second = now
            self._each_second(now)

    def stop(self) -> None:
        """Ask the loop to end after the current turn; may be called from any thread."""
        self._stopping.set()

    def _each_second(self, now: float) -> None:
        self._look_at_feed()
        self._desk.tick(now)
        if self._access.refresh():
            self._publisher.review()
        self._publisher.forget_silent(now)

    def _await_news(self) -> None:
        """Wait until it is known how things stand; before that no viewer is let in."""
        deadline = time.monotonic() + START_S
        poller = zmq.Poller()
        poller.register(self._box.fileno(), zmq.POLLIN)
        while not self._complete:
            if time.monotonic() > deadline:
                raise FleetError(
                    f"JetStream has not said within {START_S:g} s how things stand: look at the "
                    "log of the NATS server."
                )
            self._look_at_feed()
            poller.poll(IDLE_MS)
            while not self._complete and (job := self._box.take()) is not None:
                job()

    def _look_at_feed(self) -> None:
        """Fail where results are not read any more, rather than show old ones as new."""
        if self._feed.done():
            self._feed.result()

    def _take(self, published: list[messages.Published], news: bool) -> None:
        """Take what was published; without messages, all is known that was said before."""
        if not published:
            self._complete = True
            return
        fresh = []
        for message in published:
            if _of_fleet(message) and self._memory.new(message):
                self._standing.apply(message)
                fresh.append(message)
        if news and fresh:
            self._publisher.publish(fresh)
            for message in fresh:
                self._desk.heard(message)


def _of_fleet(message: messages.Published) -> bool:
    """Tell whether a message may be told: alarms of monitors themselves have no common numbers."""
    return message.wearer is not None or isinstance(message, messages.Event)
