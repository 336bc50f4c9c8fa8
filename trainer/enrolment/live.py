"""Following a wearer's stream until enough good signal of it has been captured."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import typer
import zmq
from rich.progress import Progress

from ecgmon.core.constants import NO_VALUE, WINDOW
from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon.keys.address import MonitorAddress
from ecgmon.records.captured import resampled
from ecgmon.records.captured.reader import Captured, captures
from ecgmon.signal.quality import USABLE, clipped
from ecgmon.terminal.progress import long_work
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from trainer.enrolment.live_seconds import LiveSeconds, State
from trainer.enrolment.request import StoppedError

POLL_MS: Final = 200
CONNECT_S: Final = 5.0
"""Longest wait for a monitor's first answer."""
GONE_S: Final = 6.0
"""A monitor that has sent nothing for this time is gone; it answers a subscription every 2 s."""
BATCH: Final = 200
"""At most this many messages are read in a row."""
GRACE_S: Final = 1.0
"""A monitor names its open streams within this time."""
OPEN_S: Final = 60.0
"""Longest wait for the wearer's stream."""
DISK_S: Final = 15.0
"""A monitor writes a second to disk at most this time after judging it."""
MAX_SEEN: Final = 1000
"""At most this many other wearers are remembered."""
SHOWN: Final = 10
"""A message names at most this many other wearers."""
SPARE: Final = 1.5
"""The user is asked whether to go on after this multiple of the wanted time."""


@dataclass(frozen=True, slots=True)
class _Second:
    """A second's first sample, its state by the monitor, and the time of the message."""

    first: int
    state: State
    received: float


@dataclass(frozen=True, slots=True)
class Followed:
    """Place of the wanted signal: samples ``start`` to ``stop - 1`` of a stream, all on disk."""

    stream: str
    start: int
    stop: int


