"""The source of a fleet's monitor: the devices of the partitions that it owns."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon.wire import messages
from monitor.fleet.devices import FleetDevice
from monitor.fleet.link import Mailbox
from monitor.fleet.states import BOOT, WearerRecord, pack, unpack
from monitor.fleet.tenure import AskedCommand, PartitionNews, PartitionStates, Tenure
from monitor.network.access import LOCAL
from monitor.network.refusals import Refusing
from monitor.network.router import Received
from monitor.ops.logs import logger
from monitor.wearers.registry import WearerRegistry

MAX_HELD: Final = 64_000_000
"""Bytes of samples that wait to be judged; beyond, no more are read."""
MAX_PLACES: Final = 100_000
"""Wearers of whom it is remembered in which partition they are."""
LOOK_S: Final = 0.2
"""How often devices that wait are looked at, in seconds."""

_log = logger(__name__)


class OwnedPartition:
    """The devices of a partition that this monitor owns.

    Parameters
    ----------
    tenure : Tenure
        Since when.

    Attributes
    ----------
    devices : dict of str to FleetDevice
        By wearer.
    came : int
        Number of the last portion that came.
    whole : bool
        Whether all of what the owner before has left was told.
    saved : tuple of (int, int)
        Position of the last sweep, and the command; -1 before the first.
    asked : deque of AskedCommand
        What viewers ask for, in order.
    commands : int
        Number of the last of these that was carried out.
    """

    def __init__(self, tenure: Tenure) -> None:
        self.tenure = tenure
        self.devices = {name: FleetDevice(name, saved) for name, saved in tenure.saved.items()}
        self.came = tenure.position.samples
        self.whole = False
        self.saved = -1, -1
        self.asked: deque[AskedCommand] = deque()
        self.commands = tenure.position.commands
        tenure.saved = {}

    @property
    def settled(self) -> bool:
        """Whether all states are loaded that the owner before has left."""
        return self.whole and not any(one.to_load for one in self.devices.values())

    @property
    def position(self) -> int:
        """Number of a portion: all up to it are handed out."""
        waiting = [one.waiting for one in self.devices.values() if one.waiting is not None]
        return min(waiting, default=self.came + 1) - 1


class FleetSource(Refusing):
    """Source of what devices of the wearers of some partitions have said to gateways.

    Parameters
    ----------
    endpoints : tuple of str
        Addresses of the servers.
    news : Mailbox of PartitionNews
        What comes.
    registry : callable
        Gives the registry where wearers are watched.

    Attributes
    ----------
    owned : dict of int to OwnedPartition
        Partitions that this monitor owns.
    strays : set of str
        Wearers that are watched though they are another monitor's.
    over : list of OwnedPartition
        Partitions that are another monitor's since they were looked at last.
    """

    def __init__(
        self,
        endpoints: tuple[str, ...],
        news: Mailbox[PartitionNews],
        registry: Callable[[], WearerRegistry],
    ) -> None:
        super().__init__()
        self.endpoints = endpoints
        self._news = news
        self._registry = registry
        self._ready: deque[FleetDevice] = deque()
        self._devices: dict[str, FleetDevice] = {}
        self._looked = 0.0
        self._held = 0
        self.owned: dict[int, OwnedPartition] = {}
        self.routes: dict[int, Tenure] = {}
        self._places: dict[str, int] = {}
        self.strays: set[str] = set()
        self.over: list[OwnedPartition] = []

    @property
    def full(self) -> bool:
        """Whether so much waits that no more is to be read; asked in any thread."""
        return self._held > MAX_HELD

    @property
    def readable(self) -> int:
        """What a poller waits for until there is something to receive."""
        return self._news.fileno()

    def receive(self) -> Received | None:
        """Return the next message, None if there is none now."""
        while (news := self._news.take()) is not None:
            self._take(news)
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._held = sum(one.held for one in self._devices.values())
            ready = set(self._ready)
            self._ready += [one for one in self._devices.values() if one not in ready]
        while self._ready:
            device = self._ready[0]
            if device.to_load is not None:
                self._load(device, device.to_load, now)
            if (data := device.next(now)) is not None:
                return Received(device.wearer.encode(), LOCAL, data)
            self._ready.popleft()
        return None

    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> bool:
        """Let a device hear an answer."""
        wearer = peer.decode()
        device = self._devices.get(wearer)
        if device is None:
            if isinstance(message, messages.Welcome):
                self.strays.add(wearer)
            return False
        device.take(message)
        if not isinstance(message, messages.Ack):
            self._ready.append(device)
        return True

    def close(self) -> None:
        """Let go of the mailbox."""
        self._news.close()

    def sweep(self, owned: OwnedPartition) -> PartitionStates | None:
        """Return what is to be saved of a partition, at the end of a tick; None for nothing."""
        registry, now, position = self._registry(), time.monotonic(), owned.position
        states: dict[str, WearerRecord] = {}
        gone = []
        for wearer, one in list(owned.devices.items()):
            try:
                state = pack(registry.save(wearer))
            except UsageError:  # no longer watched
                state = b""
            if state or (one.handed > position and one.handed):
                end = one.stream, one.end, one.rate
                states[wearer] = WearerRecord(one.handed, BOOT, now, *end, state)
                one.kept = True
                continue
            if one.kept:
                gone.append(wearer)
                one.kept = False
            if one.waiting is None:
                self._forget(owned, wearer)
        reached = position, owned.commands
        if not states and not gone and owned.saved == reached:
            return None
        owned.saved = reached
        return PartitionStates(states, gone, *reached)

    def asked(self) -> Iterator[tuple[OwnedPartition, AskedCommand]]:
        """Yield what viewers ask for, where all wearers are watched of whom it may be."""
        for owned in list(self.owned.values()):
            while owned.asked and owned.settled:
                yield owned, owned.asked.popleft()

    def give_up(self, owned: OwnedPartition) -> list[str]:
        """Hand out nothing more of a partition; returns its wearers."""
        owned.tenure.given_up = True
        wearers = list(owned.devices)
        for wearer in wearers:
            self._forget(owned, wearer)
        if self.owned.get(owned.tenure.partition) is owned:
            del self.owned[owned.tenure.partition]
        gone = {*wearers}
        self._ready = deque(one for one in self._ready if one.wearer not in gone)
        return wearers

    def tenure_of(self, wearer: str) -> Tenure | None:
        """Return since when a wearer's partition is this monitor's; asked in any thread."""
        partition = self._places.get(wearer)
        return None if partition is None else self.routes.get(partition)

    def _take(self, news: PartitionNews) -> None:
        tenure = news.tenure
        if tenure.given_up and not news.over:
            return
        owned = self.owned.get(tenure.partition)
        if owned is None or owned.tenure is not tenure:
            owned = OwnedPartition(tenure)
            if not tenure.given_up:
                self.owned[tenure.partition] = owned
                self.routes[tenure.partition] = tenure
            for wearer, device in owned.devices.items():
                self._note(owned, wearer, device)
        for number, portion in news.portions:
            wearer = portion.hello.wearer
            if wearer not in owned.devices:
                self._note(owned, wearer, FleetDevice(wearer, None))
            device = owned.devices[wearer]
            owned.came = max(owned.came, number)
            before = device.waiting
            device.put(number, portion)
            if before is None:
                self._ready.append(device)
        owned.whole = owned.whole or news.whole
        if news.whole:
            self._ready += [one for one in owned.devices.values() if one.to_load]
        if news.asked is not None:
            owned.asked.append(news.asked)
        if news.over:
            self.over.append(owned)

    def _note(self, owned: OwnedPartition, wearer: str, device: FleetDevice) -> None:
        owned.devices[wearer] = self._devices[wearer] = device
        self._places[wearer] = owned.tenure.partition
        if len(self._places) > MAX_PLACES:
            del self._places[next(iter(self._places))]

    def _forget(self, owned: OwnedPartition, wearer: str) -> None:
        del owned.devices[wearer]
        self._devices.pop(wearer, None)

    def _load(self, device: FleetDevice, saved: WearerRecord, now: float) -> None:
        """Go on with a wearer's state; one that does not fit here is left, and said so."""
        device.to_load = None
        try:
            self._registry().load(unpack(saved.state), saved.ahead_s(now, *device.newest))
        except EcgmonError as error:
            _log.error("state-refused", wearer=device.wearer, reason=error)
