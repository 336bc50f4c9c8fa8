"""A stream in a gateway: put in order as in a monitor, and passed on without being judged."""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import RefusedError
from ecgmon.wire import MAX_SAMPLES, Frame, messages
from ecgmon.wire.frame import OVERHEAD
from monitor.fleet.portions import Portion
from monitor.wearers.conversion import Conversion
from monitor.wearers.pieces import Piece
from monitor.wearers.stream import Stream

MOST_BYTES: Final = 128 * 1024
"""Bytes of a stream's frames that wait for JetStream; beyond, its device keeps its samples."""
MOST_SECOND: Final = 8
"""Frames of the second lead that wait for one of the first: a portion begins with the first."""
KEEP_S: Final = 2.0
"""A device whose samples find no room is asked to come back after so many seconds."""
FULL: Final = "JetStream does not take samples now: keep them."
_LATEST_NS: Final = 2**63 - 1


class Unconverted(Conversion):
    """Takes the place of a conversion where nothing is converted."""

    __slots__ = ()

    def push(self, counts: NDArray[np.int16], gain: float) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def skip_to(self, first: int) -> None:
        """Do nothing."""

    def append_gap(self) -> None:
        """Do nothing."""


class ForwardedStream(Stream):
    """A stream whose accepted samples wait to be published.

    Parameters
    ----------
    hello : Hello
        How the device has opened it.
    lead : str
        The lead that is used.
    first : int
        Index of the first sample that JetStream does not have.
    parted : bool
        Whether JetStream has a goodbye at that index.
    known : bool
        Whether JetStream has anything of the stream.

    Attributes
    ----------
    since : float or None
        Since when something waits, monotonic time in seconds; None if nothing does.
    says_goodbye : bool
        Whether a goodbye at index ``next`` is still to be published.
    begins : bool
        Whether it is still to be published that the stream has begun.
    """

    __slots__ = (
        "_bytes",
        "_device",
        "_parted_at",
        "_said_goodbye",
        "_second",
        "_waiting",
        "begins",
        "hello",
        "lead",
        "says_goodbye",
        "since",
    )

    def __init__(
        self, hello: messages.Hello, lead: str, first: int, *, parted: bool, known: bool
    ) -> None:
        super().__init__(hello.wearer, int(hello.stream, 16), 0, round(hello.rate * 1000), first)
        self.converted = Unconverted(self.rate_mhz, first)
        self.hello, self.lead = hello, lead
        self._parted_at = first if parted else None
        self.begins = not known
        self.says_goodbye = self._said_goodbye = False
        self.since: float | None = None
        self._waiting: list[Frame] = []
        self._second: deque[Frame] = deque(maxlen=MOST_SECOND)
        self._bytes = 0
        self._device = (0, 0)

    @property
    def is_full(self) -> bool:
        """Whether nothing more may wait."""
        return self._bytes >= MOST_BYTES

    @property
    def waiting_s(self) -> float:
        """How much signal waits, in seconds."""
        if not self._waiting:
            return 0.0
        return (self.next - self._waiting[0].first) * 1000 / self.rate_mhz

    @property
    def has_news(self) -> bool:
        """Whether there is something to publish."""
        return bool(self._waiting) or self.begins or self.says_goodbye

    def accept(self, frame: Frame, arrival: float) -> list[Piece]:
        """Accept a frame; see `Stream.accept`.

        Raises
        ------
        RefusedError
            If it has new samples, and too many wait already.
        """
        if piece := self.accept_next(frame, arrival):
            return [piece]
        self._require_room(frame)
        self._device = (frame.first, frame.device_time)
        return self._forwarded(super().accept(frame, arrival), arrival)

    def accept_next(self, frame: Frame, arrival: float) -> Piece | None:
        """Accept a frame that is in order; see `Stream.accept_next`, and `accept`."""
        self._require_room(frame)
        piece = super().accept_next(frame, arrival)
        if piece:
            self._device = (frame.first, frame.device_time)
            self._forwarded([piece], arrival)
        return piece

    def expire(self, now: float) -> list[Piece]:
        """Give up samples; see `Stream.expire`."""
        return self._forwarded(super().expire(now), now)

    def release(self) -> list[Piece]:
        """Give up all that is missing: the device says goodbye; see `Stream.release`."""
        return self._forwarded(super().release(), self.since or 0.0)

    def pass_on(self, frame: Frame) -> None:
        """Let a frame of the second lead wait: it is published with those of the first."""
        if self._waiting:
            self._wait(frame)
        else:
            self._second.append(frame)

    def part(self) -> bool:
        """Take the device's goodbye; tells whether JetStream has it already."""
        if self._parted_at == self.next and not self._waiting:
            return True
        if not self._said_goodbye:
            self.says_goodbye = self._said_goodbye = True
        return False

    def take(self, heard: float) -> Portion:
        """Take all that waits.

        Parameters
        ----------
        heard : float
            When the device was heard last, by the wall clock.
        """
        waiting, self._waiting = self._waiting, []
        self._bytes, self.since, self.begins = 0, None, False
        end = self.next if self.says_goodbye else None
        self.says_goodbye = False
        return Portion(self.hello, [one.encode() for one in joined(waiting)], end, heard)

    def _require_room(self, frame: Frame) -> None:
        if self.is_full and frame.end > self.next:
            raise RefusedError(FULL, KEEP_S)

    def _forwarded(self, pieces: list[Piece], now: float) -> list[Piece]:
        for piece in pieces:
            if self.since is None:
                self.since = now
            at = self._device_time(piece.first)
            self._wait(
                Frame(
                    self.number,
                    piece.first,
                    at,
                    piece.rate_mhz,
                    piece.gain,
                    piece.lead,
                    piece.samples,
                )
            )
            while self._second:
                self._wait(self._second.popleft())
        return pieces

    def _wait(self, one: Frame) -> None:
        self._waiting.append(one)
        self._bytes += OVERHEAD + 2 * len(one.samples)

    def _device_time(self, first: int) -> int:
        """Return the device's clock at a sample, counted from the latest frame; 0 without one."""
        at, device_time = self._device
        if not device_time:
            return 0
        found = device_time + (first - at) * 10**12 // self.rate_mhz
        return found if abs(found) <= _LATEST_NS else 0


