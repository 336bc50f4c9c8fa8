"""A whole record at 360 Hz, as the monitor converts what a device of another rate sends."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.core.errors import RecordError
from ecgmon.records.record import Record
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.rate_converter import MAX_RATE, MIN_RATE, first_output

FINEST: Final = 1000.0
"""Counts per mV up to which the gain is raised: 1 uV is far below any noise of a record, so that
what is rounded again is nothing that a model sees."""


def converted(record: Record) -> Record:
    """Return a record at `RATE` without pacing spikes; the same one if it is so already.

    Parameters
    ----------
    record : Record
        At `MIN_RATE` to `MAX_RATE` Hz.

    Returns
    -------
    Record
        An annotation stays in the second that it was in. The gain is as fine as `FINEST` where
        the amplitude leaves room for it.

    Raises
    ------
    RecordError
        If a monitor takes no such rate.
    """
    rate_mhz = round(record.rate * 1000)
    if not MIN_RATE * 1000 <= rate_mhz <= MAX_RATE * 1000:
        raise RecordError(
            f"{record.name} is sampled at {record.rate:g} Hz: give a record of {MIN_RATE} to "
            f"{MAX_RATE} Hz."
        )
    front = FrontEnd(rate_mhz)
    millivolts = np.concatenate([front.push(record.samples, record.gain), front.flush()])
    if record.rate == RATE and np.array_equal(millivolts, record.millivolts(), equal_nan=True):
        return record
    measured = np.isfinite(millivolts)
    peak = max(float(np.max(np.abs(millivolts), where=measured, initial=0.0)), 1e-9)
    gain = min(max(record.gain, FINEST), -(NO_VALUE + 1) / peak)
    counts = np.full(len(millivolts), NO_VALUE, dtype=np.int16)
    counts[measured] = np.rint(millivolts[measured] * gain)
    marks = record.annotations
    return replace(
        record,
        rate=float(RATE),
        gain=gain,
        samples=counts,
        annotations=marks and marks.moved(marks.samples * (RATE * 1000) // rate_mhz),
        missing=tuple(
            (first_output(start, rate_mhz), first_output(stop, rate_mhz))
            for start, stop in record.missing
        ),
    )


def read_converted(
    name: str, *, lead: str | None = None, annotator: str | None = None, data: Path | None = None
) -> Record:
    """Find a record, fetch it if it is not on this machine, read it and return it at `RATE`.

    Parameters
    ----------
    name : str
        As the command line takes it.
    lead, annotator : str, optional
        As `ecgmon.records.read.read` takes them.
    data : Path, optional
        Folder to look in first.

    Raises
    ------
    RecordError
        If there is no such record, or it cannot be read.
    """
    from ecgmon.records.fetch import obtain  # takes a quarter of a second to load
    from ecgmon.records.find import here
    from ecgmon.records.read import read

    found = obtain(here(name), data=data, annotator=annotator)
    return converted(read(found, lead=lead, annotator=annotator))
