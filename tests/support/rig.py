"""A monitor in a thread, and devices and listeners at its real sockets."""

import contextlib
import threading
import time
from dataclasses import fields
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zmq

from ecgmon.wire import Frame, messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from monitor.daemon import Monitor
from monitor.settings import MonitorSettings
from monitor.wearers.policy import WearerPolicy

GENERIC = Path(__file__).parents[2] / "ecgmon" / "models" / "built_in" / "generic.onnx"
PATIENCE_S = 30
"""For what must come; only a failing test waits so long."""
QUIET_MS = 150
"""For what must not come."""


class Wearable:
    """A device's socket, and the frames it sends."""

    def __init__(self, context, ingest, secure=lambda _: None):
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndtimeo = 2000
        secure(self.socket)
        self.socket.connect(ingest)
        self.stream = None

    def say(self, message):
        with contextlib.suppress(zmq.Again):  # who was not let in by now has no connection left
            self.socket.send(messages.encode(message))

    def hear(self):
        """Return the next answer."""
        assert self.socket.poll(1000 * PATIENCE_S), "the monitor does not answer"
        return messages.decode_to_device(self.socket.recv())

    def hear_all(self):
        """Return all answers, until there is none for a while."""
        received = []
        while self.socket.poll(QUIET_MS):
            received.append(messages.decode_to_device(self.socket.recv()))
        return received

    def hears_nothing(self):
        return not self.socket.poll(QUIET_MS)

    def until_acked(self, end):
        """Wait until everything before ``end`` is acknowledged; acknowledgements only rise."""
        last = -1
        while last < end:
            ack = self.hear()
            assert isinstance(ack, messages.Ack), ack
            assert ack.stream == messages.stream_id(self.stream)
            assert ack.next >= last
            last = ack.next
        assert last == end

    def until_seen(self, index):
        """Wait until everything before an index is judged."""
        while (self.hear().seen or 0) < index:
            pass

    def hello(self, wearer, stream, rate=360.0, leads=("II",)):
        self.stream = stream
        number = messages.stream_id(stream)
        self.say(messages.Hello(wearer=wearer, stream=number, rate=rate, leads=list(leads)))

    def greet(self, wearer, stream):
        """Say hello and return the welcome."""
        self.hello(wearer, stream)
        welcome = self.hear()
        assert isinstance(welcome, messages.Welcome), welcome
        assert welcome.stream == messages.stream_id(stream)
        return welcome

    def greet_after_acks(self, wearer, stream):
        """Say hello, however many acknowledgements of another stream are still to come."""
        self.hello(wearer, stream)
        while not isinstance(answer := self.hear(), messages.Welcome):
            assert isinstance(answer, messages.Ack), answer
        assert answer.stream == messages.stream_id(stream)

    def frame(self, first, samples, gain=200.0, rate_mhz=360_000, lead="II"):
        values = np.asarray(samples, dtype=np.int16)
        return Frame(self.stream, first, 0, rate_mhz, gain, lead, values).encode()

    def send(self, first, samples, **given):
        self.socket.send(self.frame(first, samples, **given))

    def send_all(self, samples, first=0, size=1000, **given):
        for at in range(0, len(samples), size):
            self.send(first + at, samples[at : at + size], **given)

    def bye(self, end):
        self.say(messages.Bye(stream=messages.stream_id(self.stream), end=end))

    def finish(self, end):
        """Say goodbye and wait for the last acknowledgement."""
        self.bye(end)
        self.until_acked(end)

    def is_refused(self, why):
        answer = self.hear()
        assert isinstance(answer, messages.Refused), answer
        assert why in answer.reason, answer.reason


