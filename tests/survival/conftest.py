"""Devices that play to a monitor through a network that fails, and what must be left in the end."""

import random
import time

import numpy as np
import pytest
import zmq

from ecgmon.records import Record
from replay.player.device import RecordDevice
from replay.player.schedule import Pace

PATIENCE_S = 400
"""For a whole stream; only a failing test waits so long."""


def ramp(n, wearer="ann", rate=360.0):
    """A record whose sample value is its sample index, modulo 30,000."""
    samples = (np.arange(n) % 30_000).astype(np.int16)
    return Record(f"test/{wearer}", wearer, rate, 200.0, "II", samples)


class Playing:
    """A device that plays a record, turn by turn."""

    def __init__(self, context, record, endpoint, speed, patience_s=60.0):
        self.device = RecordDevice(record, 0, len(record.samples), Pace(speed), patience_s)
        self.device.connect(endpoint, context)
        self.device.start()
        self._until = time.monotonic() + PATIENCE_S + patience_s

    def turn(self):
        """Send and receive; return whether there is more to do."""
        assert time.monotonic() < self._until, self.device.figures()
        socket = self.device.socket
        if socket is not None:
            socket.poll(min(1000 * self.device.wait_s(), 5))
        else:
            time.sleep(0.002)
        self.device.receive()
        self.device.send_due()
        return not self.device.finished

    def to_the_end(self, meanwhile=lambda: None):
        while self.turn():
            meanwhile()
        self.device.close()


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def chance(request):
    """Chance with a seed of the test's own."""
    return random.Random(request.node.name)  # noqa: S311 - not secrecy
