"""Messages to be published, in the order of each wearer; some wait until they are on disk."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from ecgmon.wire import messages
from monitor.ops.maintenance import Maintenance
from monitor.sinks.base import Sink
from monitor.sinks.subscribers import Subscriber
from monitor.storage.disk_jobs import Batch
from monitor.storage.journal import URGENT
from monitor.storage.writer import WRITE_TIMEOUT_S, StorageWriter


class Shows(Protocol):
    """Who tells a new viewer how things stand."""

    def send_snapshot(self, subscriber: Subscriber, notice: list[messages.Published]) -> None:
        """Tell a viewer how things stand."""


class Outbox:
    """Queue of messages to publish, and of new viewers that wait for a snapshot.

    What waits for the disk keeps back what follows about its wearer, and nothing about others.

    Parameters
    ----------
    sinks : mapping of str to Sink
        All that take what is published, by name; one that fails stops no other.
    publisher : Shows
        Tells viewers how things stand.
    disk : StorageWriter
        Writes.
    upkeep : Maintenance
        Counts and logs what fails.
    """

    def __init__(
        self,
        sinks: Mapping[str, Sink],
        publisher: Shows,
        disk: StorageWriter,
        upkeep: Maintenance,
    ) -> None:
        self._sinks = sinks
        self._publisher = publisher
        self._disk = disk
        self._upkeep = upkeep
        self._waiting: deque[tuple[Batch, Sequence[messages.Published]]] = deque()
        self._stored: set[Batch] = set()
        self._free: list[messages.Published] = []
        self._newcomers: list[Subscriber] = []

    def put(self, batch: Batch) -> None:
        """Take what is to be published after all that was put before about the same wearers."""
        kept_back = {message.wearer for _, waits in self._waiting for message in waits}
        waits: list[messages.Published] = []
        for message in batch.published:
            if type(message) in URGENT:
                kept_back.add(message.wearer)
            (waits if message.wearer in kept_back else self._free).append(message)
        self._waiting.append((batch, waits))

    def stored(self, batch: Batch) -> None:
        """Note that a batch is on disk."""
        self._stored.add(batch)

    def welcome(self, newcomers: list[Subscriber]) -> None:
        """Take viewers who are to be told how things stand."""
        self._newcomers += newcomers

    def send(self, snapshot: Callable[[], list[messages.Published]]) -> None:
        """Publish what has its turn: nobody hears of an alarm that a power cut could undo.

        Nor is anybody told that an alarm is acknowledged or paused before that is on disk.
        But a disk that hangs silences no alarm, and keeps no answer back.

        Parameters
        ----------
        snapshot : callable
            Says how things stand, for newcomers; called when nothing waits.
        """
        now = time.monotonic()
        self._pass_on(self._free)
        self._free = []
        while self._waiting:
            batch, published = self._waiting[0]
            waits = batch.urgent and batch not in self._stored
            late_s = max(now - batch.queued, self._disk.behind_s(now))
            if waits and late_s < WRITE_TIMEOUT_S and self._disk.works:
                return
            self._waiting.popleft()
            self._pass_on(published)
            for answer in batch.answers:
                answer()
        self._stored.clear()
        snapshot_messages = snapshot() if self._newcomers else []
        for newcomer in self._newcomers:
            self._publisher.send_snapshot(newcomer, snapshot_messages)
        self._newcomers.clear()

    def _pass_on(self, published: Sequence[messages.Published]) -> None:
        if published:
            self._upkeep.run(
                {name: partial(_publish, one, published) for name, one in self._sinks.items()}
            )


def _publish(sink: Sink, published: Sequence[messages.Published]) -> None:
    sink.publish(published)
    sink.flush()
