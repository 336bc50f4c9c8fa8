"""A device: sends a record's samples over the wire as a wearable would."""

import secrets
import time
from collections import deque
from typing import Final

import msgspec
import numpy as np
import zmq
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from ecgmon.wire import Frame, messages
from ecgmon.wire.device_client import Context, DeviceClient, Secure, plain
from replay.player.retransmit_buffer import RetransmitBuffer
from replay.player.schedule import Outgoing, Pace, schedule

IN_FLIGHT_S: Final = 10
"""Seconds of signal sent but not judged at the most."""
KEPT_S: Final = 600
"""Seconds of signal kept for a monitor that is away."""
HEARTBEAT_S: Final = 2.0
TURN_S: Final = 0.1
"""How often the connection is looked after."""
TAKEN: Final = 20_000
"""Frames whose time is remembered: more than are kept."""


class RecordDevice:
    """The sending end of one stream, which outlives lost connections and the monitor's restarts.

    It keeps what is not acknowledged, and sends on as long as the monitor judges what comes, even
    if its disk hangs. A wearable in real time, or slower, goes on taking samples while the monitor
    is away and drops the oldest beyond `KEPT_S`; one that is faster waits.

    Parameters
    ----------
    record : Record
        What to send.
    first, stop : int
        Range of the record's samples to play; beyond its end it starts over.
    pace : Pace
        How fast.
    patience_s : float
        For how long a monitor that has answered before may be away.
    second : Record, optional
        Another lead, as long and at the same rate; it is sent beside the first, and not kept.

    Attributes
    ----------
    stream : str
        The stream's id.
    endpoint : str
        Where it connects to, known once it does.
    publish : str or None
        Where the monitor publishes, known once it has welcomed the stream.
    retransmit : RetransmitBuffer
        What was taken and is not acknowledged, and counts of samples.
    """

    def __init__(
        self,
        record: Record,
        first: int,
        stop: int,
        pace: Pace,
        patience_s: float = 60.0,
        second: Record | None = None,
    ) -> None:
        self._record, self._second, self._first = record, second, first
        self._frames = schedule(record, first, stop, pace)
        self._frame: Outgoing | None = next(self._frames, None)
        self._full_speed = pace.speed == float("inf")
        self._drops = pace.speed <= 1
        self._number = secrets.randbits(64)
        self.stream = messages.stream_id(self._number)
        self._in_flight = round(IN_FLIGHT_S * record.rate)
        self._limit = self._in_flight if self._full_speed else round(KEPT_S * record.rate)
        self._frame_times: deque[tuple[int, float]] = deque(maxlen=TAKEN)
        self._started: float | None = None
        self._clock_ns = time.time_ns()
        self._last_sent = time.monotonic()
        self._goodbye = self._parted = False
        self.retransmit = RetransmitBuffer()
        self.publish: str | None = None
        hello = messages.Hello(
            wearer=record.wearer,
            stream=self.stream,
            rate=record.rate,
            leads=[lead.lead for lead in (record, second) if lead],
            replay=pace.speed != 1 or msgspec.UNSET,
        )
        self._connection = DeviceClient(hello, patience_s)

    def connect(self, endpoint: str, context: Context, secure: Secure = plain) -> None:
        """Connect, to say hello; raises `UsageError` if the endpoint is none."""
        self.endpoint = endpoint
        self._connection.connect(endpoint, context, secure)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def start(self, delay_s: float = 0.0) -> None:
        """Begin to play: from then on samples are taken."""
        self._connection.content()
        self._started = time.monotonic() + delay_s
        self._clock_ns = time.time_ns() + round(delay_s * 1e9)

    def stop(self) -> None:
        """Take no more of the record: goodbye comes next."""
        self._frame = None

    @property
    def socket(self) -> "zmq.Socket[bytes] | None":
        """To be polled; another one after each loss of the connection."""
        return self._connection.socket

    @property
    def reconnects(self) -> int:
        """How often the monitor has welcomed the stream again."""
        return max(self._connection.welcomed - 1, 0)

    @property
    def sent(self) -> int:
        """Samples sent so far, each counted once."""
        return self.retransmit.sent

    def figures(self) -> dict[str, int]:
        """Return what became of the samples, by the names that ``--json`` documents."""
        return {
            "samples_sent": self.retransmit.sent,
            "samples_acknowledged": self.retransmit.acknowledged,
            "samples_resent": self.retransmit.resent,
            "samples_dropped": self.retransmit.dropped,
            "reconnects": self.reconnects,
        }

    @property
    def finished(self) -> bool:
        """Whether everything was sent and acknowledged, and goodbye was answered."""
        return self._parted and not self.retransmit

    def available_at(self, index: int) -> float | None:
        """Return the monotonic time from which the device could have sent a sample.

        That is its due time, even if the frame left late, and at full speed the time it left.
        ``index`` counts at `RATE`, as the monitor does. Ask for rising indices only; None for a
        sample that was never taken.
        """
        index = int(index * self._record.rate / RATE)
        while self._frame_times and self._frame_times[0][0] <= index:
            self._frame_times.popleft()
        return self._frame_times[0][1] if self._frame_times else None

    def wait_s(self) -> float:
        """Return for how long there is nothing to do."""
        if self._started is None:
            return TURN_S
        if self._connection.open:
            if self.retransmit.waiting and not self._blocked:
                return 0.0
            if self._frame is None and not self.retransmit and not self._goodbye:
                return 0.0
        if self._frame is None or self._full:
            return TURN_S
        return min(max(0.0, self._started + self._frame.due_s - time.monotonic()), TURN_S)

    def receive(self) -> None:
        """Take the monitor's answers; raises `EcgmonError` if it refuses the stream."""
        for message in self._connection.receive():
            match message:
                case messages.Welcome(publish=publish, next=index):
                    self.publish = publish
                    self.retransmit.resume(index)
                    self._goodbye = self._parted = False
                    self._last_sent = float(
                        "-inf"
                    )  # with nothing to send, ask what was acknowledged
                case messages.Ack(next=index, seen=seen):
                    self.retransmit.see(seen or index)
                    self.retransmit.acknowledge(index)
                    self._parted = self._parted or self._goodbye

    def send_due(self) -> None:
        """Send what is due; raises `EcgmonError` if the monitor has been away for too long."""
        if self.finished:
            return  # to say hello once more would open the stream again
        now = time.monotonic()
        owed = self._goodbye and not self._parted
        self._connection.keep(owed=owed or self.retransmit.in_flight > 0)
        if self._started is None:
            return
        self._take(now)
        while self._connection.open and self.retransmit.waiting and not self._blocked:
            self._send(self.retransmit.send())
        if not self._connection.open:
            return
        if self._frame is None and not self.retransmit and not self._goodbye:
            self._goodbye = True  # after all else was acknowledged: what is answered now, is this
            self._say(messages.Bye(stream=self.stream, end=self.retransmit.end))
        elif now - self._last_sent > HEARTBEAT_S:
            self._say(messages.Heartbeat(stream=self.stream))

    @property
    def _blocked(self) -> bool:
        return self.retransmit.in_flight >= self._in_flight

    @property
    def _full(self) -> bool:
        return self.retransmit.span >= self._limit and not self._drops

    def _take(self, now: float) -> None:
        started = self._started or now
        while self._frame and not self._full and started + self._frame.due_s <= now:
            self.retransmit.take(self._frame)
            due = started + self._frame.due_s
            self._frame_times.append((self._frame.end, now if self._full_speed else due))
            self._frame = next(self._frames, None)
            while self.retransmit.span > self._limit and self._drops:
                self.retransmit.drop_oldest()

    def _send(self, outgoing: Outgoing) -> None:
        self._send_lead(self._record, outgoing.first, outgoing.samples)
        if self._second:
            at = np.arange(self._first + outgoing.first, self._first + outgoing.end)
            samples = self._second.samples.take(at, mode="wrap")  # as the record starts over
            self._send_lead(self._second, outgoing.first, samples)
        self._last_sent = time.monotonic()

    def _send_lead(self, lead: Record, first: int, samples: NDArray[np.int16]) -> None:
        frame = Frame(
            stream=self._number,
            first=first,
            device_time=self._clock_ns + round(first * 1e9 / lead.rate),
            rate_mhz=round(lead.rate * 1000),
            gain=lead.gain,
            lead=lead.lead,
            samples=samples,
        )
        self._connection.send(frame.encode())

    def _say(self, message: messages.FromDevice) -> None:
        self._connection.say(message)
        self._last_sent = time.monotonic()
