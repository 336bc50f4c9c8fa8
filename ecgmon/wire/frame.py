"""The sample frame: a fixed little-endian header, int16 samples and a CRC-32 (docs/wire.md)."""

import math
import struct
import zlib
from functools import lru_cache
from typing import Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import ProtocolError

MAGIC: Final = b"ECGF"
VERSION: Final = 1
MAX_SAMPLES: Final = 4096
"""Most samples in one frame: 11 s at 360 Hz, more than any radio burst should carry at once."""

# magic, version, flags, sample count, stream id, first-sample index, device time, rate, gain, lead
_HEADER: Final = struct.Struct("<4sBBHQQqIf8s")
_CRC: Final = struct.Struct("<I")
_RESIDUE: Final = 0x2144DF1C
"""CRC-32 of whatever ends with its own CRC-32."""
_SAMPLE: Final = np.dtype("<i2")
OVERHEAD: Final = _HEADER.size + _CRC.size
"""Bytes of a frame beside its samples."""
MAX_BYTES: Final = OVERHEAD + 2 * MAX_SAMPLES
MIN_GAIN: Final = 1e-3
"""Counts per millivolt. A coarser ADC shows no ECG, and its values could overflow float32."""
MAX_INDEX: Final = 2**60
"""At 360 Hz an index is up to 3.6 times as large, and still far inside 64 bits: no arithmetic with
indices can overflow."""


class Frame(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A frame: consecutive samples of one lead of one stream.

    Parameters
    ----------
    stream : int
        Stream id, chosen at random by the device when it starts counting samples, 64 bits.
    first : int
        Index of the first sample, counted from the start of the stream.
    device_time : int
        Device clock at the first sample, nanoseconds since the Unix epoch.
    rate_mhz : int
        Sampling rate in millihertz (360,000 for 360 Hz).
    gain : float
        Counts per millivolt; zero counts are zero millivolts.
    lead : str
        Name of the lead, at most 8 printable ASCII characters.
    samples : ndarray of int16, shape (count,)
        ADC counts; `NO_VALUE` where there was nothing to measure.
    """

    stream: int
    first: int
    device_time: int
    rate_mhz: int
    gain: float
    lead: str
    samples: NDArray[np.int16]

    @property
    def end(self) -> int:
        """Index of the sample that follows this frame."""
        return self.first + len(self.samples)

    def encode(self) -> bytes:
        """Return the frame as bytes.

        Raises
        ------
        ProtocolError
            If a field does not fit the format.
        """
        try:
            header = _HEADER.pack(
                MAGIC,
                VERSION,
                0,
                len(self.samples),
                self.stream,
                self.first,
                self.device_time,
                self.rate_mhz,
                self.gain,
                self.lead.encode("ascii"),
            )
        except (struct.error, OverflowError, UnicodeEncodeError) as error:
            raise ProtocolError(f"A frame field does not fit the wire format: {error}.") from error
        body = header + self.samples.astype(_SAMPLE).tobytes()
        frame = body + _CRC.pack(zlib.crc32(body))
        # What this side sends, the other side accepts, and reads as the same.
        if type(self).decode(frame).lead != self.lead:
            raise ProtocolError(f"The lead name {self.lead!r} does not fit the wire format.")
        return frame

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a frame from hostile bytes; time and memory are bounded by `MAX_BYTES`.

        Raises
        ------
        ProtocolError
            If the bytes are anything but exactly one valid frame.
        """
        if not OVERHEAD <= len(data) <= MAX_BYTES:
            raise ProtocolError(f"A frame cannot have {len(data)} bytes.")
        magic, version, flags, count, stream, first, device_time, rate, gain, lead = (
            _HEADER.unpack_from(data)
        )
        if magic != MAGIC:
            raise ProtocolError("The message is not a sample frame.")
        if version != VERSION or flags != 0:
            raise ProtocolError(f"Frame version {version} with flags {flags} is not known here.")
        if not 1 <= count <= MAX_SAMPLES or len(data) != OVERHEAD + 2 * count:
            raise ProtocolError(f"A frame of {count} samples cannot have {len(data)} bytes.")
        if zlib.crc32(data) != _RESIDUE:
            raise ProtocolError("The frame's CRC-32 is wrong.")
        if rate == 0 or not MIN_GAIN <= gain < math.inf or first + count > MAX_INDEX:
            raise ProtocolError("The frame's rate, gain or index is out of range.")
        samples = np.frombuffer(data, _SAMPLE, count, _HEADER.size)
        return cls(stream, first, device_time, rate, gain, _lead_name(lead), samples)


@lru_cache(maxsize=256)
def _lead_name(lead: bytes) -> str:
    """Return a lead's name from its bytes, filled up with zeros."""
    name = lead.rstrip(b"\0")
    if not all(0x20 < byte < 0x7F for byte in name):
        raise ProtocolError("The frame's lead name is not printable ASCII.")
    return name.decode("ascii")
