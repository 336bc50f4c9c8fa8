"""One lead of a record in counts from 0 mV, whether the record is of one piece or of segments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb import leads, signals
from ecgmon.records.formats.wfdb.header import NULL, Header, SignalEntry, read_header
from ecgmon.records.record import Found

MAX_SAMPLES: Final = 200_000_000
"""Longest record read: six days at 360 Hz, 400 MB."""


@dataclass(frozen=True, eq=False, slots=True)
class RecordPiece:
    """Samples of a lead.

    Parameters
    ----------
    lead : str
        Its name, as frames carry it.
    rate : float
        Samples per second.
    gain : float
        Counts per millivolt, above 0.
    counts : ndarray of int64, shape (n,)
        Zero is 0 mV.
    missing : ndarray of bool, shape (n,)
        Where nothing was measured.
    """

    lead: str
    rate: float
    gain: float
    counts: NDArray[np.int64]
    missing: NDArray[np.bool_]

    def first(self, n: int) -> Self:
        """Return its first n samples, or all if it has fewer."""
        return replace(self, counts=self.counts[:n], missing=self.missing[:n])


def single(found: Found, header: Header, lead: str | None) -> RecordPiece:
    """Read a lead of a record of one piece.

    Raises
    ------
    RecordError
        If it cannot be read, has no such lead, or does not match its checksum.
    """
    channel = leads.choose(found.name, header.signals, lead)
    return _piece(found, header, channel)


def joined(found: Found, header: Header, lead: str | None) -> RecordPiece:
    """Read a lead of a record of segments; it is missing where a segment lacks it.

    Raises
    ------
    RecordError
        If it cannot be read, or no segment has such a lead.
    """
    parts = [
        None if segment.name == NULL else read_header(_segment(found, segment.name))
        for segment in header.segments
    ]
    if any(part is not None and part.segments for part in parts):
        raise RecordError(f"{found.name} has segments within segments: give one of them.")
    stated = _stated([part.signals for part in parts if part is not None])
    if not stated:
        raise RecordError(f"{found.name} has no signals: choose another record.")
    chosen = leads.choose(found.name, stated, lead)
    ends = list(accumulate(segment.length for segment in header.segments))
    pieces: list[tuple[int, RecordPiece]] = []
    for segment, part, end in zip(header.segments, parts, ends, strict=True):
        if part is None or not segment.length:
            continue
        channel = _same(part.signals, stated[chosen].name, chosen)
        if channel is None or not part.signals[channel].has_samples:
            continue
        per_frame = part.signals[channel].per_frame
        _require_length(found, ends[-1] * per_frame)
        inside = _segment(found, segment.name)
        piece = _piece(inside, part, channel)
        if part.rate != header.rate or piece.rate != (pieces[0][1] if pieces else piece).rate:
            raise RecordError(
                f"The segments of {found.name} are not of one sampling rate: give one of them, "
                f"such as {inside.path}."
            )
        pieces.append(((end - segment.length) * per_frame, piece.first(segment.length * per_frame)))
    name = leads.names(stated)[chosen]
    if not pieces:
        raise RecordError(f"No segment of {found.name} holds lead {name}: choose another lead.")
    return _joined(name, pieces, ends[-1] * round(pieces[0][1].rate / header.rate))


def segments(found: Found, header: Header) -> list[Found]:
    """Return the records that a record consists of, each once; none for one of one piece."""
    names = dict.fromkeys(part.name for part in header.segments if part.name != NULL)
    return [_segment(found, name) for name in names]


def read_channel(found: Found, header: Header, channel: int) -> NDArray[np.int32]:
    """Read a signal as it is stored, and check it against the header, if that knows all samples.

    Raises
    ------
    RecordError
        If it cannot be read, or does not match its checksum.
    """
    signal, folder = header.signals[channel], found.path.parent
    try:
        # A header may leave the length to the file, as those of captured records do.
        n = header.length or signals.frames(folder, header.signals, channel)
        _require_length(found, n * signal.per_frame)
        stored = signals.read(folder, header.signals, channel, n)
    except (OSError, ValueError) as error:
        why = f"{signal.file}: {error.strerror}" if isinstance(error, OSError) else error
        raise RecordError(
            f"The signal of {found.name} cannot be read ({why}): copy or fetch it again."
        ) from error
    # Zero means that none was computed (all of the Challenge 2017, PTB's s0017lre): one sum of
    # 65,536 is zero by chance.
    known = header.length is not None and signal.checksum
    if known and (int(stored.sum(dtype=np.int64)) - known) % 65536:
        raise RecordError(
            f"The signal of {found.name} does not match the checksum in its header: copy or "
            "fetch it again."
        )
    return stored


def _stated(parts: Sequence[Sequence[SignalEntry]]) -> list[SignalEntry]:
    """Return the signals of all segments, in the order of the first ones to name them.

    In the layout, which is the first segment where there is one, none has samples of its own.
    """
    stated: list[SignalEntry] = []
    for part in parts:
        names = {signal.name for signal in stated}
        stated += [signal for signal in part if signal.name not in names]
    there = {signal.name for part in parts for signal in part if signal.has_samples}
    return [replace(each, format="") if each.name in there else each for each in stated]


def _joined(name: str, pieces: Sequence[tuple[int, RecordPiece]], n: int) -> RecordPiece:
    gain = max(piece.gain for _, piece in pieces)
    counts, missing = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.bool_)
    for start, piece in pieces:
        stop = start + len(piece.counts)
        same = piece.gain == gain
        counts[start:stop] = piece.counts if same else np.rint(piece.counts * (gain / piece.gain))
        missing[start:stop] = piece.missing
    return RecordPiece(name, pieces[0][1].rate, gain, counts, missing)


def _piece(found: Found, header: Header, channel: int) -> RecordPiece:
    signal = header.signals[channel]
    stored = read_channel(found, header, channel)
    missing = signals.missing(stored, signal.format)
    counts = stored.astype(np.int64) - signal.baseline
    if skew := min(signal.skew * signal.per_frame, len(counts)):
        filled = np.ones(skew, dtype=np.bool_)
        counts = np.concatenate([counts[skew:], np.zeros(skew, dtype=np.int64)])
        missing = np.concatenate([missing[skew:], filled])
    unit = leads.millivolts(signal.unit)
    if unit is None:
        raise RecordError(
            f"Lead {signal.name} of {found.name} is in {signal.unit}, not in volts: choose another."
        )
    gain = signal.gain / unit
    return RecordPiece(
        leads.names(header.signals)[channel],
        header.rate * signal.per_frame,
        abs(gain),
        counts if gain > 0 else -counts,
        missing,
    )


def _require_length(found: Found, n: int) -> None:
    if not 0 < n <= MAX_SAMPLES:
        raise RecordError(f"{found.name} has no samples that could be read: check its header.")


def _segment(found: Found, name: str) -> Found:
    path = found.path.parent / name
    return Found(f"{found.name}:{name}", found.wearer, path)


def _same(there: Sequence[SignalEntry], name: str, channel: int) -> int | None:
    """Return which signal of a segment has a name, in this place or another."""
    if channel < len(there) and there[channel].name == name:
        return channel
    known = [signal.name for signal in there]
    return known.index(name) if name in known else None
