"""Order in what devices send: one stream a wearer, by sample index, never by time of arrival."""

from bisect import insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.state import MAX_ITEMS, NESTED, Index, Indices, Layout, Stateful
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.stillness import STEP_MV
from ecgmon.wire import Frame
from ecgmon.wire.messages import MAX_SPIKES
from monitor.wearers.clock import Clock
from monitor.wearers.delivered_rate import DeliveredRate

HELD_S: Final = 1.0
"""What overtook other samples waits as long for them; then they are missing."""
MAX_HELD_S: Final = 2.0
"""Most signal that waits."""
MAX_HELD: Final = 64
"""Most pieces that wait."""
MAX_HOLE_S: Final = 10.0
"""Nothing waits for more: a device has no more under way, so what is missing was lost."""


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """Consecutive samples of a stream that were taken.

    Parameters
    ----------
    stream : int
        The stream's 64-bit id.
    first : int
        Index of the first sample, in the device's samples.
    rate_mhz : int
        Sampling rate in millihertz.
    gain : float
        Counts per millivolt.
    lead : str
        Name of the lead.
    samples : ndarray of int16, shape (n,), n >= 1
        Counts; `NO_VALUE` where nothing was measured.
    """

    stream: int
    first: int
    rate_mhz: int
    gain: float
    lead: str
    samples: NDArray[np.int16]

    @property
    def end(self) -> int:
        """Index of the sample that follows."""
        return self.first + len(self.samples)

    def after(self, count: int) -> "Piece":
        """Return the piece without its first samples."""
        return replace(self, first=self.first + count, samples=self.samples[count:])


@dataclass(eq=False, slots=True)
class StreamSegment:
    """Consecutive samples at `RATE`, after ``missing`` samples that never arrived.

    ``step`` is what noise of one count is in them, root mean square in mV.
    """

    first: int
    missing: int
    parts: list[NDArray[np.float64]]
    step: float


Segments = Annotated[list[StreamSegment], msgspec.Meta(max_length=MAX_ITEMS)]
"""Segments that wait, in the state of a stream."""


