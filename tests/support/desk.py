"""The monitor's end of a conversation, which a test answers from."""

import time

import numpy as np
import zmq

from ecgmon.wire import Frame, messages

QUIET_MS = 100
PATIENCE_S = 30
IDLE_S = 0.05


class Desk:
    """A ROUTER socket that stores what it receives and answers only on the test's request."""

    def __init__(self, context, endpoint="tcp://127.0.0.1:*"):
        self.context = context
        self.open(endpoint)
        self.peer = None
        self.frames = []
        self.messages = []

    def open(self, endpoint):
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        try:
            self.socket.bind(endpoint)
        except zmq.ZMQError:
            self.socket.close()
            raise
        self.endpoint = self.socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")

    def restart(self):
        """Break all connections, and be there again."""
        self.socket.close()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.open(self.endpoint)
            except zmq.ZMQError:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def read(self, wait_ms=QUIET_MS):
        while self.socket.poll(wait_ms):
            self.peer, data = self.socket.recv_multipart()
            if data.startswith(b"ECGF"):
                self.frames.append(Frame.decode(data))
            else:
                self.messages.append(messages.decode_from_device(data))

    def all(self, kind):
        return [message for message in self.messages if isinstance(message, kind)]

    def until(self, kind):
        deadline = time.monotonic() + PATIENCE_S
        while not (found := self.all(kind)):
            assert time.monotonic() < deadline, f"no {kind.__name__} came"
            self.read(wait_ms=20)
        return found[-1]

    def read_all(self, device):
        """Read until everything has come that the device has sent."""
        deadline = time.monotonic() + PATIENCE_S
        while sum(len(frame.samples) for frame in self.frames) < device.sent:
            assert time.monotonic() < deadline
            self.read(wait_ms=20)

    def answer(self, message):
        data = message if isinstance(message, bytes) else messages.encode(message)
        self.socket.send_multipart([self.peer, data])

    def welcome(self, stream, index=0, publish="tcp://somewhere"):
        self.answer(messages.Welcome(stream=stream, next=index, lead="MLII", publish=publish))


class Keeper(Desk):
    """A desk that keeps to the protocol: it writes down what comes, and acknowledges it.

    Attributes
    ----------
    written : list of Frame
        What is on disk.
    next : int
        Index after the last sample that came.
    hellos : list of float
        When they came.
    refusals : list of Refused
        Answers to the next hellos.
    slack : int
        Frames that are received but not on disk, nor acknowledged, until others follow or
        nothing has come for `IDLE_S`.
    """

    def __init__(self, context, slack=0):
        super().__init__(context)
        self.written = []
        self.slack = slack
        self.refusals = []
        self.hellos = []
        self._received = []
        self._owner = None
        self._last_received = 0.0
        self.next = self._on_disk = 0

    def write(self, frames):
        """Write frames down as if they had come."""
        for frame in frames:
            self.written.append(frame)
            self._on_disk = max(self._on_disk, frame.end)
        self.next = max(self.next, self._on_disk)

    def fail(self, *, forget=False):
        """Lose the connections and what is not on disk, or all, and be there again."""
        self._owner = None
        self._received.clear()
        if forget:
            self.written.clear()
            self._on_disk = 0
        self.next = self._on_disk
        self.restart()

    def turn(self):
        """Take what has come and answer it; after a while, write down what was left over."""
        if self._received and time.monotonic() - self._last_received > IDLE_S:
            self._write(0, messages.stream_id(self._received[-1].stream))
        while self.socket.poll(0):
            self._last_received = time.monotonic()
            peer, data = self.socket.recv_multipart()
            self.peer = peer
            if data.startswith(b"ECGF"):
                self._take(Frame.decode(data))
            else:
                self._carry_out(messages.decode_from_device(data))

    def samples(self):
        """Return what is on disk, repeats dropped, and the gaps in it."""
        at, parts, gaps = 0, [], []
        for frame in self.written:
            if frame.first > at:
                gaps.append((at, frame.first))
            if frame.end > at:
                parts.append(frame.samples[max(at - frame.first, 0) :])
                at = frame.end
        return np.concatenate(parts), gaps

    def _take(self, frame):
        if self.peer != self._owner:
            self.answer(messages.Refused(reason="This stream is not open here: say hello first."))
            return
        self._received.append(frame)
        self.next = max(self.next, frame.end)
        self._write(self.slack, messages.stream_id(frame.stream))

    def _carry_out(self, message):
        if isinstance(message, messages.Hello):
            self.hellos.append(time.monotonic())
            if self.refusals:
                self.answer(self.refusals.pop(0))
                return
            self._owner = self.peer
            self.welcome(message.stream, self.next)
        elif self.peer != self._owner:
            self.answer(messages.Refused(reason="This stream is not open here: say hello first."))
        else:
            self.messages.append(message)
            self._write(0, message.stream)

    def _write(self, slack, stream):
        n = max(len(self._received) - slack, 0)
        self.write(self._received[:n])
        del self._received[:n]
        self.answer(messages.Ack(stream=stream, next=self._on_disk))
