"""Which partitions a monitor asks for, and which it hands over, so that each has its share."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from monitor.fleet.alive import ALIVE, MonitorAlive
from monitor.fleet.link import FleetLink, Mailbox
from monitor.fleet.partition import PartitionKeeper
from monitor.fleet.tenure import PartitionNews
from monitor.ops.logs import logger

if TYPE_CHECKING:
    from nats.aio.msg import Msg

ALIVE_S: Final = 1.0
"""How often a monitor says that it is there, in seconds."""
GONE_S: Final = 2.5
"""A monitor of which nothing is heard for so long, in seconds, is there no more."""
LOOK_S: Final = 0.1
"""How often it is looked whether partitions are to be asked for or handed over, in seconds."""
AGAIN_S: Final = 1.0
"""Wait before a partition is asked for again, in seconds."""
END_S: Final = 4.0
"""Longest time in which all is saved at the end, in seconds."""
MAX_MONITORS: Final = 1000
"""Monitors that are known at most."""

_log = logger(__name__)


class PartitionShare:
    """Keeps as many partitions as are this monitor's share; all runs in the link's thread.

    Parameters
    ----------
    link : FleetLink
        Connected.
    partitions : int
        Of the fleet.
    name : str
        Of this monitor.
    news : Mailbox of PartitionNews
        Where the monitor's thread hears of partitions.
    full : callable
        Tells whether too much waits for the monitor's thread.
    wearers : callable
        Gives how many wearers are watched.
    """

    def __init__(
        self,
        link: FleetLink,
        partitions: int,
        name: str,
        news: Mailbox[PartitionNews],
        full: Callable[[], bool],
        wearers: Callable[[], int],
    ) -> None:
        self._link = link
        self._partitions = partitions
        self._name = name
        self._news = news
        self._full = full
        self._wearers = wearers
        self._heard: dict[str, tuple[float, MonitorAlive]] = {}
        self._keepers: dict[int, PartitionKeeper] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}
        self._stopping = False

    async def run(self) -> None:
        """Look after the share until cancelled."""
        subscription = await self._link.client.subscribe(ALIVE, cb=self._hear)
        said: tuple[float, list[int]] = (0.0, [])
        try:
            while True:
                now, owned = time.monotonic(), self.owned
                if now - said[0] >= ALIVE_S or owned != said[1]:
                    said = now, owned
                    await self._say(owned)
                self._look(now, owned)
                await asyncio.sleep(LOOK_S)
        finally:
            with contextlib.suppress(Exception):  # the connection may be lost
                await subscription.unsubscribe()

    @property
    def owned(self) -> list[int]:
        """The partitions that are this monitor's."""
        return sorted(p for p, one in self._keepers.items() if one.tenure)

    def keeper(self, partition: int) -> PartitionKeeper | None:
        """Return who looks after a partition."""
        return self._keepers.get(partition)

    async def end(self) -> None:
        """Wait until all is saved, hand all over, and ask for nothing more."""
        self._stopping = True
        tenures = [one.tenure for one in self._keepers.values() if one.tenure]
        with contextlib.suppress(TimeoutError):  # what is not saved is computed anew
            await asyncio.wait_for(
                asyncio.gather(*(tenure.left.wait() for tenure in tenures)), END_S
            )
        for tenure in tenures:
            tenure.left.set()
            tenure.forgotten.set()
        for keeper, task in zip(self._keepers.values(), self._tasks.values(), strict=True):
            if keeper.tenure is None:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=END_S)
        await self._say([])

    def _look(self, now: float, owned: list[int]) -> None:
        """Ask for partitions, or hand one over."""
        for partition, task in list(self._tasks.items()):
            if task.done():
                self._finish(partition, task, now)
        share = self._share(now)
        leaving = [one for one in self._keepers.values() if one.tenure and one.tenure.leaving]
        if len(owned) > share and not leaving and not self._stopping:
            tenure = self._keepers[owned[-1]].tenure
            if tenure:
                tenure.leaving = True
                self._news.put(PartitionNews(tenure, leaving=True))
        taken = {p for _, one in self._others(now) for p in one.owned}
        for partition in range(self._partitions):
            keeper = self._keepers.get(partition)
            wanted = len(owned) < share and partition not in taken and not self._stopping
            if keeper is None and wanted and now >= self._not_before.get(partition, 0.0):
                self._ask(partition)
            elif keeper and keeper.tenure and keeper.lonely and partition in taken:
                keeper.tenure.left.set()  # the server has pinned the other monitor
            elif keeper and keeper.idle and not wanted:
                self._tasks[partition].cancel()

    def _ask(self, partition: int) -> None:
        keeper = PartitionKeeper(
            self._link, partition, self._name, self._news, self._may_take, self._full
        )
        self._keepers[partition] = keeper
        self._tasks[partition] = asyncio.create_task(keeper.keep())

    def _finish(self, partition: int, task: "asyncio.Task[None]", now: float) -> None:
        del self._tasks[partition], self._keepers[partition]
        self._not_before[partition] = now + AGAIN_S
        if not task.cancelled() and (error := task.exception()):
            _log.error("partition-failed", partition=partition, reason=repr(error))

    def _may_take(self) -> bool:
        busy = sum(not one.idle for one in self._keepers.values())
        return busy < self._share(time.monotonic()) and not self._stopping

    def _share(self, now: float) -> int:
        return math.ceil(self._partitions / (1 + len(self._others(now))))

    def _others(self, now: float) -> list[tuple[float, MonitorAlive]]:
        self._heard = {n: one for n, one in self._heard.items() if now - one[0] < GONE_S}
        return list(self._heard.values())

    async def _hear(self, message: "Msg") -> None:
        try:
            alive = msgspec.json.decode(message.data, type=MonitorAlive)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _log.warning("not-alive", reason=str(error)[:200])
            return
        known = alive.name in self._heard or len(self._heard) < MAX_MONITORS
        if alive.name != self._name and known:
            self._heard[alive.name] = time.monotonic(), alive

    async def _say(self, owned: list[int]) -> None:
        alive = MonitorAlive(self._name, owned, self._wearers())
        with contextlib.suppress(Exception):  # a lost connection comes back
            await self._link.client.publish(ALIVE, msgspec.json.encode(alive))
