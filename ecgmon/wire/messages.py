"""Control and published messages: typed, versioned JSON (docs/wire.md)."""

from typing import Annotated, Final, Literal, TypeVar

import msgspec

from ecgmon.core.alarm_kinds import AlarmState, Category, Priority
from ecgmon.core.errors import ProtocolError
from ecgmon.core.signal_states import SignalState
from ecgmon.wire.fields import (
    DeviceIndex,
    Index,
    Kind,
    Lead,
    Number,
    Person,
    Session,
    StreamId,
    Text,
    Topic,
    Wearer,
)

VERSION: Final = 1
MAX_BYTES: Final = 65_536
"""Largest control or published message; the longest real one is a trace of about 11 s."""

MAX_PAUSE_S: Final = 3600
MAX_SPIKES: Final = 16
"""Most spikes of a second; two-chamber pacing of 240 a minute makes eight."""
MAX_PAST: Final = 50
"""Most alarms in one answer about the past."""


class Message(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True, kw_only=True):
    """Base of all messages; ``v`` is the version of the protocol."""

    v: Literal[1] = VERSION


class Hello(Message, frozen=True):
    """Device: here is a stream of this wearer; answered by `Welcome` or `Refused`.

    ``replay`` is true, else left out: it is a recording that is played faster or slower than it was
    taken, so that the times of arrival say nothing of its rate.
    """

    wearer: Wearer
    stream: StreamId
    rate: Annotated[float, msgspec.Meta(ge=100, le=1000)]
    leads: Annotated[list[Lead], msgspec.Meta(min_length=1, max_length=16)]
    replay: bool | msgspec.UnsetType = msgspec.UNSET


class Heartbeat(Message, frozen=True):
    """Device: alive, with nothing new to send."""

    stream: StreamId


class Bye(Message, frozen=True):
    """Device: the stream ends before sample ``end``; answered by a last `Ack`."""

    stream: StreamId
    end: DeviceIndex


class Welcome(Message, frozen=True):
    """Monitor: send lead ``lead`` from sample ``next``; results appear on ``publish``.

    Every sample before ``next`` is on the monitor's disk, as in `Ack`.
    """

    stream: StreamId
    next: Index
    lead: Lead
    publish: str


class Ack(Message, frozen=True):
    """Monitor: every sample before ``next`` is on its disk and need not be kept.

    Those before ``seen`` it has received and judged; they need not be sent again to this monitor as
    long as it lives, but are to be kept until ``next`` covers them. Null from one of version 0.1.0.
    """

    stream: StreamId
    next: Index
    seen: Index | None = None


class Refused(Message, frozen=True):
    """Monitor: this message is not accepted, and why; perhaps it will be in ``retry_s``."""

    reason: Text
    retry_s: float | None = None


class Subscribe(Message, frozen=True):
    """Viewer: send me these from now on, and nothing else; repeated as a sign of life.

    ``session`` is that of the latest numbered message (`ecgmon.wire.numbering`), ``lost`` how many
    of its messages have not come. With ``again`` the monitor says anew how things stand.
    """

    topics: Annotated[list[Topic], msgspec.Meta(max_length=64)]
    session: Session | None = None
    lost: Index = 0
    again: bool = False


class Acknowledge(Message, frozen=True):
    """Viewer: a person has seen this alarm of a wearer, or of the monitor itself."""

    wearer: Wearer | None
    alarm: Number
    by: Person


class Pause(Message, frozen=True):
    """Viewer: let alarms of this kind be silent for so long; 0 lets them sound again."""

    wearer: Wearer | None
    kind: Kind
    seconds: Annotated[int, msgspec.Meta(ge=0, le=MAX_PAUSE_S)]
    by: Person


class History(Message, frozen=True):
    """Viewer: tell the latest alarms, of a wearer or of all; those before entry ``before``."""

    wearer: Wearer | None
    before: Index | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAST)] = MAX_PAST


class Subscribed(Message, frozen=True):
    """Monitor: the subscription is in force, and what it begins with has been sent.

    With ``repeated`` it was in force already, and nothing was sent again.
    """

    repeated: bool = False


class Done(Message, frozen=True):
    """Monitor: it was acknowledged, or paused."""


class Dropped(Message, frozen=True):
    """Monitor: so many messages were dropped for this viewer, which did not read."""

    count: int


class Opened(Message, frozen=True):
    """Monitor: a wearer's stream has begun, and this is the model that judges it."""

    wearer: Wearer
    stream: StreamId
    lead: Lead
    rate: float
    model: str
    threshold: float
    look_ahead_s: float


