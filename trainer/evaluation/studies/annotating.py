"""Our own beat by beat report: detected beats, classified by networks that never saw the wearer.

The 44 records are judged in two halves. A network of DS1's wearers judges DS2, and one of DS2's
judges DS1; each as it is, and fitted to the first five minutes of the wearer. 201 and 202 are one
person: no network is fitted to either before it meets them. Beats are the monitor's own: it must
find them before it can classify them. Escape beats (e, j) are taught as N, as the publications have
them, and scored as S: 243 of the 2,745 S beats.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import nn

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import detect_beats
from trainer import recipes
from trainer.data.beats.causal_beats import inputs_at, live_beats
from trainer.data.examples import Examples
from trainer.data.protocol_splits import DS1, DS1_MODEL_SELECTION, DS2, SAME_PERSON
from trainer.data.splits import ENROLMENT_S
from trainer.evaluation.ec57 import page
from trainer.evaluation.ec57.comparison import gross
from trainer.evaluation.ec57.files import Annotator, write_annotations
from trainer.evaluation.ec57.matching import LEARNING, MATCH
from trainer.evaluation.studies.parts import by_wearer
from trainer.evaluation.studies.run import Progress
from trainer.training.recipe import Checkpoints, Task, adapt, class_probabilities

DS2_CHOOSING: Final = ("200", "210", "221", "222")
"""Wearers of DS2 who choose the epoch of the network that judges DS1."""
HALVES: Final = ((DS1, DS1_MODEL_SELECTION, DS2), (DS2, DS2_CHOOSING, DS1))
DECIDED_BY: Final = {
    "procedure": 1,
    "halves": HALVES,
    "one person": SAME_PERSON,
    "enrolment, s": ENROLMENT_S,
    "learning, samples": LEARNING,
    "match, samples": MATCH,
}
"""What decides the result beside recipe and examples; raise the procedure by hand when networks or
beats are chosen or compared differently."""
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
    records = {name: read(obtain(name, data=data)) for name in (*DS1, *DS2)}
    beats = Examples.joined([live_beats(record) for record in records.values()])
    folder = work / recipe
    folder.mkdir(parents=True, exist_ok=True)
    for number, half in enumerate(HALVES):
        shelf = Checkpoints(work / f"half-{number}", progress)
        for name, kind, network in _networks(recipe, beats, half, shelf, seed):
            _write(folder / f"{name}.{EXTENSIONS[kind]}", records[name], network, beats.classes)
    figures = {}
    for kind, extension in EXTENSIONS.items():
        tested = Annotator.find(folder, extension)
        compared = tested.compare(data, lambda _: None)
        command = f"ecgmon evaluate --protocol studies --recipe {recipe}"
        about = (
            f"Beats that the monitor's detector finds, classified {_ABOUT[kind]}: the recipe "
            f"`{recipe}`, trained on the other half of the wearers."
        )
        page.write(tested, compared, out / f"{recipe}-{kind}", command, about)
        figures[kind] = gross(compared).counts.everything()
    return figures


def _networks(
    recipe: str,
    beats: Examples,
    half: tuple[Sequence[str], Sequence[str], Sequence[str]],
    shelf: Checkpoints,
    seed: int,
) -> Iterator[tuple[str, str, nn.Module]]:
    """Yield the networks of each wearer judged in a half: record, kind, network."""
    own, choosing, judged = half
    # A person of two records is in both halves, and judged by networks that know neither.
    known = {name for pair in SAME_PERSON for name in pair}
    fitted_to = [name for name in own if name not in choosing and name not in known]
    part = by_wearer(beats, fitted_to, choosing, judged)
    task = Task(beats[part.training], beats[part.validation], seed, shelf)
    chosen = recipes.recipe(recipe)
    network = list(chosen.systems.values())[-1](task)
    first = beats.samples < ENROLMENT_S * RATE
    for name in judged:
        yield name, "strangers", network
        enrolment = beats[first & (beats.wearers == name)]
        yield name, "fitted", adapt(chosen, network, enrolment, task.training, seed)


def _write(path: Path, record: Record, network: nn.Module, classes: Sequence[str]) -> None:
    found = detect_beats(record.millivolts())
    called = class_probabilities(network, inputs_at(record, found)).argmax(1)
    write_annotations(path, zip(found.tolist(), np.array(classes)[called].tolist(), strict=True))
