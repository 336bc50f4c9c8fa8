"""Reading WFDB records: one lead and its annotations."""

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb import segments as pieces
from ecgmon.records.formats.wfdb.annotations import LoadedAnnotations, load, symbol
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.formats.wfdb.segments import RecordPiece
from ecgmon.records.record import Found, Record
from ecgmon.wire.frame import MIN_GAIN

MAX_COUNT: Final = 32767
"""Largest ADC count; `NO_VALUE` lies just below the smallest."""
REFERENCE: Final = "atr"
"""Annotator of the reference annotations."""
_ANNOTATOR: Final = re.compile(r"[A-Za-z0-9_-]{1,30}")
_HINTS: Final = 5
"""Most other annotators named."""
_HINT_BYTES: Final = 1_000_000
"""Largest file that is looked into for a hint: four days of beats."""


def read(
    found: Found, *, lead: str | None = None, annotator: str | None = None, lenient: bool = False
) -> Record:
    """Read one lead of a record with its annotations, if there are any.

    Parameters
    ----------
    found : Found
        Where it is.
    lead : str, optional
        As `leads.choose` takes it: a name, or a number counted from 1; lead II when not given (by
        its name: 114 of MIT-BIH has it second), the first ECG where there is no lead II.
    annotator : str, optional
        Whose annotations: the suffix of their file. The reference's, ``atr``, when not given.
    lenient : bool
        Whether damaged annotations are left out, with a notice, and the signal read all the same.

    Returns
    -------
    Record
        At the lead's own rate: the header's frames per second times its samples in each.

    Raises
    ------
    RecordError
        If it cannot be read, has no such lead or annotator, or does not match its header's
        checksum.
    """
    header = read_header(found)
    read_lead = pieces.joined if header.segments else pieces.single
    piece = read_lead(found, header, lead)
    counts, gain = _in_16_bits(piece)
    if gain < MIN_GAIN:
        raise RecordError(
            f"{found.name} has a sampling rate or gain that cannot be: check its header."
        )
    annotations, notice = _annotations(found, annotator, header.rate, piece, lenient=lenient)
    return Record(
        name=found.name,
        wearer=found.wearer,
        rate=piece.rate,
        gain=gain,
        lead=piece.lead[:8],
        samples=counts,
        annotations=annotations,
        notice=notice,
    )


def verify(found: Found) -> None:
    """Check every signal of a record against its header's checksums; raise `RecordError`."""
    for part in (found, *pieces.segments(found, read_header(found))):
        header = read_header(part)
        for channel, signal in enumerate(header.signals):
            if signal.has_samples:
                pieces.read_channel(part, header, channel)


def annotation_file(path: Path, annotator: str) -> Path:
    """Return the annotation file of a record; raises `RecordError` for what names no annotator."""
    suffix = annotator.removeprefix(".")
    if not _ANNOTATOR.fullmatch(suffix):
        raise RecordError(
            f"{annotator!r} is no annotator: give the suffix of its files, such as atr or ecg."
        )
    return path.with_name(f"{path.name}.{suffix}")


def _in_16_bits(piece: RecordPiece) -> tuple[NDArray[np.int16], float]:
    """Return counts and their gain: coarser ones where those from 0 mV need more than 16 bits."""
    peak = int(np.max(np.abs(piece.counts), where=~piece.missing, initial=0))
    counts, gain = piece.counts, piece.gain
    if peak > MAX_COUNT:
        counts = np.rint(counts * (MAX_COUNT / peak))
        gain *= MAX_COUNT / peak
    return np.where(piece.missing, NO_VALUE, counts).astype(np.int16), gain


def _annotations(
    found: Found, annotator: str | None, frame_rate: float, piece: RecordPiece, *, lenient: bool
) -> tuple[Annotations | None, str]:
    """Read annotations, but for those outside the signal: they are of another one."""
    path = annotation_file(found.path, REFERENCE if annotator is None else annotator)
    if not path.is_file():
        return None, _absent(found, path.name, required=annotator is not None)
    try:
        loaded = load(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it {error}"
        sentence = (
            f"The annotations of {found.name} cannot be read ({why}): copy or fetch {path.name} "
            "again."
        )
        if lenient:
            return None, sentence
        raise RecordError(sentence) from error
    notice = (
        ""
        if loaded.ended
        else f"{path.name} of {found.name} has no end mark, so annotations may be lost: those that "
        "are there are used."
    )
    return _placed(loaded, frame_rate, piece), notice


def _absent(found: Found, file: str, *, required: bool) -> str:
    """Return the hint that other annotators' files lie beside a record, if there are some.

    Raises
    ------
    RecordError
        If the missing file is required.
    """
    others = _annotators(found)
    if required:
        instead = f"choose {', '.join(others)}" if others else "there are none beside it"
        raise RecordError(f"{found.name} has no annotations {file}: {instead}.")
    if not others:
        return ""
    return (
        f"{found.name} has no annotations {file}. Beside it lie those of {', '.join(others)}: "
        f"choose them with --annotator {others[0]}."
    )


def _placed(loaded: LoadedAnnotations, frame_rate: float, piece: RecordPiece) -> Annotations:
    """Put annotations to the signal's own samples: their times are in frames or as they state."""
    factor = piece.rate / (loaded.rate or frame_rate)
    at = [int(mark.sample * factor + 0.5) if mark.sample >= 0 else -1 for mark in loaded.marks]
    inside = [i for i, sample in enumerate(at) if 0 <= sample < len(piece.counts)]
    return Annotations(
        np.array([at[i] for i in inside], dtype=np.int64),
        tuple(symbol(loaded.marks[i]) for i in inside),
        tuple(loaded.marks[i].note.strip("\0 ") for i in inside),
    )


def _annotators(found: Found) -> list[str]:
    """Return the suffixes of the annotation files that lie beside a record."""
    names = []
    for path in sorted(found.path.parent.glob(f"{_literal(found.path.name)}.*")):
        suffix = path.name.removeprefix(f"{found.path.name}.")
        if not _ANNOTATOR.fullmatch(suffix) or suffix in ("hea", "dat", "mat", "xyz"):
            continue
        try:
            usable = path.is_file() and path.stat().st_size <= _HINT_BYTES
            if usable and load(path).marks:
                names.append(suffix)
        except (OSError, ValueError):
            continue
    return names[:_HINTS]


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
