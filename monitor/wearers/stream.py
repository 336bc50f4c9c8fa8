"""A wearer's stream: frames in any order become gapless segments at one rate, and known gaps."""

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.state import MAX_ITEMS, NESTED, Index, Layout, Stateful
from ecgmon.wire import Frame
from monitor.wearers.clock import Clock
from monitor.wearers.conversion import Conversion
from monitor.wearers.delivered_rate import DeliveredRate
from monitor.wearers.pieces import Piece, StreamSegment
from monitor.wearers.reorder_buffer import ReorderBuffer

MAX_ARRIVALS: Final = 64
"""Arrivals of frames that the clocks have not looked at, at most."""


@dataclass(eq=False, slots=True)
class Stream(Stateful):
    """One stream of a device: it puts frames in order, finds gaps and converts samples to `RATE`.

    Samples are ordered by their index, never by their time of arrival. Frames are counted in the
    device's samples; what is processed (``pending``, ``end``, ``next_window``, the gaps) is counted
    in samples at `RATE`, as `ecgmon.signal.rate_converter.first_output` relates them. A gap too
    short to contain a sample at `RATE` is counted in ``missing`` alone.

    Every sample of a frame is accepted once, or is ``repeated``, or waits because samples before it
    are missing: until those come or are given up. Samples that are given up are ``missing``.

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
        Index of the first of the device's samples that is neither accepted nor given up. Samples
        before the first ``next`` are no gap.

    Attributes
    ----------
    received, missing, repeated : int
        The device's samples that were accepted, given up, and dropped as repeated.
    next_window : int
        Index at `RATE` of the first second that is not reported.
    acknowledged : int
        Index of the device's first sample that was not acknowledged as on disk.
    converted : Conversion
        What was accepted and is not processed, at `RATE`.
    """

    layout = Layout(
        "stream",
        3,
        ("wearer", "number", "rate_mhz"),
        next=Index,
        received=Index,
        missing=Index,
        repeated=Index,
        next_window=Index,
        acknowledged=Index,
        gaps=Annotated[list[tuple[Index, Index]], msgspec.Meta(max_length=MAX_ITEMS)],
        clock=NESTED,
        delivered=NESTED,
        converted=NESTED,
        _reordering=NESTED,
    )

    wearer: str
    number: int
    row: int
    rate_mhz: int
    next: int = 0
    received: int = field(default=0, init=False)
    missing: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    next_window: int = field(init=False)
    acknowledged: int = field(init=False)
    gaps: list[tuple[int, int]] = field(default_factory=list, init=False)
    converted: Conversion = field(init=False)
    _reordering: ReorderBuffer = field(init=False)
    _clock: Clock = field(init=False)
    _delivered: DeliveredRate = field(init=False)
    _arrivals: list[tuple[int, int, int, float]] = field(default_factory=list, init=False)
    """What the clocks have not looked at: of each frame the index of its first sample and of the
    one after its last, the device's time, and when it came."""

    def __post_init__(self) -> None:
        self._clock = Clock(self.rate_mhz)
        self._delivered = DeliveredRate(self.rate_mhz)
        self.converted = Conversion(self.rate_mhz, self.next)
        self._reordering = ReorderBuffer(self.rate_mhz)
        self.next_window = self.end // WINDOW * WINDOW
        self.acknowledged = self.next

    def accept(self, frame: Frame, arrival: float) -> list[Piece]:
        """Accept the samples of a frame that are new; those after a hole wait for it.

        Parameters
        ----------
        frame : Frame
            Of this stream.
        arrival : float
            Monotonic time of arrival in seconds.

        Returns
        -------
        list of Piece
            What was accepted, in order; copies, so that they keep no message in memory. Samples
            between two pieces that do not follow each other are missing.
        """
        if piece := self.accept_next(frame, arrival):
            return [piece]
        repeated = len(frame.samples)
        for start, stop in list(self._reordering.holes(max(frame.first, self.next), frame.end)):
            samples = frame.samples[start - frame.first : stop - frame.first].copy()
            self._reordering.add(self._piece(frame, start, samples), arrival)
            repeated -= len(samples)
        self.repeated += repeated
        if repeated < len(frame.samples):
            self._note(frame, frame.end, arrival)
        accepted = self._accept_contiguous()
        while self._reordering.is_full(self.next):
            accepted += self._give_up()
        return accepted

    def accept_next(self, frame: Frame, arrival: float) -> Piece | None:
        """Accept a frame that is in order, as nearly all are; see `accept`. None if it is not."""
        if frame.first != self.next or self._reordering:
            return None
        samples = frame.samples.copy()
        end = frame.first + len(samples)
        self._note(frame, end, arrival)
        self.received += len(samples)
        self.next = end
        self.converted.push(samples, frame.gain)
        return self._piece(frame, frame.first, samples)

    def expire(self, now: float) -> list[Piece]:
        """Give up samples that others have waited for too long; call it every tick.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.

        Returns
        -------
        list of Piece
            What was accepted thereby, as in `accept`.
        """
        accepted: list[Piece] = []
        while self._reordering.is_overdue(now):
            accepted += self._give_up()
        return accepted

    def release(self) -> list[Piece]:
        """Give up all that is missing and convert all that waits: the stream ends or pauses.

        Returns
        -------
        list of Piece
            What was accepted thereby, as in `accept`.
        """
        accepted: list[Piece] = []
        while self._reordering:
            accepted += self._give_up()
        self.converted.flush()
        return accepted

    def restore_piece(self, piece: Piece) -> None:
        """Accept what an earlier monitor has accepted; it does not count as received.

        Samples missing before it are a gap, as they were then.
        """
        if piece.first > self.next:
            self.converted.flush()
            self.converted.skip_to(piece.first)
        self.converted.push(piece.samples, piece.gain)
        self.next = self.acknowledged = piece.end

    def lose(self, stop: int) -> None:
        """Give up all samples before ``stop``: the stream ends there."""
        if stop > self.next:
            self.missing += stop - self.next
            self.next = stop
            self.converted.skip_to(stop)
            self.converted.append_gap()

    @property
    def clock(self) -> Clock:
        """The device's rate, and how late it delivers."""
        self._observe()
        return self._clock

    @property
    def delivered(self) -> DeliveredRate:
        """Whether the device delivers the rate that it declared."""
        self._observe()
        return self._delivered

    @property
    def pending(self) -> deque[StreamSegment]:
        """What was accepted and is not processed."""
        return self.converted.pending

    @property
    def end(self) -> int:
        """Index at `RATE` of the next sample of ``pending``."""
        return self.converted.end

    @property
    def waits(self) -> bool:
        """Whether there are samples that wait for others."""
        return bool(self._reordering)

    @property
    def reached(self) -> int:
        """Index of the device's sample after all that were accepted or wait."""
        end = self._reordering.end
        return self.next if end is None else end

    def skip_to(self, segment: StreamSegment) -> None:
        """Remember the gap before a segment until the seconds that it touches are reported."""
        self.gaps = [gap for gap in self.gaps if gap[1] > self.next_window]
        self.gaps.append((segment.first - segment.missing, segment.first))

    def missing_of(self, start: int, stop: int) -> int:
        """Return how many of these samples at `RATE` are in the latest gaps."""
        return sum(max(0, min(stop, b) - max(start, a)) for a, b in self.gaps)

    def shift(self, seconds: float) -> None:
        """Count times of arrival by a monotonic clock that is ahead by so many seconds."""
        self._reordering.shift(seconds)
        self.clock.shift(seconds)
        self.delivered.shift(seconds)

    def _give_up(self) -> list[Piece]:
        """Accept what waits, up to the next hole; the samples before it are missing."""
        first = self._reordering.first
        if first is None:
            return []
        self.converted.flush()
        self.converted.skip_to(first)
        self.missing += first - self.next
        self.next = first
        return self._accept_contiguous()

    def _accept_contiguous(self) -> list[Piece]:
        """Accept what waits and follows the samples accepted so far."""
        accepted = list(self._reordering.pop_contiguous(self.next))
        for piece in accepted:
            self.received += len(piece.samples)
            self.next = piece.end
            self.converted.push(piece.samples, piece.gain)
        return accepted

    def _piece(self, frame: Frame, first: int, samples: NDArray[np.int16]) -> Piece:
        return Piece(self.number, first, self.rate_mhz, frame.gain, frame.lead, samples)

    def _note(self, frame: Frame, end: int, arrival: float) -> None:
        """Remember for the clocks when a frame came that ends before sample ``end``."""
        self._arrivals.append((frame.first, end, frame.device_time, arrival))
        if len(self._arrivals) >= MAX_ARRIVALS:
            self._observe()

    def _observe(self) -> None:
        """Let the clocks look at what has come, many frames in a row."""
        observe, observe_device = self._clock.observe, self._clock.observe_device
        observe_delivered = self._delivered.observe
        for first, end, device_time, arrival in self._arrivals:
            observe(end, arrival)
            observe_delivered(end, arrival)
            observe_device(first, device_time)
        self._arrivals.clear()
