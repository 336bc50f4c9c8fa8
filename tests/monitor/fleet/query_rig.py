"""Owners of partitions who say what a test wants, and a query side in a thread."""

import threading

import zmq

from ecgmon.config.fleet import FleetSection
from monitor.fleet import told
from monitor.fleet.fence import Fence, OwnerRecord
from monitor.fleet.query import QuerySettings, QuerySide
from tests.support.rig import PATIENCE_S, Listener


class Owner:
    """The owner of a partition, without a monitor: it publishes what the test gives it."""

    def __init__(self, link, partition, name="one"):
        self._link = link
        self._partition = partition
        self._fence = Fence(link, partition)
        link.run(self._fence.take(OwnerRecord(name, 0.0)))

    def say(self, *published):
        self._link.run(self.say_later(*published), 30)

    async def say_later(self, *published):
        for subject, data, _ in told.packed(self._partition, published):
            await self._fence.publish(subject, data)


class Query:
    """A query side that runs in a thread until the end of the ``with`` block."""

    def __init__(self, address, folder):
        folder.mkdir(exist_ok=True)
        self.context = zmq.Context()
        settings = QuerySettings(FleetSection(servers=(address,)), (f"ipc://{folder}/view",))
        self.side = QuerySide(settings, self.context)
        self._clients = []
        self._error = None

    def __enter__(self):
        try:
            self.side.start()
        except BaseException:
            self.context.destroy(linger=0)
            raise
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.side.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        for client in self._clients:
            client.socket.close()
        self.context.destroy(linger=0)
        if self._error is not None:
            raise self._error

    def _run(self):
        try:
            self.side.run()
        except BaseException as error:  # noqa: BLE001 - raised again at the end
            self._error = error

    def listener(self, *wanted):
        """Return a viewer that has been told how things stand; what it was told is kept."""
        listener = Listener(self.context, self.side.publish, wanted)
        self._clients.append(listener)
        return listener.subscribed()
