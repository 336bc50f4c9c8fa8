"""One cell of the table: the systems of a recipe under a protocol, trained and judged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from torch import nn

from ecgmon.core.atomic import atomic_write
from ecgmon.metrics.classes import confusion
from trainer import recipes
from trainer.data.examples import Examples
from trainer.evaluation.studies.parts import Parts, Split, parts
from trainer.training.fit import Epoch
from trainer.training.recipe import Checkpoints, Recipe, Task, adapt, class_probabilities

Progress = Callable[[str, Epoch], None]
Counts = dict[str, list[list[int]]]
"""Confusion matrix of each wearer."""


class SystemResult(msgspec.Struct, frozen=True):
    """What came of a system: confusion matrices by wearer.

    Parameters
    ----------
    system : str
        Its name in the recipe.
    kind : str
        *trained* on others or everybody, *adapted* to each wearer, *fine-tuned* to each with
        examples to choose with, or *individual*.
    classes : tuple of str
        Their names.
    per_wearer : mapping of str to list of lists of int
        Examples by class (rows) and by what they were called (columns).
    """

    system: str
    kind: str
    classes: tuple[str, ...]
    per_wearer: Counts

    @property
    def counts(self) -> NDArray[np.float64]:
        """The confusion matrix over all wearers."""
        counts: NDArray[np.float64] = np.sum(list(self.per_wearer.values()), axis=0, dtype=float)
        return counts


@dataclass(frozen=True, slots=True)
class Experiment:
    """A recipe under a protocol.

    Parameters
    ----------
    recipe : str
        Name of the recipe.
    split : Split
        The protocol.
    data : str
        What the examples are: *windows*, *published* beats, *live* ones, or those of *ptb*.
    """

    recipe: str
    split: Split
    data: str

    @property
    def name(self) -> str:
        """What its results are kept as."""
        return f"{self.recipe}-{self.split}-{self.data}"

    @property
    def base(self) -> str:
        """Where the networks are kept that it begins with: DS1's serve two protocols."""
        split = Split.INTER_PATIENT if self.split == Split.PATIENT_SPECIFIC else self.split
        return f"{self.recipe}-{split}-{self.data}"


def run(
    cell: Experiment, examples: Examples, seed: int, work: Path, progress: Progress
) -> Iterator[SystemResult]:
    """Train and judge a cell's systems; what ``work`` holds already is not done again.

    Yields
    ------
    Judged
        As soon as it is known.
    """
    recipe = recipes.recipe(cell.recipe)
    folds = parts(examples, cell.split, seed)
    for system in recipe.systems:
        path = work / cell.name / f"{system}.json"
        if not path.is_file():
            judged = [
                _judge(
                    recipe,
                    system,
                    examples,
                    part,
                    seed,
                    Checkpoints(work / cell.base / str(number), progress),
                )
                for number, part in enumerate(folds)
            ]
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, msgspec.json.encode(_merged(judged)))
        yield from msgspec.json.decode(path.read_bytes(), type=list[SystemResult])


def _judge(
    recipe: Recipe, system: str, examples: Examples, part: Parts, seed: int, shelf: Checkpoints
) -> dict[str, SystemResult]:
    """Return what came of each kind of network, in one fold."""
    task = Task(examples[part.training], examples[part.validation], seed, shelf)
    network = recipe.systems[system](task)
    test = examples[part.test]
    counts = {"trained": _counts(network, test)}
    for wearer, (own, choosing) in part.own.items():
        scored = test[test.wearers == wearer]
        adapted = adapt(recipe, network, examples[own], task.training, seed)
        counts.setdefault("adapted", {}).update(_counts(adapted, scored))
        if recipe.individual and choosing.any():
            alone = recipe.individual(Task(examples[own], examples[choosing], seed, shelf), wearer)
            counts.setdefault("individual", {}).update(_counts(alone, scored))
    return {
        kind: SystemResult(system, kind, examples.classes, each) for kind, each in counts.items()
    }


def _merged(folds: Sequence[dict[str, SystemResult]]) -> list[SystemResult]:
    """Return what came of all folds; no wearer is tested in two."""
    return [
        msgspec.structs.replace(
            judged,
            per_wearer={w: c for fold in folds for w, c in fold[kind].per_wearer.items()},
        )
        for kind, judged in folds[0].items()
    ]


def _counts(network: nn.Module, test: Examples) -> Counts:
    called = class_probabilities(network, test.inputs).argmax(1)
    counts = {}
    for wearer in np.unique(test.wearers):
        own = test.wearers == wearer
        counted = confusion(test.labels[own], called[own], len(test.classes))
        counts[str(wearer)] = counted.tolist()
    return counts
