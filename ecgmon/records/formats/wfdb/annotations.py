"""The bytes of a WFDB annotation file (the MIT format).

Read here because a file may be damaged or foreign, on which wfdb can loop for ever.
"""

import re
import struct
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

MAX_BYTES: Final = 8_000_000
"""Largest file read."""
MAX_RATE: Final = 1_000_000
"""Finest time resolution of a file, per second."""

_SKIP: Final = 59
_SUBTYPE: Final = 61
_NUMBER_AND_CHANNEL: Final = (60, 62)
_NOTE: Final = 63
_SPECIAL: Final = range(50, 64)
"""Codes that mark nothing themselves."""
_FAR: Final = 1023
"""Longest interval that fits into the word of an annotation."""
_END: Final = b"\0\0"
_SYMBOLS: Final = ' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'
"""WFDB's symbol of each code."""
_ABOUT_THE_FILE: Final = "## "
"""How notes begin that say something of the file: its time resolution, its own symbols."""
_RESOLUTION: Final = "## time resolution:"
_NUMBER: Final = re.compile(r"[\0 ]*(\d+\.?\d*(?:[eE][+-]?\d+)?)")
_TEXT: Final = re.compile(rb"[\t\r\n -~]{8,}")
_AHA: Final = re.compile(rb"(?:\0[NVFEPQRUO\[\]].{14}){2,8}", re.DOTALL)
"""Two to eight annotations of 16 bytes each: a zero and the code as a letter first."""


class Annotation(NamedTuple):
    """One annotation: sample index, WFDB code and subtype, and a note, or none."""

    sample: int
    code: int
    subtype: int = 0
    note: str = ""


def encode(annotations: Iterable[Annotation]) -> bytes:
    """Return the file of some annotations, which are in the order of time."""
    data, now = bytearray(), 0
    for one in annotations:
        interval, now = one.sample - now, one.sample
        if interval > _FAR:
            data += _word(_SKIP, 0) + struct.pack("<HH", interval >> 16, interval & 0xFFFF)
            interval = 0
        data += _word(one.code, interval)
        if one.subtype:
            data += _word(_SUBTYPE, one.subtype & 0xFF)
        if one.note:
            note = one.note.encode("ascii")
            data += _word(_NOTE, len(note)) + note + b"\0" * (len(note) % 2)
    return bytes(data) + _END


def decode(data: bytes) -> list[Annotation]:
    """Return the annotations of a whole file that is written to the letter.

    Raises
    ------
    ValueError
        If it is not.
    """
    found, rest = _scan(data)
    if rest is None:
        raise ValueError("has no end")
    if any(rest):  # some writers fill a block with zeros
        raise ValueError("goes on after its end")
    if any(after.sample < before.sample for before, after in pairwise(found)):
        raise ValueError("goes back in time")
    return found


class LoadedAnnotations(NamedTuple):
    """The annotations of a file.

    Parameters
    ----------
    marks : list of Annotation
        In the order of time, without the notes that say something of the file itself.
    rate : float or None
        How many of its samples are a second, if it says so.
    ended : bool
        Whether it has its end mark; a file without one may have lost what came later.
    """

    marks: list[Annotation]
    rate: float | None
    ended: bool


def load(path: Path) -> LoadedAnnotations:
    """Read a file that any program may have written.

    Annotations need not be in the order of time, the end mark may be missing, and what follows it
    is passed over: other WFDB programs read such files as well.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is damaged, or no annotation file of the MIT format.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) < len(_END):
        raise ValueError("is empty")
    if len(data) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES:,} bytes")
    if _TEXT.fullmatch(data):
        raise ValueError("is text: make an annotation file of it with WFDB's wrann")
    if _AHA.match(data):
        raise ValueError("is in the AHA's format: convert it with WFDB's rdann and wrann")
    found, rest = _scan(data)
    notes = [one.note for one in found if one.note.startswith(_RESOLUTION)]
    rate = _rate(notes[0].removeprefix(_RESOLUTION)) if notes else None
    marks = [one for one in found if not one.note.startswith(_ABOUT_THE_FILE)]
    return LoadedAnnotations(sorted(marks, key=lambda one: one.sample), rate, rest is not None)


def _scan(data: bytes) -> tuple[list[Annotation], bytes | None]:
    """Return the annotations as they stand in a file, and what follows its end, if it has one."""
    found: list[Annotation] = []
    at, now = 0, 0
    while at + 2 <= len(data):
        (word,) = struct.unpack_from("<H", data, at)
        at += 2
        code, value = word >> 10, word & 0x3FF
        if word == 0:
            return found, data[at:]
        if code == _SKIP:
            if at + 4 > len(data):
                raise ValueError("is cut off")
            high, low = struct.unpack_from("<hH", data, at)
            now += (high << 16) + low
            at += 4
        elif code == _SUBTYPE:
            if found:
                found[-1] = found[-1]._replace(subtype=((value & 0xFF) ^ 0x80) - 0x80)
        elif code == _NOTE:
            if at + value > len(data):
                raise ValueError("is cut off in a note")
            if found:
                note = data[at : at + value].decode("latin-1")
                found[-1] = found[-1]._replace(note=note)
            at += value + value % 2
        elif code in _NUMBER_AND_CHANNEL:
            continue
        elif code in _SPECIAL:
            raise ValueError("holds what is no annotation")
        else:
            now += value
            if code:  # else it only moves the time on
                found.append(Annotation(now, code))
    if any(data[at:]):
        raise ValueError("is cut off")
    return found, None


def _rate(text: str) -> float:
    """Return a time resolution in samples per second."""
    match = _NUMBER.match(text)
    rate = float(match[1]) if match else 0.0
    if not 1 <= rate <= MAX_RATE:
        raise ValueError("has a time resolution that cannot be")
    return rate


def symbol(annotation: Annotation) -> str:
    """Return the symbol of an annotation; a blank for a code that WFDB has none for."""
    return _SYMBOLS[annotation.code] if annotation.code < len(_SYMBOLS) else " "


def _word(code: int, value: int) -> bytes:
    return struct.pack("<H", code << 10 | value)
