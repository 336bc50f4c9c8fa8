"""Jobs that pass between the loop and the storage thread."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ecgmon.signal.rate_converter import first_output
from ecgmon.wire import messages
from monitor.storage.journal import URGENT
from monitor.storage.unwritten import Lost
from monitor.wearers.pieces import Piece
from monitor.wearers.stream import Stream


@dataclass(eq=False, slots=True)
class Batch:
    """One tick's data to write, and the messages that wait until it is written.

    Parameters
    ----------
    published : list of Published
        For the journal; what waits to be published is among them.
    pieces : list of (str, Piece)
        Whose samples, and which, for the capture.
    acks : dict of Stream to int
        Up to which sample each stream can be acknowledged once these are on disk.
    ends : list of Stream
        Those that end once all their samples are.
    answers : list of callable
        Called once it is published: each tells a viewer that its request is carried out.

    Attributes
    ----------
    urgent : list of Published
        Those of ``published`` that wait until they are on disk.
    queued : float
        When it was made, monotonic time in seconds.
    """

    published: list[messages.Published]
    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    acks: dict[Stream, int] = field(default_factory=dict)
    ends: list[Stream] = field(default_factory=list)
    answers: list[Callable[[], None]] = field(default_factory=list)
    urgent: list[messages.Published] = field(init=False)
    queued: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Find those that wait."""
        self.urgent = [message for message in self.published if type(message) in URGENT]


@dataclass(eq=False, slots=True)
class StoredSamples:
    """The samples of each stream that are on disk, or recorded as given up.

    Parameters
    ----------
    acks : dict of Stream to int
        Index of the first sample that is not, where that may have changed.
    ends : list of Stream
        Those whose last samples are.
    gaps : list of Gap
        What was given up: the journal has it by now.
    """

    acks: dict[Stream, int] = field(default_factory=dict)
    ends: list[Stream] = field(default_factory=list)
    gaps: list[messages.Gap] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.acks or self.gaps)


@dataclass(eq=False, slots=True)
class ReadRequest:
    """A request to read from disk, answered after all earlier writes.

    Parameters
    ----------
    look_up : callable
        Called in the disk's thread.
    wearer : str or None
        Whose samples it reads, if any.
    then : callable or None
        Called in the loop, when it is done.
    """

    look_up: Callable[[], Callable[[], None]]
    wearer: str | None = None
    then: Callable[[], None] | None = None
    queued: float = field(default_factory=time.monotonic)


def gap(lost: Lost) -> messages.Gap:
    """Return what is told of samples that were given up."""
    first = first_output(lost.first, lost.rate_mhz)
    return messages.Gap(
        wearer=lost.wearer,
        stream=messages.stream_id(lost.stream),
        first=first,
        count=first_output(lost.end, lost.rate_mhz) - first,
        judged=True,
    )
