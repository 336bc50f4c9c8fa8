"""A monitor of a fleet: an ordinary one whose samples come from, and results go to, JetStream."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from ecgmon.config.fleet import FleetSection
from ecgmon.core.errors import EcgmonError
from monitor.alarms.alarm_messages import AlarmMessages
from monitor.daemon import Monitor
from monitor.fleet.fence import FencedError
from monitor.fleet.joined import join, name_of
from monitor.fleet.journal import FleetJournal
from monitor.fleet.link import Mailbox
from monitor.fleet.ownership import END_S, PartitionShare
from monitor.fleet.source import FleetSource, OwnedPartition
from monitor.fleet.tenure import AskedCommand, PartitionNews, PartitionStates, Tenure, save
from monitor.network.access import Access, authenticated
from monitor.network.connections import Connections, most
from monitor.network.host import Host
from monitor.ops.logs import logger
from monitor.settings import MonitorSettings
from monitor.storage.disk_jobs import ReadRequest
from monitor.transports import Context, Surroundings, open_sinks, open_sources

SWEEP_S: Final = 10.0
"""How often the states of a partition are saved, in seconds."""

SAVE_S: Final = 20.0
"""Longest time in which the states of a partition are written, in seconds."""

_log = logger(__name__)


class FleetMonitor(Monitor):
    """A monitor that owns some of a fleet's partitions.

    Parameters
    ----------
    settings : MonitorSettings
        How it is set up; samples are not captured, for JetStream has them.
    context : zmq.Context
        Of its sockets.
    fleet : FleetSection
        Where NATS is.
    ingest : tuple of str
        Endpoints for devices of its own.
    """

    def __init__(
        self,
        settings: MonitorSettings,
        context: Context,
        fleet: FleetSection,
        ingest: tuple[str, ...] = (),
    ) -> None:
        super().__init__(settings, context, self._joined)
        self._fleet = fleet
        self._own_ingest = ingest
        self._swept: dict[Tenure, float] = {}
        self._saving: set[Tenure] = set()

    def start(self) -> None:
        """Join the fleet, and start as any monitor does; raises `UsageError` where that fails."""
        super().start()
        self._link.start(self._share.run())

    def tick(self) -> None:
        """Do what an ordinary monitor does, and then save what is due and let go what is lost."""
        super().tick()
        now, source = time.monotonic(), self._source
        if source.strays:
            self.registry.let_go(source.strays)
            source.strays.clear()
        while source.over:
            self._drop(source.over.pop())
        for owned, asked in source.asked():
            self._carry_out(owned, asked)
        for owned in list(source.owned.values()):
            tenure = owned.tenure
            if tenure.leaving:
                self._leave(owned)
            elif now - self._swept.setdefault(tenure, now) >= SWEEP_S and owned.settled:
                self._swept[tenure] = now
                self._sweep(owned)

    def shutdown(self) -> None:
        """Save all wearers for whoever goes on with them, and end as any monitor does."""
        for owned in list(self._source.owned.values()):
            self._leave(owned)
        super().shutdown()

    def _joined(
        self, wanted: MonitorSettings, context: Context, stack: contextlib.ExitStack
    ) -> Surroundings:
        link, partitions = join(self._fleet)
        stack.callback(link.close)
        self._link = link
        news: Mailbox[PartitionNews] = Mailbox()
        source = self._source = FleetSource(self._fleet.servers, news, lambda: self.registry)
        stack.callback(source.close)
        self._share = PartitionShare(
            link,
            partitions,
            name_of(self._fleet),
            news,
            lambda: source.full,
            lambda: len(self.registry.streams),
        )
        access = Access(wanted.keys)
        stack.enter_context(authenticated(context, access))
        sockets = stack.enter_context(contextlib.ExitStack())
        connections = Connections(most())
        stack.callback(connections.close)
        host = Host(context, wanted.own, access, connections, sockets)
        sources = open_sources(self._own_ingest, host, stack) if self._own_ingest else []
        sinks, publisher = open_sinks(wanted.publish, host, stack)
        connections.start()
        stack.callback(self._end)
        return Surroundings(
            access,
            connections,
            [source, *sources],
            sinks,
            publisher,
            publisher.inbox.endpoints,
            lambda: FleetJournal(wanted.journal, link, source.tenure_of),
            AlarmMessages(None),
        )

    def _end(self) -> None:
        """Hand all partitions over, as far as they are saved."""
        with contextlib.suppress(Exception):  # who goes on takes them after a moment
            self._link.run(self._share.end(), 3 * END_S)

    def _sweep(self, owned: OwnedPartition) -> None:
        tenure = owned.tenure
        found = None if tenure in self._saving else self._source.sweep(owned)
        if found is not None:
            self._saving.add(tenure)
            self.later(ReadRequest(lambda: self._save(tenure, found, leaves=False)))

    def _carry_out(self, owned: OwnedPartition, asked: AskedCommand) -> None:
        """Do what a viewer of the fleet asks for; the next owner knows by the state that it is."""
        owned.commands = asked.number
        try:
            published = self.registry.carry_out(asked.request)
        except EcgmonError as error:
            asked.answer(str(error))
            return
        self.say(published, lambda: asked.answer(None))
        self._swept[owned.tenure] = float("-inf")

    def _leave(self, owned: OwnedPartition) -> None:
        """Save a partition for the next owner, and hand out nothing more of it."""
        tenure, source = owned.tenure, self._source
        found = source.sweep(owned) if owned.settled else None
        self.registry.let_go(source.give_up(owned))
        self.later(ReadRequest(lambda: self._save(tenure, found, leaves=True)))

    def _drop(self, owned: OwnedPartition) -> None:
        """Let the wearers of a partition go that is another monitor's, without a word."""
        tenure, source = owned.tenure, self._source
        self.registry.let_go(source.give_up(owned))
        source.routes.pop(tenure.partition, None)
        self._swept.pop(tenure, None)

        def forget() -> None:
            self._link.call_soon(tenure.forgotten.set)

        self.later(ReadRequest(lambda: forget))  # once no word of its wearers is under way

    def _save(
        self, tenure: Tenure, found: PartitionStates | None, *, leaves: bool
    ) -> Callable[[], None]:
        """Write what a sweep has found; called when all is told that was published before it."""
        results = tenure.results
        told = results.given, results.number
        self._link.start(self._written(tenure, found, told, leaves=leaves))
        return lambda: None

    async def _written(
        self,
        tenure: Tenure,
        found: PartitionStates | None,
        told: tuple[int, int],
        *,
        leaves: bool,
    ) -> None:
        try:
            if found is not None:
                await asyncio.wait_for(save(tenure, found, *told), SAVE_S)
        except FencedError as error:
            _log.warning("partition-fenced", partition=tenure.partition, reason=error)
            leaves = True
        except (EcgmonError, TimeoutError) as error:
            _log.error("states-not-saved", partition=tenure.partition, reason=repr(error))
        finally:
            self._saving.discard(tenure)
            if leaves:
                tenure.left.set()
