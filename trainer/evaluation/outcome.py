"""The outcome of an evaluation: every wearer's windows as each kind of model judged them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ecgmon.core.labels import UNLABELLED
from ecgmon.models.bundle import Model
from trainer.data.dataset import RecordSet
from trainer.data.window_people import Sets
from trainer.evaluation.figures import JudgedWindows, calibration, figures, mean, pooled
from trainer.training.batches import Noise

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One wearer's scored windows by kind of model, for example ``generic`` and ``enrolled``."""

    wearer: str
    judged: Mapping[str, JudgedWindows]


class Evaluation(Protocol):
    """A protocol that can be evaluated."""

    name: str
    work: str
    """Name of the protocol whose models it begins with; its own unless they are shared."""
    models: int
    """How many models there are to report progress on."""
    about: str
    """What the page says of it, in Markdown."""
    command: str
    """What follows ``--protocol`` to compute it."""
    extra: Mapping[str, Any]
    """What its result holds besides figures of windows, once there are outcomes."""

    def remarks(self, figures: dict[str, Any]) -> str:
        """Return what else the page says of the figures, in Markdown."""
        ...

    def outcomes(
        self,
        sets: Sets,
        noise: Noise,
        network: str,
        seed: int,
        work: Path,
        progress: Progress,
    ) -> list[Outcome]:
        """Train and judge; models already in ``work`` are not trained again."""
        ...


def judge(model: Model, record: RecordSet, start: int = 0) -> JudgedWindows:
    """Judge a record's windows from ``start`` on with a bundle, as the monitor would.

    Seconds whose history is no signal are left out: a monitor does not classify them.
    """
    labels = record.labels.copy()
    labels[record.unsettled] = UNLABELLED
    labels = labels[start:]
    known = int(np.sum(record.labels[start:] != UNLABELLED))
    return JudgedWindows(
        labels,
        model.probability(record.inputs[start:]),
        model.card.threshold,
        known - int(np.sum(labels != UNLABELLED)),
    )


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the kinds of model, in the order of the protocol."""
    return list(outcomes[0].judged)


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return pooled figures and means over wearers, by kind of model.

    A mean is over the wearers that have the figure: balanced accuracy needs both classes.
    """
    confusions = {
        kind: [outcome.judged[kind].confusion for outcome in outcomes] for kind in kinds(outcomes)
    }
    return {
        "pooled": {kind: pooled(each) for kind, each in confusions.items()},
        "mean": {kind: mean(each) for kind, each in confusions.items()},
    }


def result(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of a protocol: `summary`, calibration and every wearer."""
    return summary(outcomes) | {
        "wearers": len(outcomes),
        "left_out": sum(outcome.judged[kinds(outcomes)[0]].left_out for outcome in outcomes),
        "calibration": {
            kind: calibration([outcome.judged[kind] for outcome in outcomes])
            for kind in kinds(outcomes)
        },
        "per_wearer": {
            outcome.wearer: {
                kind: figures(judged.confusion) for kind, judged in outcome.judged.items()
            }
            for outcome in sorted(outcomes, key=lambda outcome: outcome.wearer)
        },
    }
