"""Protocol ``new-wearer``: what enrolment really faces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgmon.models.bundle import Model
from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import FOLDS, NON_PACED, wearer_folds
from trainer.data.splits import ENROLMENT_S
from trainer.enrolment.enrol import enrol, tuning
from trainer.evaluation.outcome import Outcome, Progress, judge
from trainer.training import build
from trainer.training.batches import Noise


class NewWearer:
    """Five folds of wearers; generic models that never saw them; enrolment on five minutes.

    Windows that share samples through history count as one place: the first window scored begins
    where the enrolment ends, and its history holds enrolment signal but no label of it.
    """

    name = work = "new-wearer"
    models = FOLDS + len(NON_PACED)
    about = """The 44 non-paced records of the MIT-BIH Arrhythmia Database in five folds of wearers
(201 and 202 are one person, in one fold). The generic model of a fold never saw its wearers; each
is enrolled on the record's first five minutes and its annotations, and all is scored on the rest,
which nothing looks at before. Every sixth wearer outside the fold chooses the generic model's epoch
and threshold and is not fitted to.

A scored window's history may reach back into the enrolment's signal, never to a label of the scored
part; the last enrolment window's look-ahead reaches half a second past the fifth minute, into
signal whose labels the enrolment does not know.
"""

    def remarks(self, _: dict[str, Any]) -> str:
        """Return nothing: the page's own tables say all."""
        return ""

    def outcomes(
        self,
        sets: Mapping[str, RecordSet],
        noise: Noise,
        network: str,
        seed: int,
        work: Path,
        progress: Progress,
    ) -> list[Outcome]:
        """Train, enrol and judge; models already in ``work`` are not trained again."""
        outcomes = []
        for number, fold in enumerate(wearer_folds()):
            generic = fold_model(number, sets, noise, network, seed, work)
            rehearsal = [sets[name] for name in fold.training]
            progress(f"generic model of fold {number + 1}")
            for name in fold.strangers:
                own = work / f"{name}.onnx"
                if not own.is_file():
                    way = tuning(generic, sets[name], rehearsal, seed, noise)
                    enrol(generic, sets[name], way, seed, own)
                models = {"generic": Model.load(generic), "enrolled": Model.load(own)}
                judged = {k: judge(m, sets[name], ENROLMENT_S) for k, m in models.items()}
                outcomes.append(Outcome(name, judged))
                progress(name)
        return outcomes


def fold_model(
    number: int,
    sets: Mapping[str, RecordSet],
    noise: Noise,
    network: str,
    seed: int,
    work: Path,
) -> Path:
    """Return the generic model of a fold, trained unless ``work`` has it."""
    fold, path = wearer_folds()[number], work / f"generic-{number}.onnx"
    if not path.is_file():
        training = [sets[name] for name in fold.training]
        choosing = [sets[name] for name in fold.validation]
        build.train_generic(network, training, choosing, seed, path, noise)
    return path
