"""Control messages, and the encoding of all messages as versioned JSON (docs/wire.md).

All messages can be read from here, those of `ecgmon.wire.published_messages`, too.
"""

from typing import Annotated, Final, TypeVar

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire.base_message import Message
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
from ecgmon.wire.published_messages import (
    MAX_SPIKES,
    Alarm,
    Beat,
    BeatWithdrawn,
    Closed,
    Event,
    Gap,
    Link,
    OfStream,
    Opened,
    Paused,
    Published,
    Swap,
    Trace,
    Window,
    subject,
    topic,
)

__all__ = [
    "MAX_BYTES",
    "MAX_PAST",
    "MAX_PAUSE_S",
    "MAX_SPIKES",
    "Ack",
    "Acknowledge",
    "Alarm",
    "Beat",
    "BeatWithdrawn",
    "Bye",
    "Closed",
    "Done",
    "Dropped",
    "Event",
    "FromDevice",
    "FromViewer",
    "Gap",
    "Heartbeat",
    "Hello",
    "History",
    "Link",
    "Message",
    "OfStream",
    "Opened",
    "Past",
    "Pause",
    "Paused",
    "Published",
    "Refused",
    "Subscribe",
    "Subscribed",
    "Swap",
    "ToDevice",
    "ToViewer",
    "Trace",
    "Welcome",
    "Window",
    "decode_from_device",
    "decode_from_viewer",
    "decode_to_device",
    "decode_to_viewer",
    "encode",
    "stream_id",
    "subject",
    "topic",
]

MAX_BYTES: Final = 65_536
"""Largest control or published message, in bytes; the longest real one is a trace of about 11 s."""

MAX_PAUSE_S: Final = 3600
"""Longest pause of a kind of alarms, in seconds."""
MAX_PAST: Final = 50
"""Most alarms in one answer about the past."""


class Hello(Message, frozen=True):
    """Device: it has a stream of this wearer; answered by `Welcome` or `Refused`.

    ``replay`` is true for a recording that is played faster or slower than it was made, and left
    out otherwise: the times of arrival of a replay do not show its sampling rate.
    """

    wearer: Wearer
    stream: StreamId
    rate: Annotated[float, msgspec.Meta(ge=100, le=1000)]
    leads: Annotated[list[Lead], msgspec.Meta(min_length=1, max_length=16)]
    replay: bool | msgspec.UnsetType = msgspec.UNSET


class Heartbeat(Message, frozen=True):
    """Device: it is alive and has no new samples."""

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
    """Monitor: every sample before ``next`` is on its disk, and the device may drop it.

    The monitor has received and judged every sample before ``seen``. A device need not send those
    again to this process of the monitor, but keeps them until ``next`` covers them. A monitor of
    version 0.1.0 leaves ``seen`` null.
    """

    stream: StreamId
    next: Index
    seen: Index | None = None


class Refused(Message, frozen=True):
    """Monitor: it does not accept a message, and why; a retry after ``retry_s`` may succeed."""

    reason: Text
    retry_s: float | None = None


class Subscribe(Message, frozen=True):
    """Viewer: it wants these topics from now on, and no others; repeated as a sign of life.

    ``session`` is that of the latest numbered message (`ecgmon.wire.numbering`), and ``lost`` is
    how many messages of that session did not arrive. With ``again`` the monitor sends a new
    snapshot.
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
    """Viewer: alarms of this kind make no sound for ``seconds``; 0 lets them sound again."""

    wearer: Wearer | None
    kind: Kind
    seconds: Annotated[int, msgspec.Meta(ge=0, le=MAX_PAUSE_S)]
    by: Person


class History(Message, frozen=True):
    """Viewer: it asks for the latest alarms before entry ``before``, of one wearer or of all."""

    wearer: Wearer | None
    before: Index | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAST)] = MAX_PAST


class Subscribed(Message, frozen=True):
    """Monitor: the subscription is in force, and its snapshot has been sent.

    With ``repeated`` it was in force before, and no snapshot was sent.
    """

    repeated: bool = False


class Done(Message, frozen=True):
    """Monitor: it has carried out `Acknowledge` or `Pause`."""


class Dropped(Message, frozen=True):
    """Monitor: ``count`` messages for this viewer were dropped, because it did not read them."""

    count: int


class Past(Message, frozen=True):
    """Monitor: past alarms and pauses, newest first; `History` with ``before`` asks for more."""

    entries: list[Alarm | Paused]
    before: Index | None


FromDevice = Hello | Heartbeat | Bye
ToDevice = Welcome | Ack | Refused
FromViewer = Subscribe | Acknowledge | Pause | History
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
