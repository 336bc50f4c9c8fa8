"""A wearer's streams, as captured and as the journal has them, and when each of them began."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.errors import RecordError
from ecgmon.export.journal_reader import SECOND, JournalMessages, JournalSpan, StreamMessages
from ecgmon.export.timespec import EARLIEST, LATEST, iso
from ecgmon.records.captured.reader import Captured, captures
from ecgmon.signal.rate_converter import first_output
from ecgmon.wire import messages
from ecgmon.wire.frame import MAX_INDEX

JUMP_S: Final = 10.0
"""An index that is ahead of the time by more has jumped."""
LATE_S: Final = 5.0
"""What is said of a second, and a record begun, is so late at most in a stream that is not."""
LONGEST_HOLE_S: Final = 3600
"""A longer one is not filled with missing values: another record begins after it."""


@dataclass(frozen=True, eq=False, slots=True)
class ExportedStream:
    """One stream, cut to the times asked for.

    Parameters
    ----------
    stream : str
        Its id.
    spans : tuple of JournalSpan
        When its samples were measured, by their index: a sample was measured no later than it
        arrived, and of a span the earliest arrival counts. A device that makes the index from a
        clock which is set begins another span.
    rate : float
        Samples per second of the device.
    records : tuple of Captured
        In the order of their samples; of two that overlap, the later one counts.
    windows : ndarray of `SECOND`, shape (n,)
        All its windows in the order of time.
    gaps : tuple of (int, int)
        First sample and count, at 360 Hz.
    start, stop : float
        The times asked for, in seconds since the Unix epoch; may be infinite.
    """

    stream: str
    spans: tuple[JournalSpan, ...]
    rate: float
    records: tuple[Captured, ...]
    windows: NDArray[np.void]
    gaps: tuple[tuple[int, int], ...]
    start: float
    stop: float

    def time(self, at: float) -> float:
        """Return when a sample was measured, by its index at 360 Hz."""
        span = self.spans[max(bisect_right(self.spans, at, key=_first) - 1, 0)]
        return min(max(span.began + (at - span.first) / RATE, EARLIEST), LATEST)

    def index(self, time: float) -> float:
        """Return which sample was the latest at a time, by its index at 360 Hz."""
        begun = [span for span in self.spans if span.began <= time]
        span = begun[-1] if begun else self.spans[0]
        return span.first + (time - span.began) * RATE

    def span(self, record: Captured) -> int:
        """Return in which of the spans a record lies."""
        return bisect_right(self.spans, _at(record, record.first), key=_first)

    def sample(self, at: float) -> int:
        """Return the device's own index of a sample, by its index at 360 Hz."""
        mhz = round(self.rate * 1000)
        return (2 * round(at) * mhz + 1000 * RATE) // (2000 * RATE)  # exact, however large

    def seconds(self) -> NDArray[np.void]:
        """Return the windows asked for."""
        firsts = np.array([span.first for span in self.spans], dtype=np.int64)
        began = np.array([span.began for span in self.spans])
        span = np.maximum(np.searchsorted(firsts, self.windows["first"], "right") - 1, 0)
        ends = began[span] + (self.windows["first"] + WINDOW - firsts[span]) / RATE
        return self.windows[(ends > self.start) & (ends - WINDOW / RATE < self.stop)]

    def runs(self) -> Iterator[tuple[int, int, list[Captured]]]:
        """Yield what makes one WFDB record: first sample, end, and where the samples are.

        Rate, gain and lead are the same in all of it.
        """
        run: list[Captured] = []
        for record in self.records:
            if run and (
                (run[0].rate, run[0].gain, run[0].lead) != (record.rate, record.gain, record.lead)
                or record.first - max(one.stop for one in run) > LONGEST_HOLE_S * record.rate
                or self.span(run[0]) != self.span(record)
            ):
                yield from self._cut(run)
                run = []
            run.append(record)
        yield from self._cut(run)

    def _cut(self, run: list[Captured]) -> Iterator[tuple[int, int, list[Captured]]]:
        if run:
            one, first, stop = run[0], run[0].first, max(record.stop for record in run)
            began, ended = (self.time(_at(one, index)) for index in (first, stop))
            if self.start > began:
                first = min(first + round((min(self.start, ended) - began) * one.rate), stop)
            if self.stop < ended:
                stop = max(stop - round((ended - max(self.stop, began)) * one.rate), first)
            if first < stop:
                yield first, stop, run