class Swap(Message, frozen=True):
    """Monitor: from sample ``first`` on another model judges the wearer.

    Where ``refused`` says why a model newly put into service cannot, ``model`` and ``threshold``
    are those of the one that goes on.
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
    """Monitor: what it says of the second that starts at sample ``first``.

    ``probability`` (of *abnormal*) and ``abnormal`` are null where the second was not classified:
    ``reason`` then says why in a word. ``state`` is *absent* also where most of the second itself
    did not arrive. ``heart_rate`` in beats per minute is null where it is not known, and where the
    second is noisy. ``spikes`` are the samples at which a pacemaker's spikes were found in it.
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


class Gap(Message, frozen=True):
    """Monitor: samples ``first`` to ``first + count - 1`` never arrived.

    Where they were ``judged`` they did arrive, but could not be kept: the gap is in the record.
    """

    wearer: Wearer
    stream: StreamId
    first: Index
    count: Index
    judged: bool = False


class Alarm(Message, frozen=True):
    """Monitor: an alarm changed its state, at sample ``at`` of the stream where that is known.

    Without a wearer it is the monitor's own. ``alarm`` numbers the alarms of a wearer, over all
    streams and restarts. ``time`` is in seconds since the Unix epoch.
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


class Paused(Message, frozen=True):
    """Monitor: alarms of this kind do not sound until then; without ``until``, they do again."""

    wearer: Wearer | None
    kind: Kind
    until: float | None
    time: float
    by: Person | None = None


class Event(Message, frozen=True):
    """Monitor: something happened to a connection; ``who`` is the name of its key, if any."""

    wearer: Wearer | None
    stream: StreamId | None
    event: Kind
    text: Text
    time: float
    who: Person | None = None


class Past(Message, frozen=True):
    """Monitor: alarms and pauses of the past, newest first; ``before`` asks for those before."""

    entries: list[Alarm | Paused]
    before: Index | None


class Link(Message, frozen=True):
    """Monitor: how the wearer's stream is doing, about once a second.

    ``lag_s`` is how far the newest sample lies behind where the stream's own rate says it should
    be by now. ``drift_ppm`` is by how much the device's clock is fast, null while not known.
    """

    wearer: Wearer
    stream: StreamId
    received: int
    missing: int
    repeated: int
    lag_s: float
    drift_ppm: float | None = None


FromDevice = Hello | Heartbeat | Bye
ToDevice = Welcome | Ack | Refused
FromViewer = Subscribe | Acknowledge | Pause | History
OfStream = Opened | Swap | Closed | Trace | Window | Gap | Link
"""What is said of a stream."""
Published = OfStream | Alarm | Paused | Event
ToViewer = Published | Subscribed | Done | Refused | Past | Dropped

_T = TypeVar("_T")

_ENCODER: Final = msgspec.json.Encoder()
_FROM_DEVICE: Final[msgspec.json.Decoder[FromDevice]] = msgspec.json.Decoder(FromDevice)
_TO_DEVICE: Final[msgspec.json.Decoder[ToDevice]] = msgspec.json.Decoder(ToDevice)
_FROM_VIEWER: Final[msgspec.json.Decoder[FromViewer]] = msgspec.json.Decoder(FromViewer)
_TO_VIEWER: Final[msgspec.json.Decoder[ToViewer]] = msgspec.json.Decoder(ToViewer)


def encode(message: Message) -> bytes:
    """Return the message as one line of JSON."""
    return _ENCODER.encode(message)


def topic(message: Published) -> str:
    """Return the topic of a message: ``type/wearer``."""
    return f"{type(message).__name__.lower()}/{message.wearer or ''}"


def stream_id(number: int) -> str:
    """Return a frame's 64-bit stream id as the text used in messages."""
    return f"{number:016x}"


def decode_from_device(data: bytes) -> FromDevice:
    """Read a control message of a device; raise `ProtocolError` on anything else."""
    return _decode(_FROM_DEVICE, data)


def decode_to_device(data: bytes) -> ToDevice:
    """Read a control message sent to a device; raise `ProtocolError` on anything else."""
    return _decode(_TO_DEVICE, data)


def decode_from_viewer(data: bytes) -> FromViewer:
    """Read a viewer's message; raise `ProtocolError` on anything else."""
    return _decode(_FROM_VIEWER, data)


def decode_to_viewer(data: bytes) -> ToViewer:
    """Read a message sent to a viewer; raise `ProtocolError` on anything else."""
    return _decode(_TO_VIEWER, data)


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"A message of {len(data)} bytes is too long.")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Shortened, for it may quote the message and is logged and sent back.
        raise ProtocolError(f"The message is not valid: {str(error)[:300]}.") from error
