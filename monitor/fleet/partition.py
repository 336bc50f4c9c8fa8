"""A partition in the hands of this monitor: it is taken, read, saved, and let go."""

import asyncio
import contextlib
import time
import zlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import EcgmonError, ProtocolError, StateError
from ecgmon.wire import messages
from monitor.fleet import names, portions, states, told
from monitor.fleet.commands import CommandReader, FleetCommand
from monitor.fleet.fence import Fence, FencedError, OwnerRecord
from monitor.fleet.link import FleetLink, Mailbox
from monitor.fleet.pinned import PinnedConsumer
from monitor.fleet.portions import Portion
from monitor.fleet.reading import StoredMessage, read
from monitor.fleet.results import ResultsQueue, identity_hash
from monitor.fleet.states import PartitionPosition, WearerRecord
from monitor.fleet.tenure import AskedCommand, PartitionNews, Tenure
from monitor.ops.logs import logger

if TYPE_CHECKING:
    from nats.aio.msg import Msg

LONELY_S: Final = 5.0
"""A partition from which nothing comes for so long, in seconds, is taken all the same."""
MAX_AHEAD: Final = 1000
"""Messages of a partition that wait to be passed on, at most; more come slowly."""
ROOM_S: Final = 0.05
"""How often it is looked whether there is room again, in seconds."""

_log = logger(__name__)


