"""Beats of many people, prepared once; one record at a time is in memory."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from numpy.typing import NDArray

from ecgmon.records.fetch import obtain
from ecgmon.records.record import Found
from trainer.data.beats.leads import LeadBeats, Positions, lead_beats
from trainer.data.people import Person
from trainer.data.placement import Placement
from trainer.data.prepared import prepared

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
    variant = hashlib.sha256(asked).hexdigest()[:8]
    path = folder / f"{found.name.replace('/', '-')}-{variant}.beats"

    def make() -> dict[str, NDArray[Any]]:
        made = lead_beats(found, placement, positions, mixed)
        return {f"{lead.lead}-{name}": getattr(lead, name) for lead in made for name in _ARRAYS}

    kept = prepared(path, found, _CODE, asked, make)
    leads = sorted({int(name.partition("-")[0]) for name in kept})
    return [
        LeadBeats(found.name, lead, *(kept[f"{lead}-{name}"] for name in _ARRAYS)) for lead in leads
    ]
