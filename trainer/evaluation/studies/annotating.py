"""Our own beat by beat report: detected beats, classified by networks that never saw the wearer.

The 44 records are judged in five folds of wearers, each by a network of the others, as it is and
fitted to the first five minutes of the wearer. 201 and 202 are one person, and in one fold. Beats
are the monitor's own: it must find them before it can classify them. Escape beats (e, j) are taught
as they are scored, as S; the recipes' other protocols have them among N, as the publications do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import nn

from ecgmon.errors import RecordError
from ecgmon.grid import RATE
from ecgmon.labels import is_beat
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import detect_beats
from trainer import recipes
from trainer.beats.live import inputs_at, live_beats
from trainer.evaluation.ec57 import page
from trainer.evaluation.ec57.counts import gross
from trainer.evaluation.ec57.files import Annotator, write_annotations
from trainer.evaluation.ec57.marks import CLASSES
from trainer.evaluation.studies.parts import by_wearer
from trainer.evaluation.studies.run import Progress
from trainer.examples import Examples
from trainer.protocols import NON_PACED, Fold, wearer_folds
from trainer.recipe import Shelf, Task, adapt, class_probabilities
from trainer.splits import ENROLMENT_S

EXTENSIONS: Final = {"strangers": "gen", "fitted": "own"}
_ABOUT: Final = {
    "strangers": "by networks that never saw the wearer",
    "fitted": "by networks fitted to the wearer's first five minutes, with their annotations",
}


def annotate(
    recipe: str,
    *,
    work: Path,
    out: Path,
    data: Path | None,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Annotate the 44 records and compare them with the experts'.

    Parameters
    ----------
    recipe : str
        Whose last system judges the beats.
    work, out : Path
        Folders for networks and annotation files, and for the pages.
    data : Path or None
        Folder of databases to look in first.
    seed : int
        Of everything random.
    progress : callable
        Called with a network's name after each epoch.

    Returns
    -------
    dict
        Gross figures of *strangers* and of networks *fitted* to the wearer.
    """
    records = {name: read(obtain(name, data=data)) for name in NON_PACED}
    beats = Examples.joined([_beats(record) for record in records.values()])
    folder = work / recipe
    folder.mkdir(parents=True, exist_ok=True)
    for number, fold in enumerate(wearer_folds()):
        shelf = Shelf(work / f"fold-{number}", progress)
        for name, kind, network in _networks(recipe, beats, fold, shelf, seed):
            _write(folder / f"{name}.{EXTENSIONS[kind]}", records[name], network, beats.classes)
    figures = {}
    for kind, extension in EXTENSIONS.items():
        tested = Annotator.find(folder, extension)
        counts = tested.compare(data, lambda _: None)
        command = f"ecgmon evaluate --protocol studies --recipe {recipe}"
        about = (
            f"Beats that the monitor's detector finds, classified {_ABOUT[kind]}: the recipe "
            f"`{recipe}`, fitted to the four other fifths of the wearers."
        )
        page.write(tested, counts, out / f"{recipe}-{kind}", command, about)
        figures[kind] = gross(counts).everything()
    return figures


def _beats(record: Record) -> Examples:
    """Cut a record at its annotated beats; their classes are those that they are scored by."""
    beats = live_beats(record)
    if record.annotations is None:
        raise RecordError(f"{record.name} has no annotations to learn from: choose another.")
    symbols = np.array(record.annotations.symbols)[is_beat(record.annotations)]
    labels = [beats.classes.index(CLASSES[symbol]) for symbol in symbols]
    return replace(beats, labels=np.array(labels, dtype=np.int8))


def _networks(
    recipe: str, beats: Examples, fold: Fold, shelf: Shelf, seed: int
) -> Iterator[tuple[str, str, nn.Module]]:
    """Yield the networks of each wearer judged in a fold: record, kind, network."""
    part = by_wearer(beats, fold.training, fold.validation, fold.strangers)
    task = Task(beats[part.training], beats[part.validation], seed, shelf)
    chosen = recipes.recipe(recipe)
    network = list(chosen.systems.values())[-1](task)
    first = beats.samples < ENROLMENT_S * RATE
    for name in fold.strangers:
        yield name, "strangers", network
        enrolment = beats[first & (beats.wearers == name)]
        yield name, "fitted", adapt(chosen, network, enrolment, task.training, seed)


def _write(path: Path, record: Record, network: nn.Module, classes: Sequence[str]) -> None:
    found = detect_beats(record.millivolts())
    called = class_probabilities(network, inputs_at(record, found)).argmax(1)
    write_annotations(path, zip(found.tolist(), np.array(classes)[called].tolist(), strict=True))
