"""What a gateway publishes of a device: about a second of a wearer's samples, and the goodbye."""

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import Frame, messages
from ecgmon.wire.fields import Index

MAX_BYTES = 1_000_000
"""Bytes of the longest message that JetStream takes by default, and more than a portion has."""


class Portion(msgspec.Struct, frozen=True, array_like=True):
    """Samples of a stream in order: each portion says whose it is, so that any can be the first.

    Parameters
    ----------
    hello : Hello
        How the device has opened the stream.
    frames : list of bytes
        Encoded frames, in order; the first sample of each is at or after the end of the one before.
    end : int or None
        Index after the last sample of the stream, where the device said goodbye.
    heard : float
        When the gateway heard of the device last, by its wall clock, in seconds.
    """

    hello: messages.Hello
    frames: list[bytes] = []
    end: Index | None = None
    heard: float = 0.0

    def encode(self) -> bytes:
        """Return the portion as bytes."""
        return _ENCODER.encode(self)

    @property
    def first(self) -> int:
        """Index of its first sample, or of its end where it has none."""
        return Frame.decode(self.frames[0]).first if self.frames else self.end or 0

    @property
    def stop(self) -> int:
        """Index after its last sample, or its end where it has none."""
        return Frame.decode(self.frames[-1]).end if self.frames else self.end or 0

    @property
    def size(self) -> int:
        """Bytes of its frames."""
        return sum(map(len, self.frames))

    @property
    def id(self) -> str:
        """What it is called in JetStream, so that one that is published twice is stored once.

        An id counts for all subjects of a stream: the wearer is part of it. One without samples and
        end says that a stream has begun, and is another one than that of the first samples.
        """
        what = "-end" if self.end is not None else "" if self.frames else "-hello"
        return f"{self.hello.wearer}-{self.hello.stream}-{self.first}{what}"


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Portion)


def decode(data: bytes) -> Portion:
    """Read a portion; raises `ProtocolError` if it is none.

    The frames are decoded by who takes them.
    """
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"A portion has {len(data)} bytes, more than {MAX_BYTES}.")
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"A portion is not valid: {str(error)[:300]}.") from error
