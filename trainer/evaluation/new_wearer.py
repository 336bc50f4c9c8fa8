"""Protocol ``new-wearer``: what enrolment really faces.

The 44 non-paced records in five folds of wearers. The generic model of a fold never saw its
strangers; each is enrolled on the first five minutes of the record, and both models are scored on
the rest, which nothing looks at before.

Windows that share samples through history count as one place: the first window scored begins where
the enrolment ends, and its history holds enrolment signal but no label of it; the enrolment's last
look-ahead reaches half a second past its end, into signal whose label it does not know.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgmon.bundle import Model
from trainer import build
from trainer.dataset import RecordSet
from trainer.evaluation.figures import Judged, calibration, figures, mean, pooled
from trainer.protocols import FOLDS, NON_PACED, Fold, wearer_folds
from trainer.splits import ENROLMENT_S, VALIDATION

KINDS: Final = ("generic", "enrolled")
MODELS: Final = len(NON_PACED) + FOLDS
"""How many models there are to report progress on."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wearer:
    """One wearer's scored windows, as both models judged them."""

    name: str
    generic: Judged
    enrolled: Judged


def evaluate(
    sets: Mapping[str, RecordSet],
    network: str,
    seed: int,
    work: Path,
    progress: Progress = lambda _: None,
) -> list[Wearer]:
    """Train, enrol and judge; models already in ``work`` are not trained again.

    Parameters
    ----------
    sets : mapping of str to RecordSet
        All records by wearer.
    network : str
        Name in `trainer.networks.NETWORKS`.
    seed : int
        Of everything random.
    work : Path
        Folder for the models on the way.
    progress : callable
        Called with a word on each model when it is ready.

    Returns
    -------
    list of Wearer
        In the order of the folds.
    """
    judged = []
    for number, fold in enumerate(wearer_folds()):
        generic = work / f"generic-{number}.onnx"
        _generic(sets, network, seed, fold, generic)
        progress(f"generic model of fold {number + 1}")
        rehearsal = [sets[name] for name in fold.training]
        for name in fold.strangers:
            own = work / f"{name}.onnx"
            if not own.is_file():
                build.train_patient(generic, sets[name], rehearsal, seed, own, lambda _: None)
            judged.append(
                Wearer(
                    name,
                    _judge(Model.load(generic), sets[name]),
                    _judge(Model.load(own), sets[name]),
                )
            )
            progress(name)
    return judged


def _generic(
    sets: Mapping[str, RecordSet], network: str, seed: int, fold: Fold, path: Path
) -> None:
    if path.is_file():
        return
    build.train_generic(
        network,
        [sets[name] for name in fold.training],
        [sets[name] for name in fold.validation],
        seed,
        path,
        lambda _: None,
    )


def _judge(model: Model, record: RecordSet) -> Judged:
    return Judged(
        record.labels[ENROLMENT_S:],
        model.probability(record.inputs[ENROLMENT_S:]),
        model.card.threshold,
    )


def result(wearers: Sequence[Wearer]) -> dict[str, Any]:
    """Return the result file's content.

    ``mean`` is over the wearers that have a figure: balanced accuracy needs both classes. The
    wearers on whom the recipe was chosen are left out of the figures named ``unchosen``.
    """
    unchosen = [w for w in wearers if w.name not in VALIDATION]
    return {
        "protocol": "new-wearer",
        "wearers": len(wearers),
        "pooled": {k: pooled(_confusions(wearers, k)) for k in KINDS},
        "mean": {k: mean(_confusions(wearers, k)) for k in KINDS},
        "unchosen": {
            "left_out": list(VALIDATION),
            "pooled": {k: pooled(_confusions(unchosen, k)) for k in KINDS},
            "mean": {k: mean(_confusions(unchosen, k)) for k in KINDS},
        },
        "calibration": {k: calibration([getattr(w, k) for w in wearers]) for k in KINDS},
        "per_wearer": {
            w.name: {k: figures(getattr(w, k).confusion) for k in KINDS}
            for w in sorted(wearers, key=lambda w: w.name)
        },
        "worst_enrolled": float(
            np.min(
                [b for w in wearers if (b := w.enrolled.confusion.balanced_accuracy) is not None]
            )
        ),
    }


def _confusions(wearers: Sequence[Wearer], kind: str) -> list[Any]:
    return [getattr(wearer, kind).confusion for wearer in wearers]
