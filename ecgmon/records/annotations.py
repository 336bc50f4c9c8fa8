"""The bytes of a WFDB annotation file (the MIT format).

Read here because a file may be damaged or foreign, on which wfdb can loop for ever.
"""

import struct
from collections.abc import Iterable
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
    """Return the annotations of a whole file.

    Raises
    ------
    ValueError
        If it is no whole annotation file.
    """
    found: list[Annotation] = []
    at, now = 0, 0
    while data[at : at + 2] != _END:
        # What follows must leave room for the end.
        if at + 4 > len(data):
            raise ValueError("has no end")
        (word,) = struct.unpack_from("<H", data, at)
        at += 2
        code, value = word >> 10, word & 0x3FF
        if code == _SKIP and not value and at + 6 <= len(data):
            high, low = struct.unpack_from("<hH", data, at)
            now += (high << 16) + low
            at += 4
        elif code == _SUBTYPE and found:
            found[-1] = found[-1]._replace(subtype=((value & 0xFF) ^ 0x80) - 0x80)
        elif code == _NOTE and found:
            found[-1] = found[-1]._replace(note=data[at : at + value].decode("latin-1"))
            at += value + value % 2
        elif code in _NUMBER_AND_CHANNEL:
            continue
        elif code not in _SPECIAL:
            now += value
            if not code:  # it only moves the time on
                continue
            if now < (found[-1].sample if found else 0):
                raise ValueError("goes back in time")
            found.append(Annotation(now, code))
        else:
            raise ValueError("holds what is none")
    if any(data[at:]):  # some writers fill a block with zeros
        raise ValueError("goes on after its end")
    return found


def load(path: Path) -> tuple[list[Annotation], float | None]:
    """Read a file.

    Returns
    -------
    list of Annotation
        Without the notes that say something of the file itself.
    float or None
        How many of its samples are a second, if it says so.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no whole annotation file.
    """
    with path.open("rb") as file:
        found = decode(file.read(MAX_BYTES))
    notes = [one.note for one in found if one.note.startswith(_RESOLUTION)]
    rate = float(notes[0].removeprefix(_RESOLUTION).strip("\0 ").split(" ")[0]) if notes else None
    if rate is not None and not 1 <= rate <= MAX_RATE:
        raise ValueError("has a time resolution that cannot be")
    return [one for one in found if not one.note.startswith(_ABOUT_THE_FILE)], rate


def symbol(annotation: Annotation) -> str:
    """Return the symbol of an annotation; a blank for a code that WFDB has none for."""
    return _SYMBOLS[annotation.code] if annotation.code < len(_SYMBOLS) else " "


def _word(code: int, value: int) -> bytes:
    return struct.pack("<H", code << 10 | value)
