"""A wearer's streams, as captured and as the journal has them, and when each of them began."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.errors import RecordError
from ecgmon.export.said import SECOND, OfStream, Said
from ecgmon.export.when import EARLIEST, iso
from ecgmon.grid import RATE, WINDOW
from ecgmon.records.captured import Captured, captures
from ecgmon.wire import messages

LONGEST_HOLE_S: Final = 3600
"""A longer one is not filled with missing values: another record begins after it."""


@dataclass(frozen=True, eq=False, slots=True)
class Stream:
    """One stream, cut to the times asked for.

    Parameters
    ----------
    stream : str
        Its id.
    began : float
        When its sample 0 was measured, in seconds since the Unix epoch: a sample was measured no
        later than it arrived, and the earliest arrival counts.
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
    began: float
    rate: float
    records: tuple[Captured, ...]
    windows: NDArray[np.void]
    gaps: tuple[tuple[int, int], ...]
    start: float
    stop: float

    def time(self, at: float) -> float:
        """Return when a sample was measured, by its index at 360 Hz."""
        return self.began + at / RATE

    def sample(self, at: float) -> int:
        """Return the device's own index of a sample, by its index at 360 Hz."""
        return round(at * self.rate / RATE)

    def seconds(self) -> NDArray[np.void]:
        """Return the windows asked for."""
        ends = self.began + (self.windows["first"] + WINDOW) / RATE
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
            ):
                yield from self._cut(run)
                run = []
            run.append(record)
        yield from self._cut(run)

    def _cut(self, run: list[Captured]) -> Iterator[tuple[int, int, list[Captured]]]:
        if run:
            first, stop = run[0].first, max(record.stop for record in run)
            if self.start > self.began + first / run[0].rate:
                first = round(min((self.start - self.began) * run[0].rate, stop))
            if self.stop < self.began + stop / run[0].rate:
                stop = round(max((self.stop - self.began) * run[0].rate, first))
            if first < stop:
                yield first, stop, run


def streams(folder: Path, wearer: str, said: Said, start: float, stop: float) -> list[Stream]:
    """Return a wearer's streams that have something in a range of time, in the order of time.

    Parameters
    ----------
    folder : Path
        Where the monitor captures.
    wearer : str
        Whose streams.
    said : Said
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
        if _began(record) > EARLIEST:
            captured.setdefault(record.stream, []).append(record)
    found = [
        _stream(name, captured.get(name, []), said.streams.get(name, OfStream()), start, stop)
        for name in {**captured, **said.streams}
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
    return sorted(inside, key=lambda stream: stream.began)


def placed(stream: Stream, time: float, message: messages.Published) -> float | None:
    """Return where in a stream something was said, at 360 Hz; None if of another stream."""
    if getattr(message, "stream", None) not in (None, stream.stream):
        return None
    for name in ("at", "first", "end"):
        if (at := getattr(message, name, None)) is not None:
            return float(at)
    return (getattr(message, "time", time) - stream.began) * RATE


def _stream(
    name: str, records: list[Captured], said: OfStream, start: float, stop: float
) -> Stream:
    began = min([said.began, *(_began(record) for record in records)])
    seconds = np.concatenate([np.empty(0, SECOND), *said.seconds])
    # Said twice where a stream went on after a restart: the later one counts.
    _, latest = np.unique(seconds["first"][::-1], return_index=True)
    return Stream(
        stream=name,
        began=began,
        rate=records[0].rate if records else said.rate or RATE,
        records=tuple(sorted(records, key=lambda record: (record.first, record.began))),
        windows=seconds[::-1][latest],
        gaps=tuple(said.gaps),
        start=start,
        stop=stop,
    )


def _began(record: Captured) -> float:
    """Return when sample 0 was measured at the latest, by when a record was begun."""
    return record.began.timestamp() - record.first / record.rate


def _ends(stream: Stream) -> tuple[float, float]:
    """Return when the first and after the last of what is kept of a stream was measured."""
    times = [
        stream.began + index / record.rate
        for record in stream.records
        for index in (record.first, record.stop)
    ]
    if len(stream.windows):
        first, last = stream.windows["first"][[0, -1]].tolist()
        times += [stream.time(first), stream.time(last + WINDOW)]
    return min(times), max(times)
