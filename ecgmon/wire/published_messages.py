"""What the monitor publishes of wearers, streams and alarms (docs/wire.md)."""

from functools import cache
from typing import Annotated, Final

import msgspec

from ecgmon.core.alarm_kinds import AlarmState, Category, Priority
from ecgmon.core.labels import BeatClass
from ecgmon.core.signal_states import SignalState
from ecgmon.wire.base_message import Message
from ecgmon.wire.fields import Index, Kind, Lead, Number, Person, StreamId, Text, Wearer

MAX_SPIKES: Final = 16
"""Most spikes of a second; two-chamber pacing of 240 a minute makes eight."""


class Opened(Message, frozen=True):
    """Monitor: a wearer's stream has begun, and ``model`` judges it."""

    wearer: Wearer
    stream: StreamId
    lead: Lead
    rate: float
    model: str
    threshold: float
    look_ahead_s: float


class Swap(Message, frozen=True):
    """Monitor: from sample ``first`` on another model judges the wearer.

    Where the model newly put into service cannot judge, ``refused`` says why, and ``model`` and
    ``threshold`` are those of the model that goes on.
    """

    wearer: Wearer
    stream: StreamId
    first: Index
    model: str
    threshold: float
    refused: Text | None = None


class Closed(Message, frozen=True):
    """Monitor: a wearer's stream has ended before sample ``end``."""

    wearer: Wearer
    stream: StreamId
    end: Index


class Trace(Message, frozen=True):
    """Monitor: filtered signal for drawing, little-endian int16 microvolts at 360 Hz."""

    wearer: Wearer
    stream: StreamId
    first: Index
    samples: bytes


class Window(Message, frozen=True):
    """Monitor: its verdict on the second that starts at sample ``first``.

    ``probability`` (of *abnormal*) and ``abnormal`` are null where the second was not classified:
    ``reason`` then says why in a word. ``state`` is *absent*, too, where most of the second's
    samples did not arrive. ``heart_rate`` in beats per minute is null where it is not known, and
    where the second is noisy. ``spikes`` are the samples of the second with a pacing spike.
    ``lead`` is the lead that was judged where it is not that of `Opened`.
    """

    wearer: Wearer
    stream: StreamId
    first: Index
    state: SignalState
    probability: float | None
    abnormal: bool | None
    heart_rate: float | None
    model: str
    reason: Kind | None = None
    spikes: Annotated[list[Index], msgspec.Meta(max_length=MAX_SPIKES)] = msgspec.field(
        default_factory=list
    )
    lead: Lead | msgspec.UnsetType = msgspec.UNSET


class Beat(Message, frozen=True):
    """Monitor: a beat was detected, its R peak at sample ``at``, and the beat model calls it so.

    ``probability`` is that of ``label``. ``rr`` are the samples since the beat before; null where
    that is not known. At most a `BeatWithdrawn` follows about the same beat.
    """

    wearer: Wearer
    stream: StreamId
    at: Index
    label: BeatClass
    probability: float
    rr: Index | None = None


class BeatWithdrawn(Message, frozen=True, tag="beat-withdrawn"):
    """Monitor: the beat at sample ``at`` was none: its second turned out to be no signal."""

    wearer: Wearer
    stream: StreamId
    at: Index


class Gap(Message, frozen=True):
    """Monitor: samples ``first`` to ``first + count - 1`` never arrived.

    With ``judged`` they did arrive, but could not be written: the gap is in the record only.
    """

    wearer: Wearer
    stream: StreamId
    first: Index
    count: Index
    judged: bool = False


class Alarm(Message, frozen=True):
    """Monitor: an alarm changed its state, at sample ``at`` of the stream where that is known.

    Without a wearer it is the monitor's own. ``alarm`` numbers the alarms of a wearer, over all
    streams and restarts; one that is not of high priority and comes again soon keeps its number.
    ``time`` is in seconds since the Unix epoch, ``count`` how many times its condition has begun.
    """

    wearer: Wearer | None
    stream: StreamId | None
    alarm: Number
    kind: Kind
    priority: Priority
    category: Category
    state: AlarmState
    at: Index | None
    time: float
    text: Text
    by: Person | None = None
    count: Number = 1

    @property
    def told(self) -> str:
        """The text, and how many times its condition has begun where that was more than once."""
        return f"{self.text} ({self.count} times)" if self.count > 1 else self.text


class Paused(Message, frozen=True):
    """Monitor: alarms of this kind make no sound until ``until``; with null they sound again."""

    wearer: Wearer | None
    kind: Kind
    until: float | None
    time: float
    by: Person | None = None


class Event(Message, frozen=True):
    """Monitor: an event of a connection; ``who`` is the name of its key, if any."""

    wearer: Wearer | None
    stream: StreamId | None
    event: Kind
    text: Text
    time: float
    who: Person | None = None


class Link(Message, frozen=True):
    """Monitor: how the wearer's stream is doing, about once a second.

    ``lag_s`` is how late the newest sample is by the stream's own rate, in seconds. ``drift_ppm``
    is by how much the device's clock is fast, in parts per million; null while it is not known.
    ``likeness`` is how like that of the enrolment the usual beat was in the last minute that showed
    one, 1 for the same; null where the wearer's model knows none.
    """

    wearer: Wearer
    stream: StreamId
    received: int
    missing: int
    repeated: int
    lag_s: float
    drift_ppm: float | None = None
    likeness: float | None = None


OfStream = Opened | Swap | Closed | Trace | Window | Beat | BeatWithdrawn | Gap | Link
"""The messages about a stream."""
Published = OfStream | Alarm | Paused | Event


@cache
def subject(kind: type[Published]) -> str:
    """Return the first part of a message's topic: its type, and of `BeatWithdrawn` the beat's."""
    return str((Beat if kind is BeatWithdrawn else kind).__struct_config__.tag)


def topic(message: Published) -> str:
    """Return the topic of a message: ``type/wearer``."""
    return f"{subject(type(message))}/{message.wearer or ''}"