class PassedOnLead(Stream):
    """The second lead of a stream: its frames go on as they came.

    Parameters
    ----------
    first : ForwardedStream
        The first lead.
    """

    __slots__ = ("_first",)

    def __init__(self, first: ForwardedStream) -> None:
        super().__init__(first.wearer, first.number, 0, first.rate_mhz, first.next)
        self.converted = Unconverted(self.rate_mhz, first.next)
        self._first = first

    def accept(self, frame: Frame, arrival: float) -> list[Piece]:
        """Pass a frame on; nothing is accepted of it here."""
        self._first.pass_on(frame)
        self.next = max(self.next, frame.end)
        return []


def joined(frames: list[Frame]) -> list[Frame]:
    """Return frames of which those that follow each other are one, as long as it is short enough.

    Parameters
    ----------
    frames : list of Frame
        Of one or two leads.
    """
    found: list[list[Frame]] = []
    size = 0
    for one in frames:
        last = found[-1][-1] if found else None
        follows = (
            last is not None
            and last.lead == one.lead
            and last.end == one.first
            and last.gain == one.gain
            and size + len(one.samples) <= MAX_SAMPLES
        )
        if follows:
            found[-1].append(one)
            size += len(one.samples)
        else:
            found.append([one])
            size = len(one.samples)
    return [_one_of(run) for run in found]


def _one_of(run: list[Frame]) -> Frame:
    first = run[0]
    if len(run) == 1:
        return first
    return Frame(
        first.stream,
        first.first,
        first.device_time,
        first.rate_mhz,
        first.gain,
        first.lead,
        np.concatenate([one.samples for one in run]),
    )
