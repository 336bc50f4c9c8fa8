"""Beats of the PTB Diagnostic ECG Database: infarction or healthy, study 3's second task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ecgmon.core.errors import RecordError
from ecgmon.records.find import find, search_path
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.read import read
from ecgmon.records.record import Found
from trainer.data.beats.kachuee import detected_beats
from trainer.data.examples import Examples

DATABASE: Final = "ptbdb"
LEAD: Final = "ii"
CLASSES: Final = ("healthy", "infarction")
_REASON: Final = "reason for admission:"
_DIAGNOSES: Final[Mapping[str, str]] = MappingProxyType(
    {"healthy control": "healthy", "myocardial infarction": "infarction"}
)
"""What headers call the classes, in small letters; records of other diagnoses are not used."""


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A record whose patient is healthy or has an infarction.

    Parameters
    ----------
    found : Found
        Where it is; ``found.wearer`` is the patient, whose records are all one wearer's.
    label : int
        Number of the class in `CLASSES`.
    """

    found: Found
    label: int


def records(data: Path | None = None) -> list[Diagnosed]:
    """Return the database's records of both classes, all of it or the part that is there.

    Parameters
    ----------
    data : Path, optional
        Folder to look in first, holding one folder for each database.

    Raises
    ------
    RecordError
        If there is none of either class, or a header cannot be read.
    """
    folder = next((f for at in search_path(data) if (f := at / DATABASE).is_dir()), None)
    if folder is None:
        raise RecordError(
            f"There is no {DATABASE}: put the PTB Diagnostic ECG Database, or a part of it, into a "
            f"folder {DATABASE} in --data or one of $ECGMON_DATA."
        )
    diagnosed = []
    for header in sorted(folder.glob("patient*/s*.hea")):
        found = find(f"{DATABASE}/{header.parent.name}/{header.stem}", folder.parent)
        if isinstance(found, Found) and (name := _diagnosis(found)):
            patient = replace(found, wearer=header.parent.name)
            diagnosed.append(Diagnosed(patient, CLASSES.index(name)))
    for label, name in enumerate(CLASSES):
        if all(record.label != label for record in diagnosed):
            raise RecordError(
                f"{folder} holds no record of the class {name}: add some of its patients' folders."
            )
    return diagnosed


def beats(data: Path | None = None) -> Examples:
    """Cut the records of `records` into beats, one wearer for each patient.

    Raises
    ------
    RecordError
        As `records` does, and if one cannot be read or has no lead II.
    """
    return Examples.joined(
        [
            detected_beats(read(record.found, lead=LEAD), record.label, CLASSES)
            for record in records(data)
        ]
    )


def _diagnosis(found: Found) -> str | None:
    """Return the class that a header's comments put a record into, if any."""
    for comment in read_header(found).comments:
        if comment.strip().lower().startswith(_REASON):
            return _DIAGNOSES.get(comment.partition(":")[2].strip().lower())
    return None
