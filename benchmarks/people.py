"""Wearers for training, validation and evaluation, and their beats: writes docs/results/people.md.

Run by ``make people``: the first time some minutes, in which the beats of those who choose are
prepared and stored in ``runs/beats``; later less than one.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from ecgmon.core.labels import AAMI_CLASSES
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from trainer.data.beats.cached import beats_of
from trainer.data.beats.kachuee import CLASSES
from trainer.data.people import (
    CHOOSERS,
    MITDB,
    Person,
    Sides,
    fold,
    inter_patient,
    people,
    record_names,
    shipped,
)
from trainer.data.protocol_splits import FOLDS, PACED

PAGE = Path(__file__).parents[1] / "docs" / "results" / "people.md"
PREPARED = Path("runs/beats")
DATABASES = (MITDB, *CHOOSERS)
WITH_CLASSES = (MITDB, "svdb", "qtdb")
"""Databases whose experts have named the class of each beat."""
SPLITS = {
    **{f"fold {number}": fold(number) for number in range(FOLDS)},
    "shipped generic model": shipped(),
    "DS1 and others -> DS2": inter_patient(),
}


def of(database: str, those: Iterable[Person]) -> list[Person]:
    """Return the people of a database."""
    return [person for person in those if person.database == database]


@cache
def symbols(record: str) -> Counter[str]:
    """Return how often each annotation symbol occurs in a record."""
    annotations = read(obtain(record)).annotations
    return Counter(annotations.symbols) if annotations else Counter()


def classes(those: Iterable[Person]) -> list[int]:
    """Return how many beats of each class experts have marked in some people's records."""
    counts: Counter[str] = Counter()
    for record in record_names(those):
        if record.partition("/")[0] in WITH_CLASSES:
            for symbol, number in symbols(record).items():
                counts[AAMI_CLASSES.get(symbol, "")] += number
    return [counts[name] for name in CLASSES]


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    names = list(head)
    lines = [names, ["---", *["---:"] * (len(names) - 1)]]
    lines += [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def who() -> str:
    """Return how many people of each database do what."""
    head = ["database", "people", "choose", *(f"fold {n}" for n in range(FOLDS)), "never judged"]
    rows = []
    for database in DATABASES:
        own = of(database, people())
        folds = Counter(person.fold for person in own)
        choosing = sum(person.chooses for person in own)
        rows.append([database, len(own), choosing, *(folds[n] for n in range(FOLDS)), folds[None]])
    return table(head, rows)


def what() -> str:
    """Return how many beats of each class the people of each database have."""
    rows = []
    for database in WITH_CLASSES:
        own = of(database, people())
        rows.append([database, len(own), *classes(own)])
        choosing = [person for person in own if person.chooses]
        rows.append([f"{database}: who chooses", len(choosing), *classes(choosing)])
        for number in range(FOLDS):
            folded = [person for person in own if person.fold == number]
            rows.append([f"{database}: fold {number}", len(folded), *classes(folded)])
    return table(["", "people", *CLASSES], rows)


def sides(split: Sides) -> dict[str, tuple[Person, ...]]:
    """Return the sides of a split by what they do."""
    return {"train": split.training, "choose": split.choosing, "are judged": split.judged}


def splits() -> str:
    """Return who and what is on each side of each split."""
    head = ["split", "", *DATABASES, *CLASSES]
    rows = [
        [name, does, *(len(of(database, those)) for database in DATABASES), *classes(those)]
        for name, split in SPLITS.items()
        for does, those in sides(split).items()
    ]
    return table(head, rows)


def names() -> str:
    """Return who chooses and who is in which fold, by name; of cinc2017 it would be 2,400 names."""
    rows = []
    for database in DATABASES:
        if database == "cinc2017":
            continue
        own = of(database, people())
        groups = {"chooses": [person for person in own if person.chooses]}
        groups |= {
            f"fold {number}": [person for person in own if person.fold == number]
            for number in range(FOLDS)
        }
        for group, those in groups.items():
            bare = (record.partition("/")[2] for record in record_names(those))
            rows.append(f"| {database} | {group} | {' '.join(bare)} |\n")
    return "| database | | records |\n|---|---|---|\n" + "".join(rows)


def occurring() -> str:
    """Return which symbols occur, and what class of beat each means."""
    totals = {
        database: sum((symbols(r) for r in record_names(of(database, people()))), Counter())
        for database in DATABASES
        if database != "cinc2017"
    }
    every = sorted({symbol for counts in totals.values() for symbol in counts})
    every.sort(key=lambda symbol: (*CLASSES, "-").index(AAMI_CLASSES.get(symbol, "-")))
    rows = [
        [
            f"`{symbol}`".replace("|", "\\|"),
            AAMI_CLASSES.get(symbol, "no beat"),
            *(counts[symbol] for counts in totals.values()),
        ]
        for symbol in every
    ]
    return table(["symbol", "class", *totals], rows)


def found() -> str:
    """Return what the monitor's detector finds of the choosers' marked beats in each lead."""
    rows = []
    for database in WITH_CLASSES:
        own = [person for person in of(database, people()) if person.chooses]
        marked = classes(own)
        counts = np.zeros((2, 3 + len(CLASSES)), dtype=np.int64)
        for _, lead in beats_of(own, PREPARED):
            labels = np.bincount(lead.labels[lead.labels >= 0], minlength=len(CLASSES))
            of_lead = [len(lead), len(lead) - labels.sum(), len(lead.examples()), *labels]
            counts[lead.lead - 1] += np.array(of_lead)
        for lead_number, (beats, unmarked, examples, *labels) in enumerate(counts.tolist(), 1):
            shares = [
                f"{100 * n / m:.2f}" if m else "" for n, m in zip(labels, marked, strict=True)
            ]
            rows.append([f"{database}, lead {lead_number}", beats, unmarked, examples, *shares])
    head = ["", "found", "of no mark", "to learn from", *(f"{name}, %" for name in CLASSES)]
    return table(head, rows)


def page() -> str:
    """Return the page."""
    return f"""# People

Recomputed by `make people`. Which people of six databases train, which choose (settings, epoch,
threshold) and which are judged. `trainer/data/people.py` decides it by the SHA-256 of
*database/name*; `tests/trainer/data/test_people.py` holds it, and that nobody is on two sides of a
split.

- The people with the smallest hashes choose. Those of mitdb are the ten that chose networks so far
  (`MODEL_SELECTION`). Who chooses never trains.
- The order of hashes deals everybody into {FOLDS} folds. 201 and 202 of mitdb are one person. The
  paced {", ".join(PACED)} are judged in no fold, as EC57 leaves them out, and train in each.
- The network of a fold is trained on all other folds, chosen on the choosers outside the fold, and
  judged on the fold. So everybody is judged once, choosers too, by a network whose epoch and
  threshold they did not choose. What was chosen on them in other folds, such as a network's size,
  may flatter them: figures without them belong beside those with them.
- The shipped generic model is judged on mitdb's eight demonstration records and never meets them
  before.
- On DS2, 201 of DS1 does not train: it is the person of 202.
- Only the records that `trainer/data/records.toml` names take part; the rest of each database is
  kept back.

{who()}
## Beats that experts have marked

Classes by `ecgmon/core/labels.py`, escape beats among N. vfdb has rhythm annotations only, cudb
calls every beat N, whatever it is, and cinc2017 has labels of whole recordings: no class of beats
is learned from them.

{what()}
## Splits

{splits()}
## Beats that the monitor finds

Every lead at its own rate through the monitor's conversion to 360 Hz, filter and detector
(`trainer/data/beats/leads.py`). A found beat has the class of a mark that is its own and within
150 ms. *Of no mark* are found beats without one; they train nothing, nor do those in seconds that
are noisy or absent. Percentages are shares of the marked beats of each class, from the records'
first sample on: these are not EC57's figures, which are in [qrs](qrs.md). Only the people who
choose were looked at.

{found()}
## Symbols that occur

{occurring()}
## Names

{names()}
The 400 choosers of cinc2017 and its folds are fixed in the same way; the test holds their digest.
"""


if __name__ == "__main__":
    PAGE.write_text(page())
