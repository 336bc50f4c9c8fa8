"""Annotated records, as data sets are made of them; loads no torch, and so can be asked early."""

from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.read import read
from ecgmon.records.record import Found


def annotated(found: Found, lead: str | None = None, annotator: str | None = None) -> Record:
    """Read an annotated record, at its own rate.

    Raises
    ------
    RecordError
        If it cannot be read or has no annotations.
    """
    record = read(found, lead=lead, annotator=annotator)
    if record.annotations is None:
        none = f"{record.name} has no annotations to learn from: choose another."
        raise RecordError(record.notice or none)
    return record


def annotated_as_heard(
    found: Found, lead: str | None = None, annotator: str | None = None
) -> Record:
    """Read an annotated record as the monitor would hear it, at 360 Hz.

    Raises
    ------
    RecordError
        As `annotated`, and if a monitor does not take its rate or it is too short.
    """
    record = converted(annotated(found, lead, annotator))
    require_length(record)
    return record


def require_length(record: Record) -> None:
    """Raise `RecordError` where a record at 360 Hz is too short to be cut into windows."""
    if len(record.samples) < 2 * WINDOW:
        raise RecordError(f"{record.name} is too short: it has not two whole seconds.")
