"""A viewer that reads nothing for 40 s learns how much it missed; metric and log show it too."""

import json
import logging
import time

import pytest
import zmq

from ecgmon.wire import messages
from ecgmon.wire.numbering import Sequence, numbering_of
from ecgmon.wire.viewer_client import ALIVE_S
from tests.support.rig import Rig
from tests.survival.conftest import Playing, ramp

WEARERS = 8
TOPICS = ["window/", "trace/", "link/", "alarm/", "opened/"]
READS_S, STALLS_S, READS_AGAIN_S = 6, 40, 14
DROPPED = "ecgmon_viewer_messages_dropped_total"


class Stalling:
    """A viewer with a small buffer that keeps subscribing while it does not read."""

    def __init__(self, context, endpoint, *, names_session):
        self.names_session = names_session
        self.sequence, self.last_sent = Sequence(), float("-inf")
        self.windows, self.numbers, self.published = [], [], 0
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvhwm, self.socket.rcvbuf = 50, 8192
        self.socket.immediate = True
        self.socket.heartbeat_ivl, self.socket.heartbeat_timeout = 2000, 6000
        self.socket.connect(endpoint)

    def turn(self, *, reads):
        now = time.monotonic()
        if now - self.last_sent >= ALIVE_S and self.socket.poll(0, zmq.POLLOUT):
            subscribe = {"type": "subscribe", "topics": TOPICS}
            if self.names_session:
                subscribe |= {"session": self.sequence.session, "lost": self.sequence.lost}
            self.socket.send(json.dumps(subscribe).encode())
            self.last_sent = now
        while reads and self.socket.poll(0):
            data = self.socket.recv()
            message, numbering = messages.decode_to_viewer(data), numbering_of(data)
            if self.names_session:
                if self.sequence.take(numbering) is None:
                    continue
                self.numbers.append(numbering.seq)
            if isinstance(message, messages.Dropped):
                self.published += message.count
            if isinstance(message, messages.Window) and message.wearer == "w0":
                self.windows.append(message.first)


@pytest.mark.slow
def test_a_viewer_that_stalls_knows_what_it_missed_and_so_does_the_monitor(
    tmp_path, context, caplog
):
    caplog.set_level(logging.INFO)
    with Rig(tmp_path) as rig:
        listener = rig.listener("window/w0")
        registry = rig.monitor.metrics.registry
        # One after the other with a signal that goes on: the metric is of all viewers together.
        total_s = 2 * (READS_S + STALLS_S + READS_AGAIN_S) + 10
        devices = [
            Playing(context, ramp(360 * total_s, f"w{n}"), rig.monitor.ingest, 1)
            for n in range(WEARERS)
        ]
        counted = 0.0
        for names_session in (True, False):
            stalling = Stalling(context, rig.monitor.publish, names_session=names_session)
            began = time.monotonic()
            end = began + READS_S + STALLS_S + READS_AGAIN_S
            while (now := time.monotonic()) < end:
                for device in devices:
                    device.turn()
                listener.take()
                stalls = READS_S < now - began < READS_S + STALLS_S
                stalling.turn(reads=not stalls)
            published = [m.first for m in listener.all(messages.Window, "w0")]
            published = [
                first for first in published if stalling.windows[0] <= first <= stalling.windows[-1]
            ]
            missed = len(set(published) - set(stalling.windows))
            dropped = registry.get_sample_value(DROPPED) - counted
            counted += dropped
            stalling.socket.close()
            assert missed > STALLS_S / 2, "it did stall"
            if names_session:
                assert set(stalling.windows) <= set(published)
                assert len(stalling.numbers) + stalling.sequence.lost == stalling.numbers[-1]
                assert missed <= stalling.sequence.lost == dropped
            else:  # an estimate, for nobody can know what arrived
                assert WEARERS * missed < stalling.published <= dropped
        for device in devices:
            device.device.close()
    logged = [int(line.split("dropped=")[1].split()[0]) for line in _warnings(caplog)]
    assert sum(logged) > 0


def _warnings(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and "dropped=" in record.getMessage()
    ]
