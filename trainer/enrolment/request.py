"""The request for an enrolment: whose model, from which signal, and how; loads no torch."""

from dataclasses import dataclass
from pathlib import Path

from ecgmon.keys.address import MonitorAddress
from ecgmon.models.card import LabelSource


class StoppedError(Exception):
    """The user has stopped an enrolment; the message says what stays as it is."""


@dataclass(frozen=True, slots=True)
class FromRecord:
    """The first minutes of a record.

    Parameters
    ----------
    name : str
        As the command line takes it.
    annotator : str, optional
        Suffix of the annotation file; the reference's when not given.
    """

    name: str
    annotator: str | None = None


@dataclass(frozen=True, slots=True)
class FromCaptured:
    """The last minutes that a monitor has captured of the wearer."""


@dataclass(frozen=True, slots=True)
class FromLive:
    """The next minutes of good signal that a running monitor captures.

    Parameters
    ----------
    minutes : int
        How many.
    monitor : MonitorAddress
        Where it publishes.
    """

    minutes: int
    monitor: MonitorAddress


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """A request for one enrolment: wearer, signal source, method and options.

    Parameters
    ----------
    patient : str
        Id of the wearer whose model is made.
    source : FromRecord, FromCaptured or FromLive
        Where the signal comes from.
    labels : LabelSource, optional
        *review* or *assumed normal*. When not given, the record's annotations are the labels, and
        a signal without annotations is reviewed.
    afresh : bool
        Whether an unfinished review is set aside; else it is gone on with.
    generic : Path, optional
        Bundle to start from; the built-in generic model when not given.
    force : bool
        Whether the model is put into service whatever is against it.
    seed : int
        Of everything random.
    data : Path, optional
        Folder to look for records in first.
    """

    patient: str
    source: FromRecord | FromCaptured | FromLive
    labels: LabelSource | None = None
    afresh: bool = False
    generic: Path | None = None
    force: bool = False
    seed: int = 1
    data: Path | None = None