@dataclass(eq=False, slots=True)
class Stream(Stateful):
    """A wearer's current stream.

    Frames come in the device's samples; what is processed (``pending``, ``end``, ``next_window``,
    the gaps) counts samples at `RATE`, as `ecgmon.signal.rate_converter.first_output` relates them.
    A gap too short to hold a sample at `RATE` is counted in ``missing`` alone.

    Every sample of every frame is taken once, is ``repeated``, or is held, because samples before
    it are missing, until they come or are given up. What is given up is ``missing``.

    Parameters
    ----------
    wearer : str
        Whose stream it is.
    number : int
        The frame's 64-bit stream id.
    row : int
        Row of the wearer in its signal chain.
    rate_mhz : int
        Sampling rate in millihertz that the device declared, 100 to 1,000 Hz.
    next : int
        Index of the first sample that has neither been taken nor given up, in the device's
        samples: what comes before may be acknowledged. Where it begins, samples before are no gap.

    Attributes
    ----------
    received, missing, repeated : int
        The device's samples that were taken, given up, and dropped because they were known.
    pending : deque of StreamSegment
        What was taken and is not processed.
    end : int
        Index at `RATE` of the next sample of ``pending``.
    next_window : int
        Index at `RATE` of the first second that is not reported.
    kept : int
        Index of the device's first sample that was not acknowledged yet.
    clock : Clock
        The device's rate, and how late it delivers.
    delivered : DeliveredRate
        Whether it delivers the rate that it declared.
    spikes : deque of int
        Indices at `RATE` of the pacing spikes in seconds that are not reported, the first
        `MAX_SPIKES` of each.
    """

    layout = Layout(
        "stream",
        1,
        ("wearer", "number", "rate_mhz"),
        next=Index,
        received=Index,
        missing=Index,
        repeated=Index,
        pending=Segments,
        end=Index,
        next_window=Index,
        kept=Index,
        gaps=Annotated[list[tuple[Index, Index]], msgspec.Meta(max_length=MAX_ITEMS)],
        clock=NESTED,
        delivered=NESTED,
        spikes=Indices,
        _front=NESTED,
        _step=float,
        _held=Annotated[list[tuple[Index, float, Piece]], msgspec.Meta(max_length=MAX_ITEMS)],
    )

    wearer: str
    number: int
    row: int
    rate_mhz: int
    next: int = 0
    received: int = field(default=0, init=False)
    missing: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    pending: deque[StreamSegment] = field(default_factory=deque, init=False)
    end: int = field(init=False)
    next_window: int = field(init=False)
    kept: int = field(init=False)
    gaps: list[tuple[int, int]] = field(default_factory=list, init=False)
    clock: Clock = field(init=False)
    delivered: DeliveredRate = field(init=False)
    spikes: deque[int] = field(default_factory=deque, init=False)
    _front: FrontEnd = field(init=False)
    _step: float = field(default=STEP_MV, init=False)
    _held: list[tuple[int, float, Piece]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(self.rate_mhz)
        self.delivered = DeliveredRate(self.rate_mhz)
        self._front = FrontEnd(self.rate_mhz, self.next)
        self.end = self._front.next
        self.next_window = self.end // WINDOW * WINDOW
        self.kept = self.next

    def accept(self, frame: Frame, arrival: float) -> list[Piece]:
        """Take a frame: drop what is known, hold what is ahead of samples that may yet come.

        Parameters
        ----------
        frame : Frame
            Of this stream.
        arrival : float
            Monotonic time of arrival in seconds.

        Returns
        -------
        list of Piece
            What was taken, in order; copies, so that they keep no message in memory. Where one does
            not begin at the end of the one before, samples between them are missing.
        """
        known = len(frame.samples)
        for start, stop in list(self._unknown(frame.first, frame.end)):
            samples = frame.samples[start - frame.first : stop - frame.first].copy()
            piece = Piece(self.number, start, self.rate_mhz, frame.gain, frame.lead, samples)
            insort(self._held, (start, arrival, piece))
            known -= len(samples)
        self.repeated += known
        if known < len(frame.samples):
            self.clock.observe(frame.end, arrival)
            self.delivered.observe(frame.end, arrival)
            self.clock.observe_device(frame.first, frame.device_time)
        taken = self._take_contiguous()
        while self._held and self._waits_in_vain():
            taken += self._give_up()
        return taken

    def expire(self, now: float) -> list[Piece]:
        """Give up samples that what came after them has waited for too long; call it every tick.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.

        Returns
        -------
        list of Piece
            What was taken thereby, as in `accept`.
        """
        taken: list[Piece] = []
        while self._held and min(arrival for _, arrival, _ in self._held) <= now - HELD_S:
            taken += self._give_up()
        return taken

    def release(self) -> list[Piece]:
        """Give up whatever is missing and convert all that was taken: the stream ends or pauses.

        Returns
        -------
        list of Piece
            What was taken thereby, as in `accept`.
        """
        taken: list[Piece] = []
        while self._held:
            taken += self._give_up()
        self._flush()
        return taken

    def recall(self, piece: Piece) -> None:
        """Take what a monitor before this one had taken; it does not count as received.

        What is missing before it is a gap, as it was then.
        """
        if piece.first > self.next:
            self._flush()
            self._front.reset(piece.first)
        self._push(piece)
        self.next = self.kept = piece.end

    def lose(self, stop: int) -> None:
        """Give up all samples before ``stop``: the stream ends there."""
        if stop > self.next:
            self.missing += stop - self.next
            self.next = stop
            self._front.reset(stop)
            self._append_gap()

    @property
    def waits(self) -> bool:
        """Whether there are samples that wait for others."""
        return bool(self._held)

    @property
    def reached(self) -> int:
        """Index of the device's sample after all that were taken or are held."""
        return self._held[-1][2].end if self._held else self.next

    def skip_to(self, segment: StreamSegment) -> None:
        """Remember what is missing before a segment until the seconds it touches are reported."""
        self.gaps = [gap for gap in self.gaps if gap[1] > self.next_window]
        self.gaps.append((segment.first - segment.missing, segment.first))

    def missing_of(self, start: int, stop: int) -> int:
        """Return how many of these samples at `RATE` fell into the latest gaps."""
        return sum(max(0, min(stop, b) - max(start, a)) for a, b in self.gaps)

    def spikes_of(self, start: int, stop: int) -> list[int]:
        """Return the pacing spikes from ``start`` to before ``stop``, of those remembered."""
        return [at for at in self.spikes if start <= at < stop]

    def report_spikes(self, start: int, stop: int) -> list[int]:
        """Return the pacing spikes of a second, and forget all before its end."""
        spikes = self.spikes_of(start, stop)
        while self.spikes and self.spikes[0] < stop:
            self.spikes.popleft()
        return spikes

    def shift(self, seconds: float) -> None:
        """Count times of arrival by a monotonic clock that is ahead by so many seconds."""
        self._held = [(first, arrival + seconds, piece) for first, arrival, piece in self._held]
        self.clock.shift(seconds)
        self.delivered.shift(seconds)

    def _unknown(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Return the stretches of samples that are neither taken, given up nor held."""
        start = max(start, self.next)
        for first, _, piece in self._held:
            if start < min(first, stop):
                yield start, min(first, stop)
            start = max(start, piece.end)
        if start < stop:
            yield start, stop

    def _waits_in_vain(self) -> bool:
        samples = sum(len(piece.samples) for _, _, piece in self._held)
        return (
            len(self._held) > MAX_HELD
            or samples * 1000 > MAX_HELD_S * self.rate_mhz
            or (self._held[0][0] - self.next) * 1000 > MAX_HOLE_S * self.rate_mhz
        )

    def _give_up(self) -> list[Piece]:
        """Take what waits, up to the next hole; the samples before it are missing."""
        first = self._held[0][0]
        self._flush()
        self._front.reset(first)
        self.missing += first - self.next
        self.next = first
        return self._take_contiguous()

    def _take_contiguous(self) -> list[Piece]:
        taken = []
        while self._held and self._held[0][0] == self.next:
            piece = self._held.pop(0)[2]
            taken.append(piece)
            self.received += len(piece.samples)
            self.next = piece.end
            self._push(piece)
        return taken

    def _push(self, piece: Piece) -> None:
        first, self._step = self._front.next, self._front.step(piece.gain)
        self._append(first, self._front.push(piece.samples, piece.gain))

    def _flush(self) -> None:
        first = self._front.next
        self._append(first, self._front.flush())

    def _append_gap(self) -> None:
        first = self._front.next
        if first > self.end:
            self.pending.append(StreamSegment(first, first - self.end, [np.zeros(0)], self._step))
            self.end = first

    def _append(self, first: int, samples: NDArray[np.float64]) -> None:
        if not len(samples):
            return
        for at in self._front.found:
            if len(self.spikes) < MAX_SPIKES or self.spikes[-MAX_SPIKES] // WINDOW < at // WINDOW:
                self.spikes.append(at)
        self._front.found.clear()
        missing = first - self.end
        if missing or not self.pending or self.pending[-1].step != self._step:
            self.pending.append(StreamSegment(first, missing, [samples], self._step))
        else:
            self.pending[-1].parts.append(samples)
        self.end = first + len(samples)
