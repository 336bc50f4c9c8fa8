"""The results of a partition on their way to JetStream: each is there once, and in order."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from ecgmon.wire import messages
from monitor.fleet import names, told
from monitor.fleet.fence import Fence
from monitor.fleet.link import FleetError, FleetLink
from monitor.fleet.reading import ask
from monitor.ops.logs import logger

MAX_WAITING: Final = 20_000
"""Messages that wait for JetStream at most: whoever has the partition next tells them anew."""
AT_ONCE: Final = 2_000
"""Messages that are packed together at most."""
RETRY_S: Final = 0.25
"""Wait after a failure before it is looked what became of a message, in seconds."""

_log = logger(__name__)


class ResultsQueue:
    """Publishes the results of a partition, one message after the other.

    What was told before, by whoever owned the partition, is not told again.

    Parameters
    ----------
    link : FleetLink
        Connected.
    partition : int
        Which.
    fence : Fence
        Taken.
    before : Counter of int
        `identity_hash` of each result that may be computed once more, and how often it was told.

    Attributes
    ----------
    number : int
        Number, in the stream, of the last message that is known to be there.
    given : int
        Messages put so far.
    """

    def __init__(self, link: FleetLink, partition: int, fence: Fence, before: Counter[int]) -> None:
        self._link = link
        self._partition = partition
        self._fence = fence
        self._before = before
        self._waiting: deque[messages.Published] = deque()
        self._changed = asyncio.Condition()
        self._done = self._named = 0
        self.given = 0
        self.number = fence.taken[0]

    @property
    def too_many(self) -> bool:
        """Whether more wait than may."""
        return len(self._waiting) > MAX_WAITING

    def put(self, published: Sequence[messages.Published]) -> None:
        """Take what is to be told; called in the storage thread."""
        new = [one for one in published if not self._was_told(one)]
        self._waiting.extend(new)
        self.given += len(new)
        self._link.call_soon(self._wake)

    def forget_before(self) -> None:
        """Forget what was told before: nothing of it will be computed again."""
        self._before.clear()

    async def confirmed(self, given: int) -> None:
        """Wait until so many of the messages are in JetStream."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._done >= given)

    async def run(self) -> None:
        """Publish until cancelled; raises `FencedError` once another monitor has the partition."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._waiting))
            count = min(len(self._waiting), AT_ONCE)
            taken = [self._waiting.popleft() for _ in range(count)]
            for subject, data, among in told.packed(self._partition, taken):
                await self._tell(subject, data)
                async with self._changed:
                    self._done += len(among)
                    self._changed.notify_all()

    def _wake(self) -> None:
        self._link.start(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _was_told(self, message: messages.Published) -> bool:
        if not self._before:
            return False
        found = identity_hash(message)
        if not self._before[found]:
            return False
        self._before[found] -= 1
        return True

    async def _tell(self, subject: str, data: bytes) -> None:
        """Publish until it is known to be there."""
        self._named += 1
        name = f"{self._partition}-{self._fence.taken[0]}-{self._named}"
        while True:
            try:
                self.number = await self._fence.publish(subject, data, name)
            except FleetError as error:
                _log.warning("result-waits", partition=self._partition, reason=error)
                await asyncio.sleep(RETRY_S)
                if await self._is_there(subject, data):
                    return
            else:
                return

    async def _is_there(self, subject: str, data: bytes) -> bool:
        """Look whether a message is there whose publishing was not answered."""
        all_of_it = names.results(self._partition)
        while found := await ask(self._link, names.RESULTS, all_of_it, self.number + 1):
            for one in found:
                self.number = one.number
                if (one.subject, one.data) == (subject, data):
                    return True
        return False


def identity_hash(message: messages.ToViewer) -> int:
    """Return a number for `told.identity`, the same in this process alone."""
    return hash(told.identity(message))
