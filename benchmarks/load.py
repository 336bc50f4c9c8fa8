"""Live wearers for a monitor, at little cost: prepared signals, framed and sent when they are due.

    python benchmarks/load.py --connect tcp://127.0.0.1:5555 --wearers 100 --seconds 60

Each wearer has a device of the protocol (docs/wire.md): hello, welcome, frames, bye. Real time and
out of step: starts uniform over a second, frames of another length for each, jitter for each.
All are in one thread with few sockets, and what they need stands in arrays. Two lines of JSON are
printed: one once all are welcomed, one at the end, with what was sent, acknowledged and refused,
how late this program was itself, and what it used.
"""

import argparse
import json
import sys
import time
from bisect import bisect_right
from pathlib import Path
from typing import Final

import numpy as np
import zmq
from load_frames import LEAD, PLAN_S, Framer, Links, prepared
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.wire import messages

FRAMES: Final = {"mixed": (25, 36, 73), "bursts": (RATE,)}
"""Samples of a frame; a wearer keeps to one of them."""
SOCKETS: Final = 2
SLICE_S: Final = 0.005
"""Rest between two looks at what is due, in seconds."""
AHEAD: Final = 10 * RATE
"""Samples beyond *seen* that a device may send: one that would has a monitor that cannot follow."""
HEARTBEAT_S: Final = 2.0
PATIENCE_S: Final = 60.0
"""Longest wait for the last welcome after the one before, and for the last acknowledgement."""


def wearer_name(index: int) -> str:
    """Return the id of a wearer of the load."""
    return f"load-{index:05}"


