"""Published beats as the journal keeps them: those of about a second in one row."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire.base_message import Message
from ecgmon.wire.fields import Index, StreamId, Wearer
from ecgmon.wire.messages import MAX_BYTES, ToViewer
from ecgmon.wire.published_messages import Beat

MAX_BEATS: Final = 64
"""Most beats of a row; a heart that beats 300 times a minute has so many in 13 s."""
_SHARE: Final = 1000

_Bounded = msgspec.Meta(max_length=MAX_BEATS)


class Beats(Message, frozen=True):
    """Journal: beats of a stream in the order of time, each field with one entry for each.

    ``p`` is the probability in thousandths; the others are those of `Beat`. It is not published.
    """

    wearer: Wearer
    stream: StreamId
    at: Annotated[list[Index], _Bounded]
    label: Annotated[str, msgspec.Meta(pattern=r"^[NSVFQ]{0,64}\Z")]
    p: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=_SHARE)]], _Bounded]
    rr: Annotated[list[Index | None], _Bounded]

    def __post_init__(self) -> None:
        """Raise ValueError where the fields have not the same number of entries."""
        if not len(self.at) == len(self.label) == len(self.p) == len(self.rr):
            raise ValueError("the fields of the beats differ in length")

    @classmethod
    def of(cls, beats: Sequence[Beat]) -> "Beats":
        """Pack beats, 1 to `MAX_BEATS` of one stream."""
        return cls(
            wearer=beats[0].wearer,
            stream=beats[0].stream,
            at=[beat.at for beat in beats],
            label="".join(beat.label for beat in beats),
            p=[round(beat.probability * _SHARE) for beat in beats],
            rr=[beat.rr for beat in beats],
        )

    def unpack(self) -> Iterator[Beat]:
        """Yield the beats; their probabilities are rounded to thousandths."""
        each = zip(self.at, self.label, self.p, self.rr, strict=True)
        for at, label, p, rr in each:
            fields = {"wearer": self.wearer, "stream": self.stream, "at": at, "label": label}
            yield msgspec.convert(fields | {"probability": p / _SHARE, "rr": rr}, Beat)


_ROW: Final[msgspec.json.Decoder[ToViewer | Beats]] = msgspec.json.Decoder(ToViewer | Beats)


def decode_row(data: bytes) -> ToViewer | Beats:
    """Read a row of the journal; raise `ProtocolError` on anything else."""
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"A message of {len(data)} bytes is too long.")
    try:
        return _ROW.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"The message is not valid: {str(error)[:300]}.") from error
