"""A wearer's stream: frames in any order become gapless segments at one rate, and known gaps."""

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated

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
from monitor.wearers.pieces import Piece, Segments, StreamSegment
from monitor.wearers.reorder_buffer import ReorderBuffer


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
    pending : deque of StreamSegment
        What was accepted and is not processed.
    end : int
        Index at `RATE` of the next sample of ``pending``.
    next_window : int
        Index at `RATE` of the first second that is not reported.
    acknowledged : int
        Index of the device's first sample that was not acknowledged as on disk.
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
        2,
        ("wearer", "number", "rate_mhz"),
        next=Index,
        received=Index,
        missing=Index,
        repeated=Index,
        pending=Segments,
        end=Index,
        next_window=Index,
        acknowledged=Index,
        gaps=Annotated[list[tuple[Index, Index]], msgspec.Meta(max_length=MAX_ITEMS)],
        clock=NESTED,
        delivered=NESTED,
        spikes=Indices,
        _front=NESTED,
        _step=float,
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
    pending: deque[StreamSegment] = field(default_factory=deque, init=False)
    end: int = field(init=False)
    next_window: int = field(init=False)
    acknowledged: int = field(init=False)
    gaps: list[tuple[int, int]] = field(default_factory=list, init=False)
    clock: Clock = field(init=False)
    delivered: DeliveredRate = field(init=False)
    spikes: deque[int] = field(default_factory=deque, init=False)
    _front: FrontEnd = field(init=False)
    _step: float = field(default=STEP_MV, init=False)
    _reordering: ReorderBuffer = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(self.rate_mhz)
        self.delivered = DeliveredRate(self.rate_mhz)
        self._front = FrontEnd(self.rate_mhz, self.next)
        self._reordering = ReorderBuffer(self.rate_mhz)
        self.end = self._front.next
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
        repeated = len(frame.samples)
        for start, stop in list(self._reordering.holes(max(frame.first, self.next), frame.end)):
            samples = frame.samples[start - frame.first : stop - frame.first].copy()
            piece = Piece(self.number, start, self.rate_mhz, frame.gain, frame.lead, samples)
            self._reordering.add(piece, arrival)
            repeated -= len(samples)
        self.repeated += repeated
        if repeated < len(frame.samples):
            self.clock.observe(frame.end, arrival)
            self.delivered.observe(frame.end, arrival)
            self.clock.observe_device(frame.first, frame.device_time)
        accepted = self._accept_contiguous()
        while self._reordering.is_full(self.next):
            accepted += self._give_up()
        return accepted

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
        self._flush()
        return accepted

    def restore_piece(self, piece: Piece) -> None:
        """Accept what an earlier monitor has accepted; it does not count as received.

        Samples missing before it are a gap, as they were then.
        """
        if piece.first > self.next:
            self._flush()
            self._front.reset(piece.first)
        self._push(piece)
        self.next = self.acknowledged = piece.end

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

    def spikes_of(self, start: int, stop: int) -> list[int]:
        """Return the pacing spikes from ``start`` to before ``stop`` that are not reported."""
        return [at for at in self.spikes if start <= at < stop]

    def report_spikes(self, start: int, stop: int) -> list[int]:
        """Return the pacing spikes of a second, and forget all before its end."""
        spikes = self.spikes_of(start, stop)
        while self.spikes and self.spikes[0] < stop:
            self.spikes.popleft()
        return spikes

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
        self._flush()
        self._front.reset(first)
        self.missing += first - self.next
        self.next = first
        return self._accept_contiguous()

    def _accept_contiguous(self) -> list[Piece]:
        """Accept what waits and follows the samples accepted so far."""
        accepted = list(self._reordering.pop_contiguous(self.next))
        for piece in accepted:
            self.received += len(piece.samples)
            self.next = piece.end
            self._push(piece)
        return accepted

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