def streams(
    folder: Path, wearer: str, journal: JournalMessages, start: float, stop: float
) -> list[ExportedStream]:
    """Return a wearer's streams that have something in a range of time, in the order of time.

    Parameters
    ----------
    folder : Path
        Where the monitor captures.
    wearer : str
        Whose streams.
    journal : Said
        What the journal has of the wearer.
    start, stop : float
        Seconds since the Unix epoch; may be infinite.

    Raises
    ------
    RecordError
        If there is nothing, or what is there is damaged.
    """
    captured: dict[str, list[Captured]] = {}
    for record in captures(folder, wearer):
        if EARLIEST < record.began.timestamp() < LATEST and record.stop <= MAX_INDEX:
            captured.setdefault(record.stream, []).append(record)
    found = [
        _stream(
            name, captured.get(name, []), journal.streams.get(name, StreamMessages()), start, stop
        )
        for name in {**captured, **journal.streams}
    ]
    known = [stream for stream in found if stream.records or len(stream.windows)]
    if not known:
        raise RecordError(
            f"Nothing is kept of {wearer}: check the id, and where $ECGMON_STATE points to."
        )
    ends = [_ends(stream) for stream in known]
    inside = [
        stream
        for stream, (first, last) in zip(known, ends, strict=True)
        if first < stop and start < last
    ]
    if not inside:
        raise RecordError(
            f"Nothing is kept of {wearer} in that time: choose some between "
            f"{iso(min(first for first, _ in ends))} and {iso(max(last for _, last in ends))}."
        )
    return sorted(inside, key=lambda stream: stream.time(stream.spans[0].first))


def placed(stream: ExportedStream, time: float, message: messages.Published) -> float | None:
    """Return where in a stream something was said, at 360 Hz; None if of another stream."""
    if getattr(message, "stream", None) not in (None, stream.stream):
        return None
    for name in ("at", "first", "end"):
        if (at := getattr(message, name, None)) is not None:
            return int(at)
    return stream.index(getattr(message, "time", time))


def _stream(
    name: str, records: list[Captured], journal: StreamMessages, start: float, stop: float
) -> ExportedStream:
    spans = _spans([*journal.spans, *map(_span, records)])
    seconds = np.concatenate([np.empty(0, SECOND), *journal.seconds])
    # Said twice where a stream went on after a restart: the later one counts.
    _, latest = np.unique(seconds["first"][::-1], return_index=True)
    windows = seconds[::-1][latest]
    for before, after in pairwise(spans):  # no time has passed in a jump of the index
        none = (windows["first"] >= before.stop) & (windows["first"] + WINDOW <= after.first)
        windows = windows[~none]
    return ExportedStream(
        stream=name,
        spans=spans,
        rate=records[0].rate if records else journal.rate or RATE,
        records=tuple(sorted(records, key=lambda record: (record.first, record.began))),
        windows=windows,
        gaps=tuple(journal.gaps),
        start=start,
        stop=stop,
    )


def _first(span: JournalSpan) -> int:
    return span.first


def _at(record: Captured, index: int) -> int:
    """Return a device's index at 360 Hz."""
    return first_output(index, round(record.rate * 1000))


def _span(record: Captured) -> JournalSpan:
    """Return when a record was measured at the latest, by when it was begun."""
    first = _at(record, record.first)
    began = record.began.timestamp()
    return JournalSpan(first, _at(record, record.stop), began, began)


def _spans(known: list[JournalSpan]) -> tuple[JournalSpan, ...]:
    """Join what is known of when samples were measured, but where the index has jumped."""
    joined: list[JournalSpan] = []
    for span in sorted(known, key=_first):
        if not joined or _jumped(joined[-1], span):
            joined.append(replace(span))
        else:
            before = joined[-1]
            before.stop = max(before.stop, span.stop)
            before.began = min(before.began, span.began - (span.first - before.first) / RATE)
    return tuple(joined)


def _jumped(before: JournalSpan, after: JournalSpan) -> bool:
    """Tell whether an index has gone further over a gap than the time has.

    A backlog looks alike, whose samples came late and, before the gap, too fast as well. So all
    that the time lacks must lie in the gap.
    """
    gap_s = (after.first - before.stop) / RATE
    lasted_s = (after.first - before.first) / RATE
    lacking_s = before.began + lasted_s - after.began
    return lacking_s > JUMP_S and before.at_first - before.began + lacking_s < gap_s + LATE_S


def _ends(stream: ExportedStream) -> tuple[float, float]:
    """Return when the first and after the last of what is kept of a stream was measured."""
    times = [
        stream.time(_at(record, index))
        for record in stream.records
        for index in (record.first, record.stop)
    ]
    windows = stream.windows["first"]
    for span in stream.spans if len(windows) else ():
        inside = windows[(windows + WINDOW > span.first) & (windows < span.stop)]
        if len(inside):
            times += [stream.time(int(inside[0])), stream.time(int(inside[-1]) + WINDOW)]
    return min(times), max(times)
