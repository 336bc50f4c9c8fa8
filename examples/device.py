"""A wearable in a page: streams a synthetic ECG to a monitor, and loses nothing on the way.

    python device.py tcp://127.0.0.1:5555 ann --rate 250

Needs pyzmq only. docs/wire.md describes what it says.
"""

import argparse
import contextlib
import json
import math
import secrets
import struct
import time
import tomllib
import zlib
from pathlib import Path

import zmq

LEAD, GAIN = "II", 200.0  # counts per millivolt
FRAME_S, HEARTBEAT_S, PATIENCE_S = 0.1, 2, 10
IN_FLIGHT_S = 10  # of signal that the monitor has not seen, at the most
KEPT_S = 3600  # of signal that is not acknowledged; older samples are given up
P, Q, R = (0.2, 0.15, 0.025), (0.36, -0.1, 0.01), (0.385, 1.2, 0.011)
S, T = (0.41, -0.25, 0.01), (0.62, 0.3, 0.04)


def measure(index, rate):
    """Return a sample: 72 beats a minute, each of five waves (at, millivolts, width)."""
    phase = index / rate * 72 / 60 % 1
    waves = (mv * math.exp(-(((phase - at) / w) ** 2) / 2) for at, mv, w in (P, Q, R, S, T))
    return round(GAIN * sum(waves))


class Device:
    """One stream of one wearer; it outlives connections."""

    def __init__(self, endpoint, wearer, rate, seconds, key):
        self.endpoint, self.wearer, self.rate, self.key = endpoint, wearer, rate, key
        self.stream = secrets.randbits(64)
        self.began, self.started = time.time(), time.monotonic()
        self.end = math.inf if seconds is None else round(seconds * rate)
        self.unacknowledged = []  # samples that no acknowledgement covers yet,
        self.first = 0  # and the index of the first of them

    def run(self):
        """Stream until the end of the signal, whatever happens to the connection."""
        wait, goodbye = 1.0, False
        while not goodbye:
            with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
                welcomed, why, retry_s, goodbye = self.converse(self.connected(socket))
            if not goodbye:
                wait = 1.0 if welcomed else min(2 * wait, 60)
                print(f"{why}; again in {retry_s or wait:g} s", flush=True)
                time.sleep(retry_s or wait)
        print(f"sent {self.end} samples", flush=True)

    def connected(self, socket):
        """Connect a socket; each conversation has a new one, in which nothing old waits."""
        socket.linger = 0
        socket.maxmsgsize = 65536
        socket.heartbeat_ivl, socket.heartbeat_timeout = 2000, 6000
        if self.key:
            socket.curve_serverkey = self.key["server"].encode()
            socket.curve_publickey = self.key["public"].encode()
            socket.curve_secretkey = self.key["secret"].encode()
        socket.connect(self.endpoint)
        return socket

    def converse(self, socket):
        """Say hello and stream; returns (welcomed?, why it ended, retry_s, all acknowledged?)."""
        self.say(socket, type="hello", wearer=self.wearer, rate=self.rate, leads=[LEAD])
        sent, last_answer, last_sent, said_bye = None, time.monotonic(), time.monotonic(), False
        seen = 0  # what the monitor has judged need not be sent, but is kept until acknowledged
        while True:
            self.take_samples()
            socket.poll(round(500 * FRAME_S))
            while socket.poll(0):
                answer, last_answer = json.loads(socket.recv()), time.monotonic()
                if answer["type"] == "refused":
                    return sent is not None, answer["reason"], answer["retry_s"], False
                acknowledged = answer["next"]
                if answer["type"] == "welcome":
                    print(f"welcome, next={acknowledged} publish={answer['publish']}", flush=True)
                    sent = acknowledged
                seen = max(seen, acknowledged, answer.get("seen") or 0)
                del self.unacknowledged[: max(acknowledged - self.first, 0)]
                self.first = max(acknowledged, self.first)
            now = time.monotonic()
            if said_bye and self.first >= self.end:
                return True, "finished", None, True
            if sent is None or said_bye or sent > self.first:  # an answer is due
                if now - last_answer > PATIENCE_S:
                    return sent is not None, "the monitor does not answer", None, False
            else:
                last_answer = now
            if sent is None:
                continue
            sent = max(sent, self.first, min(seen, self.first + len(self.unacknowledged)))
            limit = max(seen, self.first) + IN_FLIGHT_S * self.rate
            while sent < min(self.first + len(self.unacknowledged), limit):
                samples = self.unacknowledged[sent - self.first :][
                    : round(self.rate)
                ]  # a second at most
                socket.send(self.frame(sent, samples))
                sent, last_sent = sent + len(samples), now
            if sent == self.end and not said_bye:
                self.say(socket, type="bye", end=self.end)
                said_bye = True
            elif now - last_sent > HEARTBEAT_S:
                self.say(socket, type="heartbeat")
                last_sent = now

    def take_samples(self):
        """Measure what is due by now, and keep it."""
        now = min(int((time.monotonic() - self.started) * self.rate), self.end)
        have = self.first + len(self.unacknowledged)
        if now - have >= FRAME_S * self.rate or now == self.end:
            self.unacknowledged += [measure(index, self.rate) for index in range(have, now)]
            given_up = max(len(self.unacknowledged) - round(KEPT_S * self.rate), 0)
            del self.unacknowledged[:given_up]
            self.first += given_up

    def say(self, socket, **message):
        """Send a control message."""
        socket.send(json.dumps({"v": 1, "stream": f"{self.stream:016x}"} | message).encode())

    def frame(self, first, samples):
        """Return a sample frame."""
        head = struct.pack(
            "<4sBBHQQqIf8s",
            *(b"ECGF", 1, 0, len(samples), self.stream, first),
            round((self.began + first / self.rate) * 1e9),
            *(round(self.rate * 1000), GAIN, LEAD.encode()),
        )
        body = head + struct.pack(f"<{len(samples)}h", *samples)
        return body + struct.pack("<I", zlib.crc32(body))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Stream a synthetic ECG to a monitor.")
    parser.add_argument("endpoint")
    parser.add_argument("wearer")
    parser.add_argument("--rate", type=float, default=360, help="samples per second, 100 to 1000")
    parser.add_argument("--seconds", type=float, help="of signal; without it, for ever")
    parser.add_argument("--key", type=Path, help="key file, for a monitor on another machine")
    given = parser.parse_args()
    keys = tomllib.loads(given.key.read_text()) if given.key else None
    with contextlib.suppress(KeyboardInterrupt):
        Device(given.endpoint, given.wearer, given.rate, given.seconds, keys).run()
