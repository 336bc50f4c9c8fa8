"""What was prepared of records, kept in a folder: a second training reads it from there.

A file holds the arrays of one record. It begins with the SHA-256 of what follows and of a key, and
the key is that of the record's files, of the code that prepares it and of what was asked for. A
file of another key, or a damaged one, is made again and replaced, so the folder does not grow with
the code's versions.
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

import trainer
from ecgmon.core.atomic import atomic_write
from ecgmon.records.record import Found

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name."""
_DIGEST: Final = 32
"""Bytes of a SHA-256."""


def prepared(
    path: Path, found: Found, code: tuple[str, ...], asked: bytes, make: Callable[[], Arrays]
) -> Arrays:
    """Return the arrays of a record, from their file if it is there.

    Parameters
    ----------
    path : Path
        The file; its folder is made if it is not there.
    found : Found
        The record.
    code : tuple of str
        Files and folders, such as ``ecgmon/signal``, whose code decides the arrays.
    asked : bytes
        What else decides them.
    make : callable
        Prepares them.

    Raises
    ------
    RecordError
        If ``make`` does.
    """
    key = _content(found) + _code(code) + asked
    if (kept := _load(path, key)) is not None:
        return kept
    made = make()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **made)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, _seal(key, file.getvalue()) + file.getvalue())
    return made


def _load(path: Path, key: bytes) -> Arrays | None:
    """Return the kept arrays; None if there are none of this key, or not whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    arrays = data[_DIGEST:]
    if data[:_DIGEST] != _seal(key, arrays):
        return None
    with np.load(io.BytesIO(arrays), allow_pickle=False) as kept:
        return {name: kept[name] for name in kept}


def _seal(key: bytes, arrays: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(key).digest() + arrays).digest()


def _content(found: Found) -> bytes:
    """Return a digest of a record's files."""
    digest = hashlib.sha256()
    for path in sorted(found.path.parent.glob(f"{found.path.name}.*")):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.digest()


@cache
def _code(code: tuple[str, ...]) -> bytes:
    """Return a digest of the code that prepares, and of the libraries it uses."""
    packages = Path(trainer.__file__).parents[1]
    digest = hashlib.sha256(f"{np.__version__} {scipy.__version__}".encode())
    for place in (packages / each for each in code):
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    return digest.digest()
