"""Protocol ``new-wearer``: what enrolment really faces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecgmon.models.bundle import Model
from trainer.data import people
from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import FOLDS, NON_PACED, wearer_folds
from trainer.data.rhythms import ABNORMAL_RHYTHM, NORMAL_RHYTHM
from trainer.data.splits import ENROLMENT_S
from trainer.data.window_people import KINDS, RHYTHMS, SVDB, Sets, beside, choosers, judged
from trainer.enrolment.enrol import enrol, tuning
from trainer.evaluation.outcome import Outcome, Progress, judge
from trainer.pages import page
from trainer.training import build, window_trainings
from trainer.training.batches import Noise

DATABASES: Final = (people.MITDB, SVDB)
"""Databases whose people can be judged."""


class NewWearer:
    """Five folds of wearers; generic models that never saw them; enrolment on five minutes.

    Windows that share samples through history count as one place: the first window scored begins
    where the enrolment ends, and its history holds enrolment signal but no label of it.

    Parameters
    ----------
    database : str
        One of `DATABASES`: whose people are judged. The models are the same for both.
    """

    work = "new-wearer"

    def __init__(self, database: str = people.MITDB) -> None:
        self._database = database
        own = database == people.MITDB
        self.name = self.work if own else f"{self.work}-{database}"
        self.command = self.work if own else f"{self.work} --database {database}"
        strangers = [p for p in people.people() if p.database == database and p.fold is not None]
        self.models = FOLDS + (len(NON_PACED) if own else len(strangers))
        self.about = page("new_wearer.md.j2", database=database, people=len(strangers))
        self.extra: Mapping[str, Any] = {}

    def remarks(self, figures: dict[str, Any]) -> str:
        """Return how many seconds of ventricular rhythms the generic models call normal."""
        counts = figures["ventricular"]
        rows = [
            [
                name,
                each["ventricular"],
                each["ventricular"] - each["ventricular_called_abnormal"],
                each["normal"],
                each["normal_called_abnormal"],
            ]
            for name, each in counts.items()
        ]
        totals = [sum(row[i] for row in rows) for i in range(1, 5)]
        return page("ventricular.md.j2", rows=rows, totals=totals)

    def outcomes(
        self,
        sets: Sets,
        noise: Noise,
        network: str,
        seed: int,
        work: Path,
        progress: Progress,
    ) -> list[Outcome]:
        """Train, enrol and judge; models already in ``work`` are not trained again."""
        outcomes = []
        ventricular: dict[str, dict[str, int]] = {}
        for number in range(len(wearer_folds())):
            generic = fold_model(number, sets, noise, network, seed, work)
            progress(f"generic model of fold {number + 1}")
            ventricular |= _ventricular(Model.load(generic), number, sets, network)
            rehearsal = rehearsed(number, sets)
            for record in strangers_of(self._database, number, sets):
                own = work / f"{record.wearer}.onnx"
                if not own.is_file():
                    way = tuning(generic, record, rehearsal, seed, noise)
                    enrol(generic, record, way, seed, own, validate=False)
                models = {"generic": Model.load(generic), "enrolled": Model.load(own)}
                verdicts = {k: judge(m, record, ENROLMENT_S) for k, m in models.items()}
                outcomes.append(Outcome(record.wearer, verdicts))
                progress(record.wearer)
        self.extra = {"ventricular": dict(sorted(ventricular.items()))}
        return outcomes


def strangers_of(database: str, number: int, sets: Sets) -> list[RecordSet]:
    """Return the records of a database whose wearers a fold's generic model never saw."""
    if database == people.MITDB:
        return [sets[name][0] for name in wearer_folds()[number].strangers]
    return judged(people.fold(number), sets, [database])


def rehearsed(number: int, sets: Sets) -> list[RecordSet]:
    """Return the records that an enrolment rehearses in a fold: mitdb's that it trains on."""
    return [sets[name][0] for name in wearer_folds()[number].training]


def fold_model(number: int, sets: Sets, noise: Noise, network: str, seed: int, work: Path) -> Path:
    """Return the generic model of a fold, trained unless ``work`` has it.

    The folds of mitdb's people are those of `trainer.data.protocol_splits.wearer_folds`, the others
    those of `trainer.data.people.fold`.
    """
    fold, sides, path = wearer_folds()[number], people.fold(number), work / f"generic-{number}.onnx"
    if not path.is_file():
        kinds = window_trainings.TRAININGS[network].beside
        build.train_generic(
            network,
            [lead for name in fold.training for lead in sets[name]],
            [*(sets[name][0] for name in fold.validation), *choosers(sides, sets, kinds)],
            seed,
            path,
            noise,
            beside=beside(sides, sets, kinds),
        )
    return path


def _ventricular(model: Model, number: int, sets: Sets, network: str) -> dict[str, dict[str, int]]:
    """Count what the generic model calls ventricular and normal seconds of its fold's people."""
    if RHYTHMS not in window_trainings.TRAININGS[network].beside:
        return {}
    counts = {}
    for record in judged(people.fold(number), sets, KINDS[RHYTHMS]):
        found: dict[str, int] = {}
        for name, mark in (("ventricular", ABNORMAL_RHYTHM), ("normal", NORMAL_RHYTHM)):
            rhythm = (record.beats == mark).all(axis=1)
            rhythm[record.unsettled] = False
            called = model.probability(record.inputs[rhythm]) >= model.card.threshold
            found |= {name: len(called), f"{name}_called_abnormal": int(np.sum(called))}
        counts[record.record] = found
    return counts
