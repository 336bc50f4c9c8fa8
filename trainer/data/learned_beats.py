"""Beats to learn from: of all people of a split, each group with its share of every batch."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import RecordError
from ecgmon.core.labels import UNLABELLED
from ecgmon.records.fetch import obtain
from trainer.data.beats.cached import beats_of, cached_beats
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.data.people import Person

WITH_CLASSES: Final = ("mitdb", "svdb", "qtdb")
"""Databases whose beats have classes."""
RHYTHMS: Final = "cinc2017"
"""Database whose recordings are of one rhythm. In those of normal rhythm and of atrial fibrillation
nearly every beat is N; the others are not used."""
NORMAL, FIBRILLATION = "N", "A"
"""What its table of labels calls them."""
NORMALS: Final = 3
"""One in so many of its recordings of normal rhythm is used: there are enough of these."""
MIXED: Final = (45, 135)
"""Angles of the leads between the two of a record (`trainer.data.beats.leads.between`)."""
MIXED_WEIGHT: Final = 0.5
"""Weight of such a lead against one of the record."""
RHYTHM_WEIGHT: Final = 2.0
"""Weight of all recordings of a rhythm together against one lead."""
FIRST_BEATS: Final = 5
"""Beats of a short recording that are left out: their context is not known yet."""
MOST_NORMAL: Final = 1500
"""Beats of class N that are drawn from, of each lead."""


_VENTRICULAR, _FUSION = CLASSES.index("V"), CLASSES.index("F")


def taught(labels: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the classes that beats teach: fusion beats are in part ventricular, and teach V.

    They are rare and of few people, and EC57 forgives a fusion beat that is called V.
    """
    return np.where(labels == _FUSION, _VENTRICULAR, labels).astype(np.int8)


@dataclass(frozen=True, eq=False, slots=True)
class BeatGroup:
    """Beats that count together: those of one lead, or of all recordings of a rhythm.

    Parameters
    ----------
    inputs : ndarray of float16, shape (n, `ecgmon.signal.beat_segments.VALUES`)
        What a model sees. Half precision: there are a million of them.
    labels : ndarray of int8, shape (n,)
        Number of the class in `CLASSES`.
    weight : float
        Against that of another group with as many beats of a class.
    """

    inputs: NDArray[np.float16]
    labels: NDArray[np.int8]
    weight: float


def groups(
    people: Iterable[Person],
    folder: Path,
    *,
    data: Path | None = None,
    mixed: tuple[int, ...] = MIXED,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> list[BeatGroup]:
    """Return the beats that some people teach.

    Parameters
    ----------
    people : iterable of Person
        Whose.
    folder : Path
        Where prepared beats are kept (`trainer.data.beats.cached`).
    data : Path, optional
        Folder of databases to look in first.
    mixed : tuple of int
        Angles of the leads between the two of a record, as `lead_beats` takes them.
    seed : int
        Of what is drawn of the beats of class N.
    progress : callable, optional
        Called with each person's first record.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """
    rng = np.random.default_rng(seed)
    made: list[BeatGroup] = []
    of_rhythm: dict[str, list[LeadBeats]] = {NORMAL: [], FIBRILLATION: []}
    for person in people:
        progress(person.records[0])
        if person.database in WITH_CLASSES:
            for _, lead in beats_of([person], folder, data=data, mixed=mixed):
                mixture = lead.lead > 2
                made.append(_group(lead, rng, MIXED_WEIGHT if mixture else 1.0))
        elif person.database == RHYTHMS:
            rhythms = rhythms_beside(person.records[0], data)
            rhythm = rhythms.get(person.records[0], "")
            wanted = int(person.records[0][-5:]) % NORMALS == 0 or rhythm != NORMAL
            if rhythm in of_rhythm and wanted:
                of_rhythm[rhythm] += cached_beats(obtain(person.records[0], data=data), folder)
    return made + [_rhythm_group(leads) for leads in of_rhythm.values() if leads]


def labelled(
    people: Iterable[Person], folder: Path, data: Path | None, mixed: tuple[int, ...] = MIXED
) -> list[LeadBeats]:
    """Return the first leads of the records whose beats have classes, to judge a network on.

    ``mixed`` only says which prepared beats are read: those that training reads, too, if not given.
    """
    known = [person for person in people if person.database in WITH_CLASSES]
    return [lead for _, lead in beats_of(known, folder, data=data, mixed=mixed) if lead.lead == 1]


def _group(lead: LeadBeats, rng: np.random.Generator, weight: float) -> BeatGroup:
    which = np.flatnonzero(lead.usable & (lead.labels != UNLABELLED))
    normal = which[lead.labels[which] == CLASSES.index("N")]
    if len(normal) > MOST_NORMAL:
        left = rng.choice(normal, len(normal) - MOST_NORMAL, replace=False)
        which = np.setdiff1d(which, left)
    return BeatGroup(lead.inputs[which].astype(np.float16), taught(lead.labels[which]), weight)


def _rhythm_group(leads: list[LeadBeats]) -> BeatGroup:
    inputs = np.concatenate(
        [lead.inputs[FIRST_BEATS:][lead.usable[FIRST_BEATS:]] for lead in leads]
    )
    labels = np.full(len(inputs), CLASSES.index("N"), dtype=np.int8)
    return BeatGroup(inputs.astype(np.float16), labels, RHYTHM_WEIGHT)


def rhythms_beside(record: str, data: Path | None) -> dict[str, str]:
    """Return the rhythm of each recording by its name, from the table beside one of them.

    Raises
    ------
    RecordError
        If it cannot be read.
    """
    return _table(obtain(record, data=data).path.parent / "REFERENCE.csv")


@cache
def _table(table: Path) -> dict[str, str]:
    try:
        rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{table} says which rhythm each recording of {RHYTHMS} has, and cannot be read: "
            "put it beside the recordings."
        ) from error
    return {f"{RHYTHMS}/{row[0]}": row[1] for row in rows if len(row) > 1}
