"""A viewer of all wearers that notes when each verdict arrives, and which messages are missing.

    python benchmarks/load_viewer.py --connect tcp://127.0.0.1:5556 --times viewer.npz

It stops at SIGTERM, writes the times and prints a line of JSON: how many messages came and were
lost, by their numbers, and what it used.
"""

import argparse
import json
import signal
import sys
import threading
import time
from array import array
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import zmq

from ecgmon.wire import messages
from ecgmon.wire.numbering import Numbering, Sequence

TOPICS: Final = ["opened/", "window/", "beat/", "alarm/"]
ALIVE_S: Final = 2.0
"""How often the subscription is repeated, in seconds."""


class TimedMessage(Numbering, frozen=True):
    """What is read of a message: its numbering, and of windows and streams what times them."""

    type: str = ""
    wearer: str | None = None
    first: int = -1
    look_ahead_s: float = 0.0


class LoadViewer:
    """A viewer's connection, and the arrivals of windows.

    Parameters
    ----------
    endpoint : str
        Where the monitor publishes.

    Attributes
    ----------
    counts : dict of str to int
        Messages that came, by type.
    """

    def __init__(self, endpoint: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.rcvhwm = 0
        self._socket.maxmsgsize = messages.MAX_BYTES
        self._socket.connect(endpoint)
        self._decoder = msgspec.json.Decoder(TimedMessage)
        self._sequence = Sequence()
        self._subscribed_at = float("-inf")
        self._names: dict[str, int] = {}
        self._look_ahead: dict[str, float] = {}
        self._arrived, self._wearer, self._first = array("d"), array("q"), array("q")
        self.counts: dict[str, int] = {}

    @property
    def lost(self) -> int:
        """Numbered messages that have not come."""
        return self._sequence.lost

    def turn(self) -> None:
        """Wait a moment for messages, and take all that have come."""
        if time.monotonic() - self._subscribed_at >= ALIVE_S:
            self._subscribe(TOPICS)
        if not self._socket.poll(100):
            return
        while True:
            try:
                data = self._socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._take(self._decoder.decode(data), time.monotonic())

    def close(self) -> None:
        """Say that nothing is wanted any more."""
        self._subscribe([])
        self._context.destroy(linger=500)

    def save(self, path: Path) -> None:
        """Write when each window arrived: by wearer, from which sample on it is."""
        names = list(self._names)
        np.savez(
            path,
            names=names,
            look_ahead_s=[self._look_ahead.get(name, np.nan) for name in names],
            arrived=np.array(self._arrived),
            wearer=np.array(self._wearer, dtype=np.int64),
            first=np.array(self._first, dtype=np.int64),
        )

    def _subscribe(self, topics: list[str]) -> None:
        self._subscribed_at = time.monotonic()
        wanted = messages.Subscribe(
            topics=topics, session=self._sequence.session, lost=self._sequence.lost
        )
        self._socket.send(messages.encode(wanted), zmq.DONTWAIT)

    def _take(self, message: TimedMessage, now: float) -> None:
        self._sequence.take(message)
        self.counts[message.type] = self.counts.get(message.type, 0) + 1
        if message.type == "window" and message.wearer and not message.snapshot:
            self._arrived.append(now)
            self._wearer.append(self._names.setdefault(message.wearer, len(self._names)))
            self._first.append(message.first)
        elif message.type == "opened" and message.wearer:
            self._look_ahead[message.wearer] = message.look_ahead_s


def main() -> None:
    """Listen until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect", required=True, metavar="ENDPOINT")
    parser.add_argument("--times", type=Path, required=True)
    given = parser.parse_args()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    viewer = LoadViewer(given.connect)
    while not stopping.is_set():
        viewer.turn()
    viewer.close()
    viewer.save(given.times)
    figures = {"counts": viewer.counts, "lost": viewer.lost, "cpu_s": time.process_time()}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
