"""Captured signals as the monitor heard them: at 360 Hz, whatever the device's rate."""

from pathlib import Path
from typing import Final

import numpy as np

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records.captured.reader import Captured, captures, read
from ecgmon.records.converted import converted
from ecgmon.records.record import Record
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.rate_converter import first_output

MARGIN: Final = 1000
"""More of the device's samples on both sides than any output is made of."""


def begin(record: Captured) -> int:
    """Return the index at `RATE` at which a captured record begins."""
    return first_output(record.first, round(record.rate * 1000))


def end(record: Captured) -> int:
    """Return the index at `RATE` of what follows a captured record."""
    return first_output(record.stop, round(record.rate * 1000))


def span(record: Captured, start: int, stop: int) -> tuple[int, int]:
    """Return which of a record's own samples last from ``start`` to ``stop`` at `RATE`."""
    rate_mhz = round(record.rate * 1000)
    scale = RATE * 1000
    return start * rate_mhz // scale, -(-stop * rate_mhz // scale)


def hear(folder: Path, wearer: str, stream: str, start: int, stop: int) -> Record:
    """Read samples of a stream as the monitor heard them.

    Parameters
    ----------
    folder : Path
        Where the monitor captures.
    wearer, stream : str
        Whose samples, and of which stream.
    start, stop : int
        Which samples, by their index at `RATE`.

    Returns
    -------
    Record
        At `RATE`, called ``captured/<wearer>/<stream>-<start>``.

    Raises
    ------
    RecordError
        As `ecgmon.records.captured.reader.read`.
    """
    held = [record for record in captures(folder, wearer) if record.stream == stream]
    if not held or held[0].rate == RATE:
        return converted(read(folder, wearer, stream, start, stop))
    first, last = span(held[0], start, stop)
    first = max(first - MARGIN, min(record.first for record in held))
    last = min(last + MARGIN, max(record.stop for record in held))
    own = read(folder, wearer, stream, first, last)
    front = FrontEnd(round(own.rate * 1000), first)
    at = front.next
    resampled = np.concatenate([front.push(own.samples, own.gain), front.flush()])
    counts = np.clip(np.round(resampled[start - at : stop - at] * own.gain), -32767, 32767)
    return Record(
        name=f"captured/{wearer}/{stream}-{start:019}",
        wearer=wearer,
        rate=float(RATE),
        gain=own.gain,
        lead=own.lead,
        samples=np.where(np.isnan(counts), NO_VALUE, counts).astype(np.int16),
    )