def follow(wearer: str, seconds: int, monitor: MonitorAddress, folder: Path) -> Followed:
    """Wait until a running monitor has captured a number of good seconds of a wearer's signal.

    A good second has the state *signal*, is captured without a gap and is not clipped. Seconds of
    one stream count, from now on. Progress and problems are reported on stderr.

    Parameters
    ----------
    wearer : str
        Id of the wearer.
    seconds : int
        Number of good seconds.
    monitor : MonitorAddress
        Publish endpoint of the monitor.
    folder : Path
        Folder of the monitor's captures.

    Returns
    -------
    Followed
        Span from the first good second to the last one, with all seconds between them.

    Raises
    ------
    UsageError
        If there is no monitor, the wearer does not stream, nothing is captured, or too few
        seconds were good and nobody at a terminal wants to go on.
    EcgmonError
        If the monitor goes away.
    StoppedError
        On Ctrl-C.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    follower = _Follower(wearer, seconds, monitor, folder)
    try:
        with long_work() as bar:
            return follower.run(context, bar)
    except (KeyboardInterrupt, typer.Abort):
        raise StoppedError(
            f"Stopped with {follower.counted.usable} of {seconds} usable seconds; what was "
            f"captured of {wearer} stays."
        ) from None
    finally:
        context.destroy(linger=0)


class _Follower:
    """State of `follow`: the viewer's socket and the seconds counted."""

    def __init__(self, wearer: str, seconds: int, monitor: MonitorAddress, folder: Path) -> None:
        self._wearer = wearer
        self._seconds = seconds
        self._monitor = monitor
        self._folder = folder
        self._others: set[str] = set()
        self.counted = LiveSeconds(time.monotonic())

    def run(self, context: "zmq.Context[zmq.Socket[bytes]]", bar: Progress) -> Followed:
        """Do the work of `follow`."""
        self._bar = bar
        self._task = bar.add_task(self._wearer, total=self._seconds, note="")
        self._connect(context)
        again = False
        while True:
            stream = self._await_stream(again=again)
            if self._count(stream):
                return Followed(stream, self.counted.start, self.counted.stop)
            self._say(f"The stream has ended: {self.counted.summary()}, and counting begins anew.")
            again = True

    def _connect(self, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        """Subscribe, and wait until there is a monitor at the other end."""
        everyones = topics([messages.Opened, messages.Closed])
        subscribed = [*everyones, *topics([messages.Window], self._wearer)]
        self._viewer = ViewerClient(
            context, self._monitor.endpoint, subscribed, secure=self._monitor.secure
        )
        deadline = time.monotonic() + CONNECT_S
        while not self._viewer.socket.poll(POLL_MS):
            list(self._viewer.drain(0))  # raises if this key is not accepted
            if time.monotonic() > deadline:
                raise UsageError(
                    f"No monitor publishes at {self._monitor.endpoint}: start one with ecgmon "
                    "serve, or give the endpoint with --monitor."
                )

    def _await_stream(self, *, again: bool) -> str:
        """Return the wearer's stream, as soon as one is open."""
        began, announced = time.monotonic(), False
        while (waited := time.monotonic() - began) < OPEN_S:
            for message in self._messages():
                if isinstance(message, messages.Opened):
                    return message.stream
            if waited >= GRACE_S and not announced:
                announced = True
                self._say(f"Waiting for {self._wearer}'s device; {self._seen()}.")
        raise UsageError(
            f"{self._wearer} has not {'come back' if again else 'streamed'} within {OPEN_S:.0f} s "
            f"({self._seen()}): check the id that the device gives, and that it is on."
        )

    def _count(self, stream: str) -> bool:
        """Count a stream's seconds until they suffice or it ends; return whether they suffice."""
        self.counted = LiveSeconds(time.monotonic())
        waiting: deque[_Second] = deque()
        planned, ended = SPARE * self._seconds, False
        while True:
            for message in self._messages():
                if message.stream == stream and isinstance(message, messages.Window):
                    waiting.append(_Second(message.first, message.state, time.monotonic()))
                elif message.stream == stream and isinstance(message, messages.Closed):
                    ended = True
                    break
            self._weigh(stream, waiting)
            now, counted = time.monotonic(), self.counted
            self._bar.update(self._task, completed=counted.usable, note=counted.state)
            if counted.usable >= self._seconds or ended:
                return counted.usable >= self._seconds
            if line := counted.idle(now):
                self._say(line)
            if counted.elapsed(now) >= planned:
                self._ask()
                subscribed = self._seconds - counted.usable
                planned = counted.elapsed(time.monotonic()) + SPARE * subscribed

    def _weigh(self, stream: str, waiting: "deque[_Second]") -> None:
        """Count the seconds that wait, in order, until one that is not on disk yet."""
        held: list[Captured] | None = None
        while waiting and self.counted.usable < self._seconds:
            second, now = waiting[0], time.monotonic()
            state: State | None = second.state
            if state != "absent":
                if held is None:
                    mine = captures(self._folder, self._wearer)
                    held = [record for record in mine if record.stream == stream]
                state = _on_disk(second, held)
            if state is None:
                if now - second.received > DISK_S:
                    raise UsageError(
                        f"What {self._wearer} sends does not appear in {self._folder}: start "
                        "ecgmon serve with --capture, and with the same $ECGMON_STATE as this."
                    )
                return
            waiting.popleft()
            if line := self.counted.add(second.first, state, now):
                self._say(line)

    def _ask(self) -> None:
        """Ask whether to go on; raise `UsageError` if there is no terminal or the answer is no."""
        counted, missing = self.counted, self._seconds - self.counted.usable
        hopeful = self._seconds >= USABLE * (counted.since + missing)
        if hopeful and sys.stdin.isatty() and sys.stderr.isatty():
            self._bar.stop()
            if typer.confirm(f"{counted.summary()}: go on for {missing} more?", err=True):
                self._bar.start()
                return
        raise UsageError(
            f"Of {self._wearer}'s signal {counted.summary()}, and {self._seconds} are needed: see "
            "to the electrodes and the device, and start again."
        )

    def _messages(self) -> Iterator[messages.OfStream]:
        """Wait up to `POLL_MS`, and yield the wearer's messages.

        Raises `EcgmonError` if the monitor is gone.
        """
        self._viewer.socket.poll(POLL_MS)
        for message in self._viewer.drain(BATCH):
            if not isinstance(message, messages.OfStream):
                continue
            if message.wearer == self._wearer:
                yield message
            elif isinstance(message, messages.Opened) and len(self._others) < MAX_SEEN:
                self._others.add(message.wearer)
            elif isinstance(message, messages.Closed):
                self._others.discard(message.wearer)
        if time.monotonic() - self._viewer.last_message > GONE_S:
            raise EcgmonError(
                f"The monitor at {self._monitor.endpoint} is gone, after {self.counted.summary()}: "
                "start ecgmon serve again, and then this."
            )

    def _seen(self) -> str:
        """Return a text that names the other wearers who stream."""
        names = sorted(self._others)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return f"streaming now: {', '.join(names[:SHOWN])}{more}" if names else "nobody streams now"

    def _say(self, line: str) -> None:
        self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)


def _on_disk(second: _Second, held: list[Captured]) -> State | None:
    """Return the state of a second as captured, or None if it is not on disk yet."""
    stop = second.first + WINDOW
    if max((resampled.end(record) for record in held), default=0) < stop:
        return None
    for record in held:
        if resampled.begin(record) <= second.first and stop <= resampled.end(record):
            first, last = resampled.span(record, second.first, stop)
            counts = record.read(first, min(last, record.stop)).samples[None]
            valid = counts != NO_VALUE
            if not valid.all():
                return "missing"
            return "clipped" if clipped(counts.astype(np.float32), valid)[0] else second.state
    return "missing"
