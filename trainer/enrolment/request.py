"""The request for an enrolment: wearer, signal source and method; this module loads no torch."""

from dataclasses import dataclass
from pathlib import Path

from ecgmon.keys.address import MonitorAddress
from ecgmon.models.card import Input, LabelSource, ScoredSpan


class StoppedError(Exception):
    """The user has stopped an enrolment; the message names what stays unchanged."""


@dataclass(frozen=True, slots=True)
class FromRecord:
    """The first minutes of a record.

    Parameters
    ----------
    name : str
        Name or path of the record, as on the command line.
    annotator : str, optional
        Suffix of the annotation file; the reference's if not given.
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
        Minutes of good signal.
    monitor : MonitorAddress
        Publish endpoint of the monitor.
    """

    minutes: int
    monitor: MonitorAddress


@dataclass(frozen=True, slots=True)
class FromKept:
    """The signal of an enrolment, as its model's card names it, with the labels kept of it.

    Parameters
    ----------
    span : ScoredSpan
        Seconds of a record or stream.
    labels : LabelSource
        Where the labels came from.
    annotator : str, optional
        Suffix of the annotation file, where they are annotations; the reference's if not given.
    """

    span: ScoredSpan
    labels: LabelSource
    annotator: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """A request for one enrolment: wearer, signal source, method and options.

    Parameters
    ----------
    patient : str
        Id of the wearer whose model is made.
    source : FromRecord, FromCaptured, FromLive or FromKept
        Source of the signal.
    kind : Input
        What the model judges: windows, or single beats.
    labels : LabelSource, optional
        *review* or *assumed normal*. If not given, the record's annotations are the labels, and a
        signal without annotations is reviewed. `FromKept` says itself what its labels are.
    afresh : bool
        Whether an unfinished review is set aside; otherwise it is continued.
    generic : Path, optional
        Bundle to start from; the built-in generic model if not given.
    force : bool
        Whether the model is put into service in spite of objections.
    seed : int
        Seed of all random numbers.
    data : Path, optional
        Folder that is searched for records first.
    """

    patient: str
    source: FromRecord | FromCaptured | FromLive | FromKept
    kind: Input = "window"
    labels: LabelSource | None = None
    afresh: bool = False
    generic: Path | None = None
    force: bool = False
    seed: int = 1
    data: Path | None = None
