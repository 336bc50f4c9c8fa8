"""All leads of a record as sets of windows, kept in a folder: they take seconds to prepare."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.records import Record
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.record import Found
from trainer.data.annotated import annotated_as_heard
from trainer.data.dataset import RecordSet, record_sets
from trainer.data.prepared import prepared

if TYPE_CHECKING:
    from trainer.networks.window_networks import WindowNetwork

_ARRAYS: Final = ("stream", "scale", "labels", "beats", "unsettled", "own_units", "usual")
_CODE: Final = (
    "ecgmon/core/annotations.py",
    "ecgmon/core/constants.py",
    "ecgmon/core/labels.py",
    "ecgmon/core/rhythm_notes.py",
    "ecgmon/core/units.py",
    "ecgmon/records",
    "ecgmon/signal",
    "trainer/data/annotated.py",
    "trainer/data/dataset.py",
    "trainer/data/window_leads.py",
)
"""Files and folders whose code decides what is prepared of a record."""


def kept_leads(found: Found, network: "type[WindowNetwork]", folder: Path) -> list[RecordSet]:
    """Return all leads of a record, from their file if it is there.

    Parameters
    ----------
    found : Found
        An annotated WFDB record.
    network : type
        Whose geometry and outputs along time to prepare for.
    folder : Path
        Where prepared records are kept; made if it is not there.

    Returns
    -------
    list of RecordSet
        The lead that a monitor would judge first.

    Raises
    ------
    RecordError
        As `trainer.data.annotated.annotated_as_heard`.
    """
    geometry = network.geometry

    def make() -> dict[str, NDArray[Any]]:
        made = record_sets(_leads(found), geometry, network.steps_per_second)
        arrays = {(i, name): getattr(one, name) for i, one in enumerate(made) for name in _ARRAYS}
        return {f"{i}-{name}": each for (i, name), each in arrays.items() if each is not None}

    path = folder / f"{found.name.replace('/', '-')}.windows"
    kept = prepared(path, found, _CODE, repr(geometry).encode(), make)
    leads = sorted({int(name.partition("-")[0]) for name in kept})
    return [
        RecordSet(
            found.name,
            found.wearer,
            geometry,
            stream=kept[f"{i}-stream"],
            scale=kept[f"{i}-scale"],
            labels=kept[f"{i}-labels"],
            beats=kept[f"{i}-beats"],
            unsettled=kept[f"{i}-unsettled"],
            own_units=kept.get(f"{i}-own_units"),
            usual=kept[f"{i}-usual"],
        )
        for i in leads
    ]


def _leads(found: Found) -> list[Record]:
    """Return the lead of a record that a monitor would judge, then the others."""
    judged = annotated_as_heard(found)
    numbers = range(1, len(read_header(found).signals) + 1)
    every = [annotated_as_heard(found, lead=str(number)) for number in numbers]
    same = [np.array_equal(lead.samples, judged.samples) for lead in every]
    return [judged, *(lead for i, lead in enumerate(every) if i != same.index(True))]
