"""The layout of captured records on disk: WFDB records that grow while a monitor captures.

``FOLDER/<wearer>/<stream id>-<first sample index>.dat`` holds the samples (format 16: int16, little
endian, `NO_VALUE` where there is none), and a header of the same name with ``.hea`` says what they
are. The header names no length: the file's size does, so that a record is whole at any moment.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Self

import msgspec

from ecgmon.core.errors import RecordError
from ecgmon.wire.fields import WEARER, Index, Lead, StreamId, Wearer
from ecgmon.wire.frame import MIN_GAIN

SAMPLE_BYTES: Final = 2
MAX_HEADER: Final = 1024
"""Largest header read; no real one is longer."""
NAME: Final = re.compile(r"[0-9a-f]{16}-[0-9]{19}")
"""How records are called: an index has at most 19 digits."""
_ID: Final = re.compile(WEARER)


class CapturedHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a header says, in WFDB's own lines and whole in a comment.

    Parameters
    ----------
    wearer, stream : str
        Whose samples, and of which stream.
    first : int
        Index of the first sample in the stream.
    rate : float
        Samples per second.
    gain : float
        Counts per millivolt; zero counts are zero millivolts.
    lead : str
        Name of the lead; may be empty.
    began : datetime
        When the monitor began the record, UTC.
    """

    wearer: Wearer
    stream: StreamId
    first: Index
    rate: Annotated[float, msgspec.Meta(gt=0, le=4_294_967.295)]
    gain: Annotated[float, msgspec.Meta(ge=MIN_GAIN)]
    lead: Lead
    began: Annotated[datetime, msgspec.Meta(tz=True)]

    @property
    def name(self) -> str:
        """What the record's files are called, without suffix."""
        return f"{self.stream}-{self.first:019}"

    def encode(self) -> bytes:
        """Return the header file."""
        # The checksum counts only where the first line gives a length.
        lines = signal_lines(self.name, self.rate, self.gain, self.lead)
        return "\n".join([*lines, f"#{msgspec.json.encode(self).decode()}\n"]).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a header file; raises `ValueError` if it is not exactly what `encode` writes."""
        comment = data.rpartition(b"\n#")[2]
        header = msgspec.json.decode(comment, type=cls)
        if header.encode() != data:
            raise ValueError("its lines contradict each other")
        return header


def signal_lines(
    name: str, rate: float, gain: float, lead: str, initial: int = 0, checksum: int = 0
) -> list[str]:
    """Return the lines of a WFDB header for one signal in format 16, the first without a length."""
    lead = lead.replace("#", "_")  # begins a comment anywhere
    return [
        f"{name} 1 {rate:.10g}",
        f"{name}.dat 16 {gain!r}(0)/mV 16 0 {initial} {checksum} 0 {lead}",
    ]


def paths(folder: Path, wearer: str) -> list[Path]:
    """Return the records of a wearer that have both files, without suffixes, in no order.

    Raises
    ------
    RecordError
        If the id can be no wearer's.
    """
    headers = home(folder, wearer).glob("*.hea")
    named = (path.with_suffix("") for path in headers if NAME.fullmatch(path.stem))
    return [path for path in named if path.with_suffix(".dat").is_file()]


def home(folder: Path, wearer: str) -> Path:
    """Return where a wearer's records lie; raises `RecordError` if the id can be no wearer's."""
    if not _ID.fullmatch(wearer):
        raise RecordError(
            f"{wearer!r} cannot be a wearer's id: take up to 64 letters, digits, '.', '_' or '-', "
            "a letter or digit first."
        )
    return folder / wearer