class PartitionKeeper:
    """Asks for a partition, and reads it while it is this monitor's.

    Parameters
    ----------
    link : FleetLink
        Connected; all is called in its thread.
    partition : int
        Which.
    name : str
        Of this monitor.
    news : Mailbox of PartitionNews
        Where the monitor's thread hears of it.
    may_take : callable
        Tells whether this monitor may have one more partition.
    full : callable
        Tells whether too much waits for the monitor's thread.

    Attributes
    ----------
    tenure : Tenure or None
        While it is this monitor's.
    idle : bool
        Whether it is still asked for.
    lonely : bool
        Whether no message has come yet: the server has pinned nobody, or another monitor.
    """

    def __init__(
        self,
        link: FleetLink,
        partition: int,
        name: str,
        news: Mailbox[PartitionNews],
        may_take: Callable[[], bool],
        full: Callable[[], bool],
    ) -> None:
        self._link = link
        self._partition = partition
        self._name = name
        self._news = news
        self._may_take = may_take
        self._full = full
        self._consumer = PinnedConsumer(link, partition)
        self._came: asyncio.Queue[Msg] = asyncio.Queue()
        self._read = 0
        self._delivered: int | None = None
        self.idle = self.lonely = True
        self.tenure: Tenure | None = None

    async def keep(self) -> None:
        """Ask until it is this monitor's, and read until it is no longer."""
        await self._consumer.ensure()
        pump = asyncio.create_task(self._pump())
        tasks = [pump]
        try:
            first = await self._first(pump)
            if not self._may_take():
                return
            self.idle = False
            tenure = self.tenure = await self._take()
            commands = CommandReader(self._link, self._partition, tenure.position.commands)
            work = [
                tenure.results.run(),
                self._pass_on(tenure, first),
                commands.run(partial(self._ask, tenure)),
                _over(tenure),
            ]
            tasks += [asyncio.ensure_future(one) for one in work]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        except FencedError as error:
            _log.warning("partition-fenced", partition=self._partition, reason=error)
        except EcgmonError as error:
            _log.error("partition-given-up", partition=self._partition, reason=error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()

    async def _first(self, pump: "asyncio.Task[None]") -> "Msg | None":
        """Wait for the first message, for with it this client is the pinned one.

        None where none comes: nobody has the partition then, and silent devices are missed, too.
        """
        came = asyncio.ensure_future(self._came.get())
        patience_s = LONELY_S + zlib.crc32(self._name.encode()) % 20 / 10
        try:
            done, _ = await asyncio.wait(
                [came, pump], timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            came.cancel()
        if pump in done:
            pump.result()
        return came.result() if came in done else None

    async def _end(self) -> None:
        if self._consumer.pin:
            with contextlib.suppress(Exception):  # else the server waits for `PINNED_S`
                await self._consumer.release()
        if tenure := self.tenure:
            _log.info("partition-left", partition=self._partition)
            self._news.put(PartitionNews(tenure, over=True))
            await tenure.forgotten.wait()
            self.tenure = None

    async def _pump(self) -> None:
        """Take what the server gives, so that it knows that this monitor is there."""
        async for message in self._consumer.messages(self._has_room):
            if message is not None:
                self.lonely = False
                self._came.put_nowait(message)
            elif self._consumer.pin is None and not (self.idle or self.lonely):
                _log.warning("pin-lost", partition=self._partition)
                return

    def _has_room(self) -> bool:
        return self._came.qsize() < MAX_AHEAD and not self._full()

    async def _take(self) -> Tenure:
        """Take the fence, and read what the owner before has left."""
        link, partition = self._link, self._partition
        fence = Fence(link, partition)
        await fence.take(OwnerRecord(self._name, time.time()))
        results_at, states_at = fence.taken
        saved: dict[str, WearerRecord] = {}
        position = PartitionPosition()
        bucket, keys = f"KV_{names.STATES}", names.key_subject(f"{partition}.>")
        wearers = names.key_subject(names.state_key(partition, ""))
        async for found in read(link, bucket, keys, 1, states_at):
            for one in found:
                try:
                    if one.subject == names.key_subject(names.position_key(partition)):
                        position = states.position(one.data)
                    elif one.subject.startswith(wearers) and one.data:
                        wearer = names.wearer_of(one.subject[len(wearers) :])
                        saved[wearer] = states.wearer_record(one.data)
                except StateError as error:
                    _log.error("state-unreadable", key=one.subject, reason=error)
        before: Counter[int] = Counter()
        everything = names.results(partition)
        first = position.results + 1
        async for found in read(link, names.RESULTS, everything, first, results_at):
            before.update(identity_hash(m) for one in found for m in _messages(one))
        _log.info("partition-taken", partition=partition, wearers=len(saved))
        self._read = position.samples
        results = ResultsQueue(link, partition, fence, before)
        return Tenure(partition, fence, results, position, saved)

    async def _pass_on(self, tenure: Tenure, first: "Msg | None") -> None:
        """Pass on what has come since the states were saved, and then what comes."""
        if first is None:
            tenure.first = await self._last()
            await self._catch_up(tenure, tenure.first)
            self._news.put(PartitionNews(tenure, whole=True))
        message = first or await self._came.get()
        while True:
            data = message.metadata
            number, delivered = data.sequence.stream, data.sequence.consumer
            tenure.answers.append(message)
            if self._delivered is None or delivered != self._delivered + 1:
                await self._catch_up(tenure, number)
            if number > self._read:
                self._read = number
                self._tell(tenure, [StoredMessage(number, message.subject, message.data)])
            self._delivered = delivered
            if not tenure.first:
                tenure.first = number
                self._news.put(PartitionNews(tenure, whole=True))
            message = await self._came.get()

    async def _ask(self, tenure: Tenure, number: int, command: FleetCommand) -> str | None:
        """Let the monitor's thread carry out a command; returns why it cannot, None once done."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def set_done(refused: str | None) -> None:
            if not done.done():
                done.set_result(refused)

        def answer(refused: str | None) -> None:
            self._link.call_soon(partial(set_done, refused))

        asked = AskedCommand(number, command.request, answer)
        self._news.put(PartitionNews(tenure, asked=asked))
        return await done

    async def _last(self) -> int:
        """Return the number of the partition's last message, 0 if it has none."""
        from nats.js.errors import NotFoundError

        try:
            subject = names.samples(self._partition)
            last = await self._link.js.get_last_msg(names.SAMPLES, subject)
        except NotFoundError:
            return 0
        return int(last.seq or 0)

    async def _catch_up(self, tenure: Tenure, number: int) -> None:
        """Read what the server gave to others, or was lost on the way, up to a message."""
        subject = names.samples(self._partition)
        async for found in read(self._link, names.SAMPLES, subject, self._read + 1, number):
            self._read = found[-1].number if found else self._read
            self._tell(tenure, sorted(found, key=lambda one: one.subject))
            while self._full():
                await asyncio.sleep(ROOM_S)

    def _tell(self, tenure: Tenure, found: list[StoredMessage]) -> None:
        came = [(one.number, portion) for one in found if (portion := _portion(one))]
        if tenure.results.too_many:
            raise StateError("Too many results wait for JetStream: look at its log.")
        if not tenure.leaving:
            self._news.put(PartitionNews(tenure, came))


def _portion(message: StoredMessage) -> Portion | None:
    """Return the portion of a message; None, and logged, where it is none."""
    try:
        _, wearer = names.place(message.subject)
        portion = portions.decode(message.data)
        if portion.hello.wearer != wearer:
            raise ProtocolError(f"A portion of {portion.hello.wearer} came as one of {wearer}.")
        _ = portion.stop
    except (ProtocolError, ValueError) as error:
        _log.error("portion-unreadable", number=message.number, reason=error)
        return None
    return portion


def _messages(stored: StoredMessage) -> list[messages.ToViewer]:
    try:
        return told.unpacked(stored.subject, stored.data)
    except ProtocolError as error:
        _log.error("result-unreadable", number=stored.number, reason=error)
        return []


async def _over(tenure: Tenure) -> None:
    await tenure.left.wait()