class LoadGenerator:
    """The devices of many wearers, in real time.

    Parameters
    ----------
    endpoint : str
        Where the monitor accepts devices.
    links : Links
        When they send.
    signals : list of bytes
        What they send, from `prepared`.
    first : int
        Number of the first wearer: others may play those before it.
    """

    def __init__(self, endpoint: str, links: Links, signals: list[bytes], first: int = 0) -> None:
        self._links, self._first = links, first
        wearers = len(links.length)
        base = int(np.random.default_rng().integers(1, 2**31)) << 32
        self._streams = [base | index for index in range(wearers)]
        self._framer = Framer(signals, self._streams, links.length)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets = [self._connect(endpoint) for _ in range(min(SOCKETS, wearers))]
        self._sends = [socket.send for socket in self._sockets]
        self._welcomed = np.zeros(wearers, dtype=np.bool_)
        self._next = np.zeros(wearers, dtype=np.int64)
        self._seen = np.zeros(wearers, dtype=np.int64)
        self._acks = 0
        self._refused: list[str] = []
        self.overrun = False

    def join(self) -> float:
        """Say hello for all at once; return the seconds until the last one was welcomed."""
        began = heard = beaten = time.monotonic()
        for index, number in enumerate(self._streams):
            hello = messages.Hello(
                wearer=wearer_name(self._first + index),
                stream=messages.stream_id(number),
                rate=float(RATE),
                leads=[LEAD],
            )
            self._say(index, hello)
        while not self._welcomed.all():
            before = self._welcomed.sum()
            time.sleep(0.005)
            self._read()
            now = time.monotonic()
            heard = now if self._welcomed.sum() > before else heard
            if self._refused or now - heard > PATIENCE_S:
                raise SystemExit(f"Not all wearers are welcomed: {self._refused[:3] or 'silence'}")
            if now - beaten > HEARTBEAT_S:
                beaten = now
                for index in np.flatnonzero(self._welcomed).tolist():
                    stream = messages.stream_id(self._streams[index])
                    self._say(index, messages.Heartbeat(stream=stream))
        return time.monotonic() - began

    def play(self, seconds: float) -> None:
        """Send for so long, or until the monitor is too far behind."""
        links, now = self._links, time.monotonic()
        links.begin(now)
        end = now + seconds
        while now < end and not self.overrun:
            now = self._send(*links.plan(now + PLAN_S), now + PLAN_S)
            self._read()
            self.overrun = bool((links.end - self._seen > AHEAD).any())

    def leave(self) -> int:
        """Say goodbye for all; return how many samples were not acknowledged in the end."""
        ends = self._links.end
        for index, end in enumerate(ends.tolist()):
            stream = messages.stream_id(self._streams[index])
            self._say(index, messages.Bye(stream=stream, end=end))
        deadline = time.monotonic() + PATIENCE_S
        while (self._next < ends).any() and time.monotonic() < deadline:
            time.sleep(PLAN_S)
            self._read()
        self._context.destroy(linger=0)
        return int(np.maximum(ends - self._next, 0).sum())

    def figures(self) -> dict[str, object]:
        """Return what was sent and how late."""
        late = 1000 * np.concatenate(self._links.late or [np.zeros(1)])
        return {
            "frames": int(self._links.frames.sum()),
            "samples": int(self._links.end.sum()),
            "acks": self._acks,
            "refused": self._refused[:3],
            "overrun": self.overrun,
            "late_ms": {
                "p50": round(float(np.quantile(late, 0.5)), 2),
                "p99": round(float(np.quantile(late, 0.99)), 2),
                "max": round(float(late.max()), 2),
            },
        }

    def _connect(self, endpoint: str) -> "zmq.Socket[bytes]":
        socket = self._context.socket(zmq.DEALER)
        socket.sndhwm = socket.rcvhwm = 0
        socket.maxmsgsize = messages.MAX_BYTES
        socket.set(zmq.HEARTBEAT_IVL, 2_000)
        socket.set(zmq.HEARTBEAT_TIMEOUT, 6_000)
        socket.connect(endpoint)
        return socket

    def _say(self, index: int, message: messages.FromDevice) -> None:
        self._sockets[index % len(self._sockets)].send(messages.encode(message), zmq.DONTWAIT)

    def _send(
        self,
        rows: NDArray[np.intp],
        number: NDArray[np.int64],
        due: NDArray[np.float64],
        until: float,
    ) -> float:
        """Send planned frames when they are due; return the time at the end."""
        frames = self._framer.frames(rows, number * self._links.length[rows])
        through = (rows % len(self._sends)).tolist()
        at, times, done = np.empty(len(due)), due.tolist(), 0
        while (now := time.monotonic()) < until or done < len(frames):
            stop = bisect_right(times, now, done)
            for i in range(done, stop):
                self._sends[through[i]](frames[i], zmq.DONTWAIT)
            at[done:stop], done = now, stop
            time.sleep(SLICE_S)
        self._links.note_sent(rows, number, due, at)
        return now

    def _read(self) -> None:
        """Take what the monitor has said."""
        for socket in self._sockets:
            while True:
                try:
                    data = socket.recv(zmq.DONTWAIT)
                except zmq.Again:
                    break
                self._take(messages.decode_to_device(data))

    def _take(self, message: messages.ToDevice) -> None:
        if isinstance(message, messages.Refused):
            self._refused.append(message.reason)
            return
        index = int(message.stream, 16) & 0xFFFFFFFF
        self._next[index] = max(self._next[index], message.next)
        if isinstance(message, messages.Welcome):
            self._welcomed[index] = True
            return
        self._acks += 1
        self._seen[index] = max(self._seen[index], message.seen or message.next)


def main() -> None:
    """Play, and tell what has come of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect", required=True, metavar="ENDPOINT")
    parser.add_argument("--wearers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--frames", choices=FRAMES, default="mixed")
    parser.add_argument("--first", type=int, default=0, help="number of the first wearer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=Path, help="write here when each frame was sent (.npz)")
    given = parser.parse_args()
    links = Links(given.wearers, FRAMES[given.frames], given.seconds, given.seed)
    generator = LoadGenerator(given.connect, links, prepared(), given.first)
    welcomed_s = generator.join()
    sys.stdout.write(json.dumps({"welcomed_s": round(welcomed_s, 3)}) + "\n")
    sys.stdout.flush()
    cpu, began = time.process_time(), time.monotonic()
    generator.play(given.seconds)
    played = time.monotonic() - began
    used = time.process_time() - cpu
    figures = {
        "wearers": given.wearers,
        "seconds": round(played, 1),
        "welcomed_s": round(welcomed_s, 3),
        "unacknowledged": generator.leave(),
        "cpu_us": round(1e6 * used / given.wearers / played, 1),
    } | generator.figures()
    if given.times:
        names = [wearer_name(given.first + index) for index in range(given.wearers)]
        np.savez(given.times, names=names, length=links.length, sent=links.sent)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
