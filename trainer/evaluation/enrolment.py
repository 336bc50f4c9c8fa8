"""Protocol ``enrolment``: the ways of enrolling a new wearer, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core import labels
from ecgmon.core.constants import RATE
from ecgmon.core.errors import UsageError
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.models.card import LabelSource
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import FOLDS, NON_PACED, wearer_folds
from trainer.data.splits import ENROLMENT_S
from trainer.data.window_people import Sets
from trainer.enrolment.baseline import NotUsualError, assumed_normal
from trainer.enrolment.beats import WearerBeats
from trainer.enrolment.enrol import enrol, tuning
from trainer.enrolment.labelled import MATCH, beat_labels, labelled
from trainer.enrolment.questions import MOST, Questions
from trainer.enrolment.signal import EnrolmentSignal, take
from trainer.evaluation.new_wearer import fold_model, rehearsed
from trainer.evaluation.outcome import Outcome, Progress, judge
from trainer.networks.window_networks import NETWORKS, BeatNet
from trainer.pages import page
from trainer.training.batches import Noise
from trainer.training.onnx_export import restore

WORKERS: Final = 2
WRONG: Final = 2
"""Of twenty answers of the reviewer who errs."""
WORSE: Final = 0.02
"""Loss of balanced accuracy from which on a wearer is named."""
MOSTLY_NORMAL: Final = 0.05
WAYS: Final = ("annotated", "reviewed", "reviewed-erring", "assumed-normal")


@dataclass(frozen=True, eq=False, slots=True)
class EnrolmentTask:
    """One wearer to be enrolled in every way."""

    record: Record
    wearer: RecordSet
    rehearsal: list[RecordSet]
    noise: Noise
    generic: Path
    seed: int
    work: Path


class EnrolmentProtocol:
    """New-wearer's folds, generic models and scored windows; the ways of enrolling.

    Parameters
    ----------
    data : Path, optional
        Folder to look for records in first.
    """

    name = command = "enrolment"
    extra: Mapping[str, Any] = MappingProxyType({})
    work = "new-wearer"
    models = FOLDS + len(NON_PACED)
    about = f"""New-wearer's wearers, folds, generic models and scored windows. Each wearer's first
