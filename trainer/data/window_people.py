"""People of all databases as sets of windows: who teaches a model of windows beside mitdb's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgmon.core.errors import RecordError
from ecgmon.records.fetch import obtain
from ecgmon.records.many import each
from ecgmon.records.record import Found
from trainer.data.dataset import RecordSet
from trainer.data.people import MITDB, Person, Sides, people, record_names
from trainer.data.rhythms import ABNORMAL_RHYTHM, NORMAL_RHYTHM
from trainer.data.window_leads import kept_leads

if TYPE_CHECKING:
    from trainer.networks.window_networks import WindowNetwork

Sets = Mapping[str, Sequence[RecordSet]]
"""The leads of records by the records' names, such as ``203`` of mitdb and ``svdb/800``; the first
is the one that a monitor would judge."""
SVDB: Final = "svdb"
RHYTHMS: Final = "rhythms"
CALM: Final = "calm"
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {SVDB: (SVDB,), "qtdb": ("qtdb",), RHYTHMS: ("vfdb", "cudb"), CALM: ("vfdb", "cudb")}
)
"""Databases of each kind of other people. vfdb and cudb name hardly any beat: they teach the
rhythms of the ventricles, and seconds of a normal one. Without the latter all that is taught of
these databases is abnormal, and a network learns to know their recorders."""
BLOCKED: Final = frozenset(
    "svdb/849 svdb/862 svdb/868 svdb/869 svdb/874 svdb/875 "
    "qtdb/sel15814 qtdb/sel308 qtdb/sele0116 qtdb/sele0612".split()
)
"""Records of which a model of mitdb's people (the generic one of version 0.2.0) calls seven in ten
normal seconds abnormal, and more: their usual beats look like those of a bundle branch block, which
mitdb's experts write as abnormal ones, those of svdb and qtdb as N. These people do not teach
(ADR 52)."""
UNSURE: Final = frozenset("cudb/cu08 cudb/cu16 cudb/cu26 cudb/cu29 cudb/cu32".split())
"""Records without notes of rhythms of which that model calls four in ten seconds before the first
fibrillation abnormal, and more: nobody says that they are normal, so they teach no calm ones."""
AROUND_S: Final = 8
"""Seconds before and after a ventricular rhythm that belong to a piece of it."""
SHORTEST_S: Final = 24
"""Such a piece has at least so many seconds: more than a training stretch draws."""


def beside(sides: Sides, sets: Sets, kinds: Iterable[str]) -> dict[str, list[RecordSet]]:
    """Return who teaches beside mitdb's people on a split, by kind: all leads of their records."""
    teaching: dict[str, list[RecordSet]] = {}
    for kind in kinds:
        names = record_names(p for p in sides.training if p.database in KINDS[kind])
        leads = [lead for name in names if name not in BLOCKED for lead in sets.get(name, ())]
        if kind == RHYTHMS:
            leads = [part for lead in leads for part in around(lead)]
        elif kind == CALM:
            leads = [part for lead in leads for part in calm(lead)]
        teaching[kind] = leads
    return teaching


def choosers(sides: Sides, sets: Sets, kinds: Iterable[str]) -> list[RecordSet]:
    """Return who chooses beside mitdb's people on a split: those of svdb, if it teaches."""
    if SVDB not in kinds:
        return []
    return [sets[name][0] for name in record_names(_of(sides.choosing, SVDB)) if name in sets]


def around(record: RecordSet) -> list[RecordSet]:
    """Return the pieces of a record that lie around its ventricular rhythms."""
    taught = np.flatnonzero((record.beats == ABNORMAL_RHYTHM).all(axis=1))
    pieces = []
    for group in np.split(taught, np.flatnonzero(np.diff(taught) > SHORTEST_S) + 1):
        if not len(group):
            continue
        start, stop = max(0, int(group[0]) - AROUND_S), min(len(record), int(group[-1]) + AROUND_S)
        stop = min(len(record), max(stop, start + SHORTEST_S))
        start = max(0, min(start, stop - SHORTEST_S))
        if stop - start >= SHORTEST_S:
            pieces.append(record.part(start, stop))
    return pieces


def calm(record: RecordSet) -> list[RecordSet]:
    """Return the pieces of a record whose rhythm is normal throughout."""
    if record.record in UNSURE:
        return []
    seconds = np.flatnonzero((record.beats == NORMAL_RHYTHM).all(axis=1))
    runs = [run for run in np.split(seconds, np.flatnonzero(np.diff(seconds) > 1) + 1) if len(run)]
    spans = ((int(run[0]), int(run[-1]) + 1) for run in runs)
    return [record.part(*span) for span in spans if span[1] - span[0] >= SHORTEST_S]


def load(
    network: "type[WindowNetwork]",
    kinds: Iterable[str],
    folder: Path,
    data: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    skipped: dict[str, RecordError] | None = None,
) -> dict[str, list[RecordSet]]:
    """Find (or fetch), read and process all leads of mitdb's people and of those beside them.

    Parameters
    ----------
    network : type
        Whose geometry and outputs along time to prepare for.
    kinds : iterable of str
        Kinds of other people, of `KINDS`.
    folder : Path
        Where prepared records are kept; made if it is not there.
    data : Path, optional
        Folder of databases to look in first.
    progress : callable, optional
        Called with each record's name when it is done.
    skipped : dict of str to RecordError, optional
        As `ecgmon.records.many.each` takes it.

    Raises
    ------
    RecordError
        As `trainer.data.dataset.load`.
    """
    fetch = partial(obtain, data=data)
    sets: dict[str, list[RecordSet]] = {}

    def one(found: Found) -> None:
        sets[found.name.removeprefix(f"{MITDB}/")] = kept_leads(found, network, folder)
        progress(found.name)

    each(names(kinds), one, data=data, fetch=fetch, skipped=skipped)
    return sets


def judged(sides: Sides, sets: Sets, databases: Iterable[str]) -> list[RecordSet]:
    """Return the records of some databases that a split judges, by the lead a monitor would."""
    those = [p for database in databases for p in _of(sides.judged, database)]
    return [sets[name][0] for name in record_names(those)]


def names(kinds: Iterable[str]) -> list[str]:
    """Return the names of mitdb's records and of those of other kinds of people."""
    databases = {MITDB} | {database for kind in kinds for database in KINDS[kind]}
    everybody = [person for person in people() if person.database in databases]
    return [name.removeprefix(f"{MITDB}/") for name in record_names(everybody)]


def _of(persons: Iterable[Person], database: str) -> list[Person]:
    return [person for person in persons if person.database == database]
