"""What is kept of a partition, so that another monitor goes on with it."""

import uuid
import zlib
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec

from ecgmon.core.errors import StateError
from ecgmon.core.state import MAX_BYTES
from ecgmon.wire.fields import Index, StreamId

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(max_length=64)]


class WearerRecord(msgspec.Struct, frozen=True, array_like=True):
    """A wearer's state, and what is in it.

    Parameters
    ----------
    number : int
        Number, in the stream of samples, of the wearer's last portion that is in it.
    boot : str
        Since when the clock counts that gave ``saved``: which machine, and which of its starts.
    saved : float
        When it was saved, by the monotonic clock of that machine, in seconds.
    stream : str or None
        The stream of that portion.
    end : int
        Index after that portion's last sample.
    rate : float
        Samples of that stream in a second.
    state : bytes
        What `pack` returns of a state; empty for a wearer who is watched no more.
    """

    number: Index
    boot: Text
    saved: float
    stream: StreamId | None
    end: Index
    rate: Annotated[float, msgspec.Meta(ge=0, le=1000)]
    state: bytes

    def ahead_s(self, now: float, stream: str, end: int) -> float:
        """Return by how many seconds the clock here is ahead of the one that saved this.

        Clocks of two machines are not compared: the wearer's samples since then show the time.

        Parameters
        ----------
        now : float
            Monotonic time here, in seconds.
        stream, end : str, int
            The wearer's newest stream, and the index after its last sample.
        """
        if self.boot == BOOT:
            return 0.0
        since = max(end - self.end, 0) / self.rate if stream == self.stream and self.rate else 0.0
        return now - self.saved - since


class PartitionPosition(msgspec.Struct, frozen=True, array_like=True):
    """How far the states of a partition go.

    Parameters
    ----------
    samples : int
        Number of a portion: all up to it are in the states.
    results : int
        Number of a result that was told before all that follows from later portions.
    commands : int
        Number of the last command of a viewer that is in the states.
    """

    samples: Index = 0
    results: Index = 0
    commands: Index = 0


def pack(state: bytes) -> bytes:
    """Return a state in fewer bytes: a message of JetStream takes a million."""
    return zlib.compress(state, 1)


def unpack(packed: bytes) -> bytes:
    """Return the state of a record; raises `StateError` if it is none."""
    reading = zlib.decompressobj()
    try:
        state = reading.decompress(packed, MAX_BYTES)
    except zlib.error as error:
        raise StateError(f"A state of the fleet is damaged: {error}.") from error
    if not reading.eof:
        raise StateError(f"A state of the fleet is cut off, or longer than {MAX_BYTES} bytes.")
    return state


def encode(record: WearerRecord | PartitionPosition) -> bytes:
    """Return a record as bytes."""
    return _ENCODER.encode(record)


def wearer_record(data: bytes) -> WearerRecord:
    """Read a wearer's state; raises `StateError` if it is none."""
    return _decoded(_WEARER, data)


def position(data: bytes) -> PartitionPosition:
    """Read how far states go; raises `StateError` if it is not that."""
    return _decoded(_POSITION, data)


_ENCODER = msgspec.msgpack.Encoder()
_WEARER = msgspec.msgpack.Decoder(WearerRecord)
_POSITION = msgspec.msgpack.Decoder(PartitionPosition)


def _decoded(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    if len(data) > MAX_BYTES:
        raise StateError(f"A state of {len(data)} bytes is longer than {MAX_BYTES}.")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"A state of the fleet cannot be read: {str(error)[:300]}.") from error


def _boot() -> str:
    try:
        counted_since = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:  # another system: no other process is known to have the same clock
        counted_since = str(uuid.uuid4())
    return counted_since.strip()[:64]


BOOT: Final = _boot()
"""Which start of this machine the monotonic clock counts from."""
