"""Beats of many people, prepared once: a second training reads them from a folder.

A file holds all leads of a record. It begins with the SHA-256 of what follows and of a key, and the
key is that of the record's files, of the code that prepares beats and of what was asked for. A file
of another key, or a damaged one, is made again and replaced, so the folder does not grow with the
code's versions. One record at a time is in memory.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import scipy

import trainer
from ecgmon.core.atomic import atomic_write
from ecgmon.records.fetch import obtain
from ecgmon.records.record import Found
from trainer.data.beats.leads import LeadBeats, Positions, lead_beats
from trainer.data.people import Person
from trainer.data.placement import Placement

_DIGEST: Final = 32
"""Bytes of a SHA-256."""
_ARRAYS: Final = ("samples", "labels", "usable", "inputs")
_CODE: Final = (
    "ecgmon/core/annotations.py",
    "ecgmon/core/constants.py",
    "ecgmon/core/labels.py",
    "ecgmon/core/units.py",
    "ecgmon/records",
    "ecgmon/signal",
    "trainer/data/beats/kachuee.py",
    "trainer/data/beats/leads.py",
    "trainer/data/dataset.py",
    "trainer/data/placement.py",
)
"""Files and folders whose code decides a record's beats."""


def beats_of(
    people: Iterable[Person],
    folder: Path,
    *,
    data: Path | None = None,
    placement: Placement | None = None,
    positions: Positions = "found",
    mixed: tuple[int, ...] = (),
) -> Iterator[tuple[Person, LeadBeats]]:
    """Yield the beats of each lead of each person.

    Parameters
    ----------
    people : iterable of Person
        Whose.
    folder : Path
        Where prepared beats are kept; made if it is not there.
    data : Path, optional
        Folder of databases to look in first.
    placement, positions, mixed
        As `lead_beats` takes them.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """
    for person in people:
        for name in person.records:
            found = obtain(name, data=data)
            for lead in cached_beats(found, folder, placement, positions, mixed):
                yield person, lead


def cached_beats(
    found: Found,
    folder: Path,
    placement: Placement | None = None,
    positions: Positions = "found",
    mixed: tuple[int, ...] = (),
) -> list[LeadBeats]:
    """Return what `lead_beats` does, from the folder if it is there."""
    asked = msgspec.json.encode((placement, positions, mixed))
    key = _content(found) + _code() + asked
    variant = hashlib.sha256(asked).hexdigest()[:8]
    path = folder / f"{found.name.replace('/', '-')}-{variant}.beats"
    if (kept := _load(path, key, found.name)) is not None:
        return kept
    made = lead_beats(found, placement, positions, mixed)
    arrays = {f"{lead.lead}-{name}": getattr(lead, name) for lead in made for name in _ARRAYS}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(path, _seal(key, file.getvalue()) + file.getvalue())
    return made


def _load(path: Path, key: bytes, record: str) -> list[LeadBeats] | None:
    """Return the kept beats of a record; None if there are none of this key, or not whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    arrays = data[_DIGEST:]
    if data[:_DIGEST] != _seal(key, arrays):
        return None
    with np.load(io.BytesIO(arrays), allow_pickle=False) as kept:
        leads = sorted({int(name.partition("-")[0]) for name in kept})
        return [
            LeadBeats(record, lead, *(kept[f"{lead}-{name}"] for name in _ARRAYS)) for lead in leads
        ]


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
def _code() -> bytes:
    """Return a digest of the code that makes a record's beats, and of the libraries it uses."""
    packages = Path(trainer.__file__).parents[1]
    digest = hashlib.sha256(f"{np.__version__} {scipy.__version__}".encode())
    for place in (packages / each for each in _CODE):
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    return digest.digest()
