"""People of six databases: who trains, who chooses and who is judged.

A network is trained on some people, its settings, epoch and threshold are chosen on others, and it
is judged on people that neither it nor the choice has seen. Which side a person is on follows from
the SHA-256 of the name, so that nobody has picked it and it stays the same.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from trainer.data.protocol_splits import (
    DS1,
    DS1_MODEL_SELECTION,
    DS2,
    FOLDS,
    PACED,
    SAME_PERSON,
    refuse_two_sides,
)
from trainer.data.splits import HELD_OUT, MODEL_SELECTION, RECORDS

MITDB: Final = "mitdb"
CHOOSERS: Final[Mapping[str, int]] = MappingProxyType(
    {"svdb": 10, "vfdb": 3, "cudb": 4, "qtdb": 5, "cinc2017": 400}
)
"""How many people of each database choose: those whose names have the smallest hashes. Those of
mitdb are `trainer.data.splits.MODEL_SELECTION`."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wore the electrodes.

    Parameters
    ----------
    database : str
        For example ``mitdb``.
    records : tuple of str
        Names of all records of this person, for example ``mitdb/201`` and ``mitdb/202``.
    chooses : bool
        Whether settings are chosen on this person. Such a person never trains.
    fold : int or None
        Number of the fold that judges this person; None for the paced wearers of mitdb, whom EC57
        leaves out of its reports: they train in every fold.
    """

    database: str
    records: tuple[str, ...]
    chooses: bool
    fold: int | None


@dataclass(frozen=True, slots=True)
class Sides:
    """The people of one split.

    Parameters
    ----------
    training, choosing, judged : tuple of Person
        Those that a network is fitted to, on whom it is chosen, and on whom it is judged.

    Raises
    ------
    UsageError
        If somebody is on two sides.
    """

    training: tuple[Person, ...]
    choosing: tuple[Person, ...]
    judged: tuple[Person, ...]

    def __post_init__(self) -> None:
        """Raise `UsageError` if somebody is on two sides."""
        sides = (self.training, self.choosing, self.judged)
        refuse_two_sides(*map(record_names, sides), same_person=SAME_PERSON)


@cache
def people() -> tuple[Person, ...]:
    """Return everybody, by database and in the order of their records' names."""
    listed = tomllib.loads((files("trainer.data") / "records.toml").read_text(encoding="utf-8"))
    databases = {MITDB: RECORDS} | {name: tuple(text.split()) for name, text in listed.items()}
    return tuple(
        person for name, records in databases.items() for person in _of_database(name, records)
    )


def fold(number: int) -> Sides:
    """Return a fold of all databases: everybody who is not paced is judged in exactly one.

    Choosers are judged, too, in the fold that is theirs, and choose nothing there: figures over
    all people of a database need them. What was chosen on them in other folds, such as a network's
    size, may flatter them, so figures without `Person.chooses` belong beside those.

    Parameters
    ----------
    number : int
        0 to `FOLDS` - 1.
    """
    if not 0 <= number < FOLDS:
        raise ValueError(f"there is no fold {number}: the folds are 0 to {FOLDS - 1}")
    judged = [person for person in people() if person.fold == number]
    return _sides((person for person in people() if person.fold != number), judged)


def shipped() -> Sides:
    """Return the sides of the generic model that is shipped: `HELD_OUT` of mitdb judge it."""
    held_out = _of_mitdb(HELD_OUT)
    judged = [person for person in people() if not held_out.isdisjoint(person.records)]
    return _sides((person for person in people() if person not in judged), judged)


def inter_patient() -> Sides:
    """Return DS1 with all other databases for training, and DS2 for judging.

    Of mitdb `DS1_MODEL_SELECTION` choose. 201 of DS1 is left out: the same person is 202 of DS2.
    """
    ds1, ds2, choosing = map(_of_mitdb, (DS1, DS2, DS1_MODEL_SELECTION))
    outside, judged = [], []
    for person in people():
        if own := tuple(record for record in person.records if record in ds2):
            judged.append(replace(person, records=own))
        elif person.database != MITDB:
            outside.append(person)
        elif ds1.issuperset(person.records):
            outside.append(replace(person, chooses=not choosing.isdisjoint(person.records)))
    return _sides(outside, judged)


def record_names(those: Iterable[Person]) -> list[str]:
    """Return the names of all records of some people."""
    return [record for person in those for record in person.records]


def _sides(others: Iterable[Person], judged: Iterable[Person]) -> Sides:
    """Return a split: of the others, choosers choose and everybody else trains."""
    others = tuple(others)
    return Sides(
        tuple(person for person in others if not person.chooses),
        tuple(person for person in others if person.chooses),
        tuple(judged),
    )


def _of_database(database: str, records: tuple[str, ...]) -> list[Person]:
    """Return the people of a database, their sides decided by the order of their hashes."""
    second = {two: one for one, two in SAME_PERSON} if database == MITDB else {}
    paced = PACED if database == MITDB else ()
    persons = [record for record in records if record not in second]
    folded = sorted((r for r in persons if r not in paced), key=lambda r: _hash(f"{database}/{r}"))
    fold_of = {record: rank % FOLDS for rank, record in enumerate(folded)}
    choosing = MODEL_SELECTION if database == MITDB else folded[: CHOOSERS[database]]
    return [
        Person(
            database,
            tuple(f"{database}/{r}" for r in records if second.get(r, r) == person),
            person in choosing,
            fold_of.get(person),
        )
        for person in persons
    ]


def _of_mitdb(records: Iterable[str]) -> set[str]:
    return {f"{MITDB}/{record}" for record in records}


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
