"""A device: sends a record's samples over the wire as a wearable would."""

import secrets
import time
from collections import deque
from typing import Final

import zmq

from ecgmon.errors import EcgmonError, UsageError
from ecgmon.records import Record
from ecgmon.wire import Frame, messages
from replay.schedule import Outgoing, Pace, schedule

IN_FLIGHT_S: Final = 10
"""Seconds of signal sent but not acknowledged at the most: what bounds memory at full speed."""
PATIENCE_S: Final = 10.0
"""A monitor that owes an answer for so long is gone."""
HEARTBEAT_S: Final = 2.0


class Device:
    """The sending end of one stream.

    Parameters
    ----------
    record : Record
        What to send.
    first, stop : int
        Range of the record's samples to play.
    pace : Pace
        How fast.

    Attributes
    ----------
    stream : str
        The stream's id.
    publish : str or None
        Where the monitor publishes, known once it has welcomed the stream.
    sent : int
        Samples sent so far.
    """

    def __init__(self, record: Record, first: int, stop: int, pace: Pace) -> None:
        self._record = record
        self._frames = schedule(record, first, stop, pace)
        self._frame: Outgoing | None = next(self._frames, None)
        self._real_time = pace.speed != float("inf")
        self._number = secrets.randbits(64)
        self.stream = messages.stream_id(self._number)
        self._in_flight = round(IN_FLIGHT_S * record.rate)
        self._taken: deque[tuple[int, float]] = deque()
        self._started: float | None = None
        self._clock_ns = time.time_ns()
        self._heard = self._spoke = time.monotonic()
        self._end = self._acknowledged = self.sent = 0
        self._goodbye = False
        self.publish: str | None = None

    def connect(self, endpoint: str, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        """Connect and say hello; raises `UsageError` if the endpoint is none."""
        self.socket = context.socket(zmq.DEALER)
        self.socket.maxmsgsize = messages.MAX_BYTES
        self.socket.linger = 0
        try:
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.socket.close()
            raise UsageError(
                f"{endpoint} is no endpoint to connect to ({zmq.strerror(error.errno or 0)}): "
                "give one such as tcp://127.0.0.1:5555."
            ) from error
        record = self._record
        self._say(
            messages.Hello(
                wearer=record.wearer, stream=self.stream, rate=record.rate, lead=record.lead
            )
        )

    def start(self) -> None:
        """Begin to play: from now on samples are taken."""
        self._started = self._heard = time.monotonic()
        self._clock_ns = time.time_ns()

    def stop(self) -> None:
        """Send no more of the record: goodbye comes next."""
        self._frame = None

    @property
    def finished(self) -> bool:
        """Whether everything was sent and acknowledged."""
        return self._goodbye and self._acknowledged >= self._end

    def available_at(self, index: int) -> float | None:
        """Return the monotonic time from which the device could have sent a sample.

        That is its due time, even if the frame left late, and at full speed the time it left.
        Ask for rising indices only; None for a sample that was never sent.
        """
        while self._taken and self._taken[0][0] <= index:
            self._taken.popleft()
        return self._taken[0][1] if self._taken else None

    def wait_s(self) -> float:
        """Return for how long there is nothing to send."""
        if self._started is None or self._goodbye or (self._frame and self._blocked):
            return HEARTBEAT_S / 2
        due_s = self._frame.due_s if self._frame else 0.0  # goodbye is due at once
        return min(max(0.0, self._started + due_s - time.monotonic()), HEARTBEAT_S / 2)

    def receive(self) -> None:
        """Take the monitor's answers; raises `EcgmonError` if it refuses the stream."""
        while self.socket.poll(0):
            self._heard = time.monotonic()
            match messages.decode_to_device(self.socket.recv()):
                case messages.Welcome(publish=publish):
                    self.publish = publish
                case messages.Ack(next=index):
                    self._acknowledged = max(self._acknowledged, index)
                case messages.Refused(reason=reason):
                    raise EcgmonError(f"The monitor refused the stream: {reason}")

    def send_due(self) -> None:
        """Send what is due; raises `EcgmonError` if the monitor has fallen silent."""
        now = time.monotonic()
        owed = self.publish is None or self._goodbye or self._acknowledged < self._end
        if not owed:
            self._heard = now
        elif now - self._heard > PATIENCE_S:
            raise EcgmonError("The monitor does not answer: check the endpoint and its log.")
        if self._started is None:
            return
        while self._frame and not self._blocked and self._started + self._frame.due_s <= now:
            self._send(self._frame, now)
            self._frame = next(self._frames, None)
        if self._frame is None and not self._goodbye:
            self._goodbye = True
            self._say(messages.Bye(stream=self.stream, end=self._end))
        elif now - self._spoke > HEARTBEAT_S:
            self._say(messages.Heartbeat(stream=self.stream))

    @property
    def _blocked(self) -> bool:
        return self._end - self._acknowledged >= self._in_flight

    def _send(self, outgoing: Outgoing, now: float) -> None:
        rate = self._record.rate
        frame = Frame(
            stream=self._number,
            first=outgoing.first,
            device_time=self._clock_ns + round(outgoing.first * 1e9 / rate),
            rate_mhz=round(rate * 1000),
            gain=self._record.gain,
            lead=self._record.lead,
            samples=outgoing.samples,
        )
        self.socket.send(frame.encode())
        self._spoke = now
        self._end = outgoing.end
        self.sent += len(outgoing.samples)
        due = (self._started or now) + outgoing.due_s
        self._taken.append((outgoing.end, due if self._real_time else now))

    def _say(self, message: messages.ToMonitor) -> None:
        self.socket.send(messages.encode(message))
        self._spoke = time.monotonic()
