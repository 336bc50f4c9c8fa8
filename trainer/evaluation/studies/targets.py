"""The published figures as targets of ours: measured under the same split, met or missed."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ecgmon.metrics.classes import Figures
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.run import SystemResult
from trainer.evaluation.studies.study_jobs import OfCell
from trainer.evaluation.studies.tables import MarkdownTable, mean_recall
from trainer.evaluation.transfer import infarction
from trainer.training.recipe import Recipe

DIGITS: Final = MappingProxyType(
    {"accuracy": 4, "mean recall": 3, "F1": 2, "balanced accuracy": 3, "PTB accuracy": 4}
)
"""Decimals that the publications give of a figure; ours is compared as rounded to as many."""
_LAST: Final = "last 4"
"""The transfer that the publication calls as good as a training from scratch."""
_Row = tuple[str, str, str, float, float]
"""System, figure as it is called, its name in `DIGITS`, target, measured."""


def targets(
    recipe: Recipe,
    judged: Sequence[tuple[OfCell, SystemResult]],
    transferred: Mapping[str, Any] | None,
) -> MarkdownTable:
    """Return target, measured, met or missed, for each published figure and system of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Whose publication sets the targets.
    judged : sequence of tuple
        Its jobs and what came of their systems.
    transferred : mapping or None
        What came of study 3's transfer, if the recipe is study 3's.
    """
    rows = [row for job, each in judged for row in _of_system(recipe, job, each)]
    if transferred is not None:
        own = transferred["beat-wise"][_LAST]
        rows += [
            (f"transfer to PTB, {_LAST}", name, name, target, own[name])
            for name, target in infarction.PUBLISHED.items()
        ]
    return MarkdownTable(
        ["random split", "figure", "target", "measured", "verdict"],
        [_cells(*row) for row in rows],
        left=2,
    )


def _of_system(recipe: Recipe, job: OfCell, judged: SystemResult) -> Iterator[_Row]:
    stated = recipe.published.get(judged.system, recipe.published.get("published", {}))
    figures = Figures(judged.counts)
    if job.split == Split.PTB_RANDOM and "PTB accuracy" in stated:
        yield (
            judged.system,
            "PTB accuracy",
            "PTB accuracy",
            stated["PTB accuracy"],
            figures.accuracy,
        )
    if job.split != Split.RANDOM:
        return
    own = recipe.published.get(judged.kind, {}).get("balanced accuracy")
    if own is not None:
        each = [Figures(np.array(counts)).mean_recall for counts in judged.per_wearer.values()]
        name = f"mean balanced accuracy, {len(each)} wearers"
        yield judged.kind, name, "balanced accuracy", own, float(np.mean(each))
    if judged.kind != "trained":
        return
    if "accuracy" in stated:
        yield judged.system, "accuracy", "accuracy", stated["accuracy"], figures.accuracy
    if "mean recall" in stated:
        recall = mean_recall(judged.counts)
        yield judged.system, "mean recall", "mean recall", stated["mean recall"], recall
    for name, f1 in zip(judged.classes, figures.at_equal_classes().f1, strict=True):
        if (target := stated.get(f"{name} F1")) is not None:
            yield judged.system, f"F1 of {name}, at equal classes", "F1", target, float(f1)


def _cells(system: str, figure: str, name: str, target: float, measured: float) -> list[str]:
    digits = DIGITS[name]
    met = round(measured, digits) >= target
    return [
        system,
        figure,
        f"{target:.{digits}f}",
        f"{measured:.4f}",
        "**met**" if met else "**missed**",
    ]
