"""Published beats as the journal keeps them: those of about a second in the row of its window."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire.base_message import Message
from ecgmon.wire.fields import Index, StreamId, Wearer
from ecgmon.wire.messages import MAX_BYTES, ToViewer
from ecgmon.wire.published_messages import Beat, Window

MAX_BEATS: Final = 64
"""Most beats of a row; a heart that beats 300 times a minute has so many in 13 s."""
_SHARE: Final = 1000

_Bounded = msgspec.Meta(max_length=MAX_BEATS)
_At = Annotated[list[Index], _Bounded]
_Labels = Annotated[str, msgspec.Meta(pattern=r"^[NSVFQ]{0,64}\Z")]
_Shares = Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=_SHARE)]], _Bounded]
_Intervals = Annotated[list[Index | None], _Bounded]


class BeatColumns(msgspec.Struct, frozen=True):
    """Beats of a stream in the order of time, each field with one entry for each.

    ``p`` is the probability in thousandths; the others are those of `Beat`.
    """

    at: _At
    label: _Labels
    p: _Shares
    rr: _Intervals

    def __post_init__(self) -> None:
        """Raise ValueError where the fields have not the same number of entries."""
        if not len(self.at) == len(self.label) == len(self.p) == len(self.rr):
            raise ValueError("the fields of the beats differ in length")

    @classmethod
    def of(cls, beats: Sequence[Beat]) -> "BeatColumns":
        """Pack beats, 1 to `MAX_BEATS` of one stream."""
        return cls(
            at=[beat.at for beat in beats],
            label="".join([beat.label for beat in beats]),
            p=[round(beat.probability * _SHARE) for beat in beats],
            rr=[beat.rr for beat in beats],
        )

    @property
    def next(self) -> int:
        """Index after the latest beat; 0 if there is none."""
        return self.at[-1] + 1 if self.at else 0

    def unpack(self, wearer: str, stream: str) -> Iterator[Beat]:
        """Yield the beats; their probabilities are rounded to thousandths."""
        for at, label, p, rr in zip(self.at, self.label, self.p, self.rr, strict=True):
            fields = {"wearer": wearer, "stream": stream, "at": at, "label": label}
            yield msgspec.convert(fields | {"probability": p / _SHARE, "rr": rr}, Beat)


class Beats(Message, frozen=True):
    """Journal: beats of a stream that were published when no window of it was."""

    wearer: Wearer
    stream: StreamId
    at: _At
    label: _Labels
    p: _Shares
    rr: _Intervals

    def __post_init__(self) -> None:
        """Raise ValueError where the fields have not the same number of entries."""
        _ = self.beats

    @property
    def beats(self) -> BeatColumns:
        """The same without the stream."""
        return BeatColumns(at=self.at, label=self.label, p=self.p, rr=self.rr)

    @classmethod
    def of(cls, beats: Sequence[Beat]) -> "Beats":
        """Pack beats, 1 to `MAX_BEATS` of one stream."""
        columns = msgspec.structs.asdict(BeatColumns.of(beats))
        return cls(wearer=beats[0].wearer, stream=beats[0].stream, **columns)


class JudgedSecond(Window, frozen=True, tag="window", kw_only=True):
    """Journal: a window, and beats of its stream that were published about when it was."""

    beats: BeatColumns


BeatRow = Beats | JudgedSecond
"""A row of the journal with beats, which is not published so."""

_ROW: Final[msgspec.json.Decoder[ToViewer | Beats]] = msgspec.json.Decoder(ToViewer | Beats)
_SECOND: Final[msgspec.json.Decoder[JudgedSecond]] = msgspec.json.Decoder(JudgedSecond)
_WINDOW: Final = b'{"type":"window",'
_BEATS: Final = b',"beats":{'
_END: Final = ',"v":1}'


def unpack(row: BeatRow) -> Iterator[Beat]:
    """Yield the beats of a row; their probabilities are rounded to thousandths."""
    return row.beats.unpack(row.wearer, row.stream)


def with_beats(window: str, beats: Sequence[Beat]) -> str:
    """Return the row of a `JudgedSecond`.

    Parameters
    ----------
    window : str
        The row of its window.
    beats : sequence of Beat
        1 to `MAX_BEATS` of its stream.
    """
    columns = msgspec.json.encode(BeatColumns.of(beats)).decode()
    return f'{window.removesuffix(_END)},"beats":{columns}{_END}'


def decode_row(data: bytes) -> ToViewer | BeatRow:
    """Read a row of the journal; raise `ProtocolError` on anything else."""
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"A message of {len(data)} bytes is too long.")
    has_beats = data.startswith(_WINDOW) and _BEATS in data
    try:
        return _SECOND.decode(data) if has_beats else _ROW.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"The message is not valid: {str(error)[:300]}.") from error