five minutes are enrolled on in four ways. *annotated*: with the record's annotations, as in
new-wearer. *reviewed*: with nothing but {MOST} answers of a simulated reviewer, who is asked
about single beats that the monitor's detector found and says what the annotation within
{1000 * MATCH // RATE} ms of each is, and *unusable* where there is none. *reviewed-erring*: the
same, with {WRONG} of the {MOST} answers turned round. *assumed-normal*: without any label;
where the generic model finds more than a quarter of the five minutes abnormal this is refused,
and the generic model goes on.
"""

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._usual: list[str] = []

    def outcomes(
        self,
        sets: Sets,
        noise: Noise,
        network: str,
        seed: int,
        work: Path,
        progress: Progress,
    ) -> list[Outcome]:
        """Train, enrol and judge; models already in ``work`` are not made again."""
        if NETWORKS[network] is not BeatNet:
            raise UsageError(f"--protocol enrolment is for beatnet, not for {network}.")
        outcomes = []
        first = {name: sets[name][0].labels[:ENROLMENT_S] for name in NON_PACED}
        self._usual = [
            name
            for name, each in first.items()
            if np.mean(each == labels.ABNORMAL) <= MOSTLY_NORMAL
        ]
        for number, fold in enumerate(wearer_folds()):
            generic = fold_model(number, sets, noise, network, seed, work)
            progress(f"generic model of fold {number + 1}")
            rehearsal = rehearsed(number, sets)
            tasks = (
                EnrolmentTask(
                    read(obtain(name, data=self._data)),
                    sets[name][0],
                    rehearsal,
                    noise,
                    generic,
                    seed,
                    work,
                )
                for name in fold.strangers
            )
            # Each export leaves memory behind, so workers do not live long.
            with get_context("spawn").Pool(WORKERS, maxtasksperchild=3) as pool:
                for outcome in pool.imap_unordered(enrol_in_all_ways, tasks):
                    outcomes.append(outcome)
                    progress(outcome.wearer)
                pool.close()
                pool.join()  # else it is torn down in the middle of its own clearing up
        return sorted(outcomes, key=lambda outcome: outcome.wearer)

    def remarks(self, figures: dict[str, Any]) -> str:
        """Return how much of the annotations' gain each way brings, and who is worse off."""
        means = {kind: each["balanced_accuracy"] for kind, each in figures["mean"].items()}
        gain = means["annotated"] - means["generic"]
        ways = []
        for way in WAYS:
            changes = {
                wearer: each[way]["balanced_accuracy"] - each["generic"]["balanced_accuracy"]
                for wearer, each in figures["per_wearer"].items()
                if each["generic"]["balanced_accuracy"] is not None
            }
            worse = [f"{w} ({change:+.3f})" for w, change in changes.items() if change < -WORSE]
            ways.append((way, (means[way] - means["generic"]) / gain, worse))
        return page(
            "enrolment-remarks.md.j2",
            ways=ways,
            usual=len(self._usual),
            mostly_normal=MOSTLY_NORMAL,
            pooled=[
                self._pooled(figures, way) for way in ("generic", "assumed-normal", "annotated")
            ],
        )

    def _pooled(self, figures: dict[str, Any], way: str) -> list[str]:
        """Return what a way brings to those of whom it is nearly true that all is normal."""
        each = [figures["per_wearer"][name][way] for name in self._usual]
        counts = Confusion(*(sum(one[n] for one in each) for n in ("tp", "fp", "tn", "fn")))
        shares = (f"{counts.balanced_accuracy:.3f}", f"{counts.f1:.3f}")
        return [way, *shares, f"{counts.fp:,}", f"{counts.fn:,}"]


def model_path(work: Path, wearer: str, way: str) -> Path:
    """Return where a wearer's model is; there is none where its way is refused."""
    suffix = "" if way == "annotated" else f"-{way}"  # those are new-wearer's own
    return work / f"{wearer}{suffix}.onnx"


def enrol_in_all_ways(task: EnrolmentTask) -> Outcome:
    """Return how the rest of a wearer's record is judged after each way of enrolling."""
    signal = take(task.record, BeatNet, ENROLMENT_S)
    judged = {"generic": judge(Model.load(task.generic), task.wearer, ENROLMENT_S)}
    for way in WAYS:
        path = model_path(task.work, task.wearer.wearer, way)
        if not path.is_file():
            try:
                _enrol(task, signal, way, path)
            except NotUsualError:
                path = task.generic
        judged[way] = judge(Model.load(path), task.wearer, ENROLMENT_S)
    return Outcome(task.wearer.wearer, judged)


def _enrol(task: EnrolmentTask, signal: EnrolmentSignal, way: str, path: Path) -> None:
    wearer, generic, seed = task.wearer, task.generic, task.seed
    if way == "assumed-normal":
        usual = labelled(signal, np.full(len(signal.beats), labels.NORMAL, dtype=np.int8))
        enrol(generic, usual, assumed_normal(generic, signal, seed), seed, path, validate=False)
        return
    source: LabelSource = "annotations"
    if way != "annotated":
        wearer = labelled(signal, review(task, signal, WRONG if way == "reviewed-erring" else 0))
        source = "review"
    how = tuning(generic, wearer, task.rehearsal, seed, task.noise, labels=source)
    enrol(generic, wearer, how, seed, path, validate=False)


def review(
    task: EnrolmentTask, signal: EnrolmentSignal, wrong: int, most: int = MOST
) -> NDArray[np.int8]:
    """Return the labels of beats that a simulated reviewer's answers give.

    Parameters
    ----------
    task : EnrolmentTask
        Whose record's annotations the reviewer knows.
    signal : EnrolmentSignal
        Of the enrolment.
    wrong : int
        How many of the answers are turned round.
    most : int
        How many questions are answered.
    """
    network, _ = restore(task.generic)
    if not isinstance(network, BeatNet):
        raise TypeError("beats are described by BeatNet")
    beats = WearerBeats(network, signal.record, signal.beats)
    questions = Questions(signal.beats, beats.distance, beats.suspicion)
    truth = beat_labels(signal)
    rng = np.random.default_rng([task.seed, int(task.wearer.wearer)])
    mistakes = set(rng.choice(most, wrong, replace=False).tolist())
    answers: dict[int, int | None] = {}
    for number in range(most):
        if (beat := questions.next(answers)) is None:
            break
        answer = int(truth[beat])
        if number in mistakes and answer != labels.UNLABELLED:
            answer = labels.NORMAL if answer == labels.ABNORMAL else labels.ABNORMAL
        answers[beat] = answer
    return questions.spread(answers)
