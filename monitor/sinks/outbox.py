"""Messages to be published, in order; some wait until they are on disk."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from ecgmon.wire import messages
from monitor.ops.maintenance import Maintenance
from monitor.sinks.base import Sink
from monitor.sinks.subscribers import Subscriber
from monitor.storage.disk_jobs import Batch
from monitor.storage.writer import WRITE_TIMEOUT_S, StorageWriter


class Shows(Protocol):
    """Who tells a new viewer how things stand."""

    def send_snapshot(self, subscriber: Subscriber, notice: list[messages.Published]) -> None:
        """Tell a viewer how things stand."""


class Outbox:
    """Queue of batches to publish, and of new viewers that wait for a snapshot.

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
        self._waiting: deque[Batch] = deque()
        self._stored: set[Batch] = set()
        self._newcomers: list[Subscriber] = []

    def put(self, batch: Batch) -> None:
        """Take what is to be published after all that was put before."""
        self._waiting.append(batch)

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
        while self._waiting:
            batch = self._waiting[0]
            waits = batch.urgent and batch not in self._stored
            late_s = max(now - batch.queued, self._disk.behind_s(now))
            if waits and late_s < WRITE_TIMEOUT_S and self._disk.works:
                return
            self._waiting.popleft()
            self._upkeep.run(
                {name: partial(_pass_on, sink, batch) for name, sink in self._sinks.items()}
            )
            for answer in batch.answers:
                answer()
        self._stored.clear()
        snapshot_messages = snapshot() if self._newcomers else []
        for newcomer in self._newcomers:
            self._publisher.send_snapshot(newcomer, snapshot_messages)
        self._newcomers.clear()


def _pass_on(sink: Sink, batch: Batch) -> None:
    sink.publish(batch.published)
    sink.flush()