class Listener:
    """A viewer that stores all messages."""

    def __init__(self, context, publish, wanted=None, secure=lambda _: None):
        self.viewer = ViewerClient(context, publish, wanted or topics(), queued=0, secure=secure)
        self.socket = self.viewer.socket
        self.socket.linger = 0
        self.received = []

    def until(self, kind, wearer, /, **fields):
        """Listen until such a message has come, and return the latest of them."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := self.all(kind, wearer, **fields)):
            assert time.monotonic() < deadline, f"no {kind.__name__} of {wearer} with {fields}"
            self.socket.poll(100)
            self.take()
        return found[-1]

    def until_over(self, wearer, **fields):
        """Listen until a stream has ended and with it all alarms but those that latch."""
        closed = self.until(messages.Closed, wearer, **fields)
        deadline = time.monotonic() + PATIENCE_S
        while {"raised", "acknowledged"} & set(self.states(wearer).values()):
            assert time.monotonic() < deadline
            self.socket.poll(100)
            self.take()
        return closed

    def states(self, wearer):
        """Return the state of each alarm of a wearer, by its number."""
        return {alarm.alarm: alarm.state for alarm in self.all(messages.Alarm, wearer)}

    def take(self):
        self.received += self.viewer.drain(1000)
        assert not self.viewer.unreadable

    def subscribed(self):
        """Wait until the monitor knows of it."""
        deadline = time.monotonic() + PATIENCE_S
        while not any(isinstance(m, messages.Subscribed) for m in self.received):
            assert time.monotonic() < deadline
            self.socket.poll(20)
            self.take()
        return self

    def asks(self, request):
        """Ask for something and return the answer."""
        before = len(self.received)
        assert self.viewer.say(request)
        answers = messages.Done | messages.Refused | messages.Past
        deadline = time.monotonic() + PATIENCE_S
        while not (found := [m for m in self.received[before:] if isinstance(m, answers)]):
            assert time.monotonic() < deadline
            self.socket.poll(100)
            self.take()
        return found[0]

    def drain(self):
        while self.socket.poll(QUIET_MS):
            self.take()
        return self.received

    def all(self, kind, wearer, /, **fields):
        return [
            m
            for m in self.received
            if isinstance(m, kind)
            and getattr(m, "wearer", None) == wearer
            and all(getattr(m, name) == value for name, value in fields.items())
        ]


class Rig:
    """A monitor that runs in a thread until the end of the ``with`` block."""

    def __init__(self, folder, **settings):
        folder.mkdir(exist_ok=True)
        self.journal = folder / "journal.db"
        names = {field.name for field in fields(WearerPolicy)} & settings.keys()
        policy = {name: settings.pop(name) for name in names}
        policy = WearerPolicy(**{"resolve": lambda _: GENERIC} | policy)
        self.context = zmq.Context()
        self.settings = MonitorSettings(**{"journal": self.journal, "policy": policy} | settings)
        self.monitor = Monitor(self.settings, self.context)
        self._clients = []
        self._error = None

    def __enter__(self):
        try:
            self.monitor.start()
        except BaseException:
            self.context.destroy(linger=0)
            raise
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()
        for client in self._clients:
            client.socket.close()
        self.context.destroy(linger=0)
        if self._error is not None:
            raise self._error

    def _run(self):
        try:
            self.monitor.run()
        except BaseException as error:  # noqa: BLE001 - raised again at the end
            self._error = error

    def stop(self):
        self.monitor.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the monitor does not stop"

    def keep(self, client):
        """Close a client in the end."""
        self._clients.append(client)
        return client

    def device(self):
        return self.keep(Wearable(self.context, self.monitor.ingest))

    def newcomer(self, *wanted):
        """Return a listener whose subscription may still be under way."""
        self._clients.append(Listener(self.context, self.monitor.publish, wanted))
        return self._clients[-1]

    def listener(self, *wanted):
        """Return a listener that misses nothing from now on."""
        listener = self.newcomer(*wanted).subscribed()
        listener.received.clear()
        return listener


def output_of(received, wearer):
    """Return the messages about a wearer's signal, except traces and links."""
    left_out = messages.Trace | messages.Link | messages.Opened | messages.Event
    found = []
    for message in received:
        if getattr(message, "wearer", None) == wearer and not isinstance(message, left_out):
            fields = {"type": type(message).__name__} | msgspec.structs.asdict(message)
            fields.pop("time", None)
            found.append(fields)
    return found


def assert_same(some, others):
    """Assert equal messages apart from the wearer; probabilities to single precision."""
    ids = {"wearer": None, "stream": None, "probability": None}
    assert [message | ids for message in some] == [message | ids for message in others]
    for one, other in zip(some, others, strict=True):
        assert one.get("probability") == pytest.approx(other.get("probability"), abs=1e-5)
