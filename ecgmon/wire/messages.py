"""Control and published messages: typed, versioned JSON (docs/wire.md)."""

from typing import Annotated, Final, Literal, TypeVar

import msgspec

from ecgmon.errors import ProtocolError

VERSION: Final = 1
MAX_BYTES: Final = 65_536
"""Largest control or published message; the longest real one is a trace of about 11 s."""

WEARER: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
"""A wearer's id: safe as a file name and as a topic."""
Wearer = Annotated[str, msgspec.Meta(pattern=WEARER)]
Lead = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{0,8}\Z")]
"""Name of a lead, as in a frame: printable, for it is written to terminals."""
Person = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{0,64}\Z")]
"""Who did something: any script, but no control characters, for it is written to terminals."""
Text = Annotated[str, msgspec.Meta(max_length=500)]
Index = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
StreamId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
"""The frame's 64-bit stream id in hexadecimal: JSON numbers are not exact beyond 53 bits."""

SignalState = Literal["signal", "noisy", "absent"]
AlertState = Literal["raised", "acknowledged", "cleared"]
Priority = Literal["high", "medium", "low"]


class Message(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True, kw_only=True):
    """Base of all messages; ``v`` is the version of the protocol."""

    v: Literal[1] = VERSION


class Hello(Message, frozen=True):
    """Device: here is a stream of this wearer; answered by `Welcome` or `Refused`."""

    wearer: Wearer
    stream: StreamId
    rate: Annotated[float, msgspec.Meta(gt=0, le=100_000)]
    lead: Lead


class Heartbeat(Message, frozen=True):
    """Device: alive, with nothing new to send."""

    stream: StreamId


class Bye(Message, frozen=True):
    """Device: the stream ends before sample ``end``; answered by a last `Ack`."""

    stream: StreamId
    end: Index


class Welcome(Message, frozen=True):
    """Monitor: send from sample ``next``; results appear on ``publish``."""

    stream: StreamId
    next: Index
    publish: str


class Ack(Message, frozen=True):
    """Monitor: every sample before ``next`` is taken care of and need not be kept."""

    stream: StreamId
    next: Index


class Refused(Message, frozen=True):
    """Monitor: this message is not accepted, and why."""

    reason: Text


class Acknowledge(Message, frozen=True):
    """Viewer: a person has seen this alert of this stream."""

    wearer: Wearer
    stream: StreamId
    alert: int
    by: Person


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
    the signal is noisy or absent, or samples that the model needs never arrived. ``state`` is
    *absent* also where most of the second itself did not. ``heart_rate`` in beats per minute is
    null where it is not known.
    """

    wearer: Wearer
    stream: StreamId
    first: Index
    state: SignalState
    probability: float | None
    abnormal: bool | None
    heart_rate: float | None
    model: str


class Gap(Message, frozen=True):
    """Monitor: samples ``first`` to ``first + count - 1`` never arrived."""

    wearer: Wearer
    stream: StreamId
    first: Index
    count: Index


class Alert(Message, frozen=True):
    """Monitor: an alert changed its state at sample ``at`` of the stream."""

    wearer: Wearer
    stream: StreamId
    alert: int
    kind: str
    priority: Priority
    state: AlertState
    at: Index
    text: Text
    by: str | None = None


class Link(Message, frozen=True):
    """Monitor: how the wearer's stream is doing, about once a second.

    ``lag_s`` is how far the newest sample lies behind where the stream's own rate says it should
    be by now, from the fastest delivery seen so far.
    """

    wearer: Wearer
    stream: StreamId
    received: int
    missing: int
    repeated: int
    lag_s: float


ToMonitor = Hello | Heartbeat | Bye | Acknowledge
ToDevice = Welcome | Ack | Refused
Published = Opened | Swap | Closed | Trace | Window | Gap | Alert | Link

_T = TypeVar("_T")

_ENCODER: Final = msgspec.json.Encoder()
_TO_MONITOR: Final[msgspec.json.Decoder[ToMonitor]] = msgspec.json.Decoder(ToMonitor)
_TO_DEVICE: Final[msgspec.json.Decoder[ToDevice]] = msgspec.json.Decoder(ToDevice)
_PUBLISHED: Final[msgspec.json.Decoder[Published]] = msgspec.json.Decoder(Published)


def encode(message: Message) -> bytes:
    """Return the message as one line of JSON."""
    return _ENCODER.encode(message)


def topic(message: Published) -> bytes:
    """Return the topic under which a message is published: ``type/wearer``."""
    return f"{type(message).__name__.lower()}/{message.wearer}".encode()


def stream_id(number: int) -> str:
    """Return a frame's 64-bit stream id as the text used in messages."""
    return f"{number:016x}"


def decode_to_monitor(data: bytes) -> ToMonitor:
    """Read a control message sent to the monitor; raise `ProtocolError` on anything else."""
    return _decode(_TO_MONITOR, data)


def decode_to_device(data: bytes) -> ToDevice:
    """Read a control message sent to a device; raise `ProtocolError` on anything else."""
    return _decode(_TO_DEVICE, data)


def decode_published(data: bytes) -> Published:
    """Read a published message; raise `ProtocolError` on anything else."""
    return _decode(_PUBLISHED, data)


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"A message of {len(data)} bytes is too long.")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"The message is not valid: {error}.") from error
