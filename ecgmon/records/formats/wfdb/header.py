"""WFDB header files: what a record's signals are and where their samples lie.

Read here because wfdb refuses headers of public databases for fields that no signal depends on,
and drops letters that are not ASCII, so that a file's name changes.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ecgmon.core.errors import RecordError
from ecgmon.records.record import Found

DEFAULT_RATE: Final = 250.0
"""Frames per second where a header states none (WFDB's DEFREQ)."""
DEFAULT_GAIN: Final = 200.0
"""Counts per unit where a header states none, or 0 (WFDB_DEFGAIN)."""
NULL: Final = "~"
"""Name of a segment, or a signal file, that holds nothing."""
NO_FORMAT: Final = "0"
"""Format of a signal that has no samples."""
MAX_BYTES: Final = 4_000_000
"""Largest header read: some 100,000 segments."""
_MAX_LINE: Final = 1000
_MAX_COUNT: Final = 2**31

_FLOAT: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# A name may hold blanks: it goes on until a field that can follow it.
_RECORD: Final = re.compile(r"(?P<name>\S.*?)\s+(?P<signals>\d+)(?:\s+(?P<rest>.*))?")
_SIGNAL: Final = re.compile(
    r"(?P<file>\S.*?)\s+(?P<format>\d+)(?P<how>(?:[x:+]-?\d+)*)(?:\s+(?P<rest>.*))?"
)
_RATE: Final = re.compile(rf"({_FLOAT})(?:[/(].*)?")
_GAIN: Final = re.compile(rf"({_FLOAT})?(?:\((?:([+-]?\d+)(?:\.\d*)?)?\))?(?:/(\S*))?")
_INTEGER: Final = re.compile(r"([+-]?\d+)(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class SignalEntry:
    """One signal of a record.

    Parameters
    ----------
    file : str
        Its signal file, relative to the header's folder; `NULL` where it has none.
    format : str
        How the file stores samples, such as ``212``.
    per_frame : int
        Samples in each frame: the signal's rate is the record's times this.
    skew : int
        Frames of the file that come before the record's first.
    offset : int
        Bytes in the file before the first frame (samples in FLAC files).
    gain : float
        Counts per unit, never 0.
    baseline : int
        Count of 0 units.
    unit : str
        As written; empty where the header states none, which means millivolts.
    initial : int
        First sample, from which format 8 goes on by differences.
    checksum : int or None
        Sum of all samples, of which the lower 16 bits count; 0 where none was computed, too.
    name : str
        Description, empty where there is none.
    """

    file: str
    format: str
    per_frame: int = 1
    skew: int = 0
    offset: int = 0
    gain: float = DEFAULT_GAIN
    baseline: int = 0
    unit: str = ""
    initial: int = 0
    checksum: int | None = None
    name: str = ""

    @property
    def has_samples(self) -> bool:
        """Whether a file holds it."""
        return self.format != NO_FORMAT


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A part of a record: the name of another record, or `NULL`, and its length in frames."""

    name: str
    length: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a header states.

    Parameters
    ----------
    rate : float
        Frames per second.
    length : int or None
        Frames; None where the header states none, or 0, which means the same.
    signals : tuple of SignalEntry
        Empty if there are segments.
    segments : tuple of SegmentEntry
        Empty for a record of one piece. A first one of length 0 is the layout: a header that
        names the signals of all segments, each of which may lack some.
    comments : tuple of str
        Without the leading ``#``.
    """

    rate: float
    length: int | None
    signals: tuple[SignalEntry, ...]
    segments: tuple[SegmentEntry, ...]
    comments: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes) -> "Header":
        """Read a header file.

        When a record began, the counter frequency and the block size are passed over, however
        they are written: no sample depends on them.

        Raises
        ------
        ValueError
            If it is no header.
        """
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        lines = [line.strip() for line in re.split(r"\r\n?|\n", text)]
        stated = [line for line in lines if line and not line.startswith("#")]
        if any(len(line) > _MAX_LINE for line in stated):
            raise ValueError("it has a line of more than 1,000 characters")
        match = _RECORD.fullmatch(stated[0]) if stated else None
        if match is None:
            raise ValueError("its first line names no record and number of signals")
        rate, length = _rate_and_length((match["rest"] or "").split())
        return cls(
            rate,
            length,
            *_parts(match["name"], int(match["signals"]), stated[1:]),
            tuple(line.strip(" \t#") for line in lines if line.startswith("#")),
        )


def read_header(found: Found) -> Header:
    """Read a record's header; raise `RecordError` if that cannot be done."""
    try:
        with open(f"{found.path}.hea", "rb") as file:  # noqa: PTH123 - a name may have dots
            data = file.read(MAX_BYTES)
        header = Header.parse(data)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RecordError(
            f"The header of {found.name} cannot be read ({why}): give the path of another, or "
            "mend it."
        ) from error
    if not header.signals and not header.segments:
        raise RecordError(f"{found.name} has no signals: choose another record.")
    return header


def _rate_and_length(fields: list[str]) -> tuple[float, int | None]:
    rate = DEFAULT_RATE
    if fields:
        match = _RATE.fullmatch(fields[0])
        rate = float(match[1]) if match else 0.0
        if not 0 < rate < math.inf:
            raise ValueError(f"{fields[0]} is no sampling rate")
    if len(fields) < 2 or not re.fullmatch(_FLOAT, fields[1]):  # a time follows at once
        return rate, None
    length = float(fields[1])
    if not 0 <= length < math.inf:
        raise ValueError(f"{fields[1]} is no number of samples")
    return rate, int(length) or None


def _parts(
    name: str, signals: int, lines: Sequence[str]
) -> tuple[tuple[SignalEntry, ...], tuple[SegmentEntry, ...]]:
    """Return the signals or the segments that follow the first line."""
    number = name.rpartition("/")[2] if "/" in name else ""
    number_of_segments = int(number) if number.isdecimal() else 0
    # The name may also be that of a folder and of a record in it, which may be a number.
    if number_of_segments and all(len(line.split()) == 2 for line in lines[:number_of_segments]):
        rows = _first(lines, number_of_segments, "segments")
        return (), tuple(_segment(row) for row in rows)
    return tuple(_signal(row) for row in _first(lines, signals, "signals")), ()


def _first(lines: Sequence[str], n: int, what: str) -> Sequence[str]:
    if len(lines) < n:
        raise ValueError(f"it announces {n} {what} and names {len(lines)}")
    return lines[:n]


def _segment(line: str) -> SegmentEntry:
    name, length = line.split()
    if not length.isdecimal():
        raise ValueError(f"{length} is no length of the segment {name}")
    return SegmentEntry(name, int(length))


def _signal(line: str) -> SignalEntry:
    match = _SIGNAL.fullmatch(line)
    if match is None:
        raise ValueError(f"the line {line[:40]!r} names no signal file and its format")
    how = {key: int(value) for key, value in re.findall(r"([x:+])(-?\d+)", match["how"])}
    gain, baseline, unit, numbers, name = _scale(match["rest"] or "")
    fields: list[int | None] = [*numbers, None, None, None, None, None]
    _resolution, zero, initial, checksum = fields[:4]
    zero = zero or 0
    baseline = zero if baseline is None else baseline
    initial = zero if initial is None else initial
    if max(abs(baseline), abs(initial)) > _MAX_COUNT:
        raise ValueError(f"the line {line[:40]!r} has counts of more than 32 bits")
    return SignalEntry(
        match["file"],
        match["format"],
        per_frame=max(how.get("x", 1), 1),
        skew=max(how.get(":", 0), 0),
        offset=max(how.get("+", 0), 0),
        gain=gain or DEFAULT_GAIN,
        baseline=baseline,
        unit=unit,
        initial=initial,
        checksum=checksum,
        name=name,
    )


def _scale(rest: str) -> tuple[float, int | None, str, list[int], str]:
    """Return gain, baseline, unit, up to five integers and the description."""
    first, after = _next(rest)
    gain, baseline, unit = 0.0, None, ""
    match = _GAIN.fullmatch(first)
    if match is None and re.match(r"[+-]?(\d|nan|inf)|.*[(/]", first, re.IGNORECASE):
        raise ValueError(f"{first} is no gain")
    if match is not None:
        gain = float(match[1] or 0)
        baseline = int(match[2]) if match[2] else None
        unit, rest = match[3] or "", after
        if not math.isfinite(gain):
            raise ValueError(f"{first} is no gain")
    numbers: list[int] = []
    while len(numbers) < 5:
        first, after = _next(rest)
        number = _INTEGER.fullmatch(first)
        if number is None:
            break
        numbers.append(int(number[1]))
        rest = after
    # A comment may stand in the place of fields that are left out.
    return gain, baseline, unit, numbers, "" if len(numbers) < 5 and rest[:1] == "#" else rest


def _next(text: str) -> tuple[str, str]:
    """Return the first field and what follows it."""
    first, *after = text.split(maxsplit=1) or [""]
    return first, after[0] if after else ""
