"""Infarction or healthy: what a network that has learned arrhythmias brings to it.

Every beat is judged once, by a network that was trained on other patients. The publications' random
split of beats, which lets a network know the patients it is tested on, is reported beside it.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainer.data.examples import Examples
from trainer.data.protocol_splits import TEST, refuse_two_sides, stratified_split
from trainer.evaluation.transfer.folds import FOLDS, patient_folds
from trainer.evaluation.transfer.last_layers import BATCH, SETTINGS, STEPS, from_scratch, retrained
from trainer.recipes.transfer import DENSE, TransferNet
from trainer.training.fit import Epoch
from trainer.training.recipe import class_probabilities, recalls

PUBLISHED: Final[Mapping[str, float]] = MappingProxyType({"accuracy": 0.9941, "mean recall": 0.992})
"""Technion report, PTB beats, random split."""
SCRATCH: Final = "from scratch"
KINDS: Final = MappingProxyType({f"last {k}": k for k in range(1, DENSE + 1)} | {SCRATCH: 0})
"""Dense layers that are retrained, by the kind's name; 0 where all is trained from scratch."""
RESAMPLES: Final = 2000
_CONFIDENCE: Final = (2.5, 97.5)
DECIDED_BY: Final = {
    "procedure": 1,
    "training": SETTINGS,
    "batch": BATCH,
    "fewest steps": STEPS,
    "folds": FOLDS,
    "kinds": KINDS,
    "resamples": RESAMPLES,
    "confidence": _CONFIDENCE,
}
"""What decides the result beside recipe and examples; raise the procedure by hand when networks are
retrained or judged differently."""

Progress = Callable[[str, Epoch], None]


def transfer(
    network: TransferNet,
    examples: Examples,
    *,
    fold: NDArray[np.int8] | None = None,
    seed: int = 1,
    work: Path | None = None,
    progress: Progress = lambda _part, _epoch: None,
) -> dict[str, Any]:
    """Retrain the last dense layers of a network on another task, and judge it by patients.

    Parameters
    ----------
    network : TransferNet
        Trained on MIT-BIH's five classes.
    examples : Examples
        Of the other task; see `trainer.data.beats.ptb.beats`.
    fold : ndarray of int8, shape (n,), optional
        Each beat's fold; patients dealt into `FOLDS` where not given.
    seed : int
        Of folds, weights, order and intervals.
    work : Path, optional
        Folder in which finished parts are kept; None keeps nothing.
    progress : callable
        Called with the part's name, such as *fold 2, last 1*, after each of its epochs.

    Returns
    -------
    dict
        Ready for JSON: *classes*, *patients* (diagnosis and beats of each), and by kind of network
        *patient-wise* and *beat-wise*, see `figures`, with *seconds* of processor time a training.

    Raises
    ------
    UsageError
        If a fold shares a patient with another, or a class has too few patients.
    """
    given = patient_folds(examples, FOLDS, seed) if fold is None else fold
    names = np.unique(given)
    refuse_two_sides(*(np.unique(examples.wearers[given == number]) for number in names))
    test = stratified_split(examples.labels, seed, choosing=0) == TEST
    by_patient, by_beat = {}, {}
    for kind in KINDS:
        train = partial(_judged, network, kind, seed=seed, work=work, progress=progress)
        called = np.zeros(len(examples), dtype=np.intp)
        seconds = []
        for number in names:
            own = given == number
            part = f"fold {number + 1}, {kind}"
            called[own], spent = train(part, examples[~own], examples[own])
            seconds.append(spent)
        by_patient[kind] = figures(examples, called, seed) | {"seconds": float(np.mean(seconds))}
        called_right, spent = train(f"beats, {kind}", examples[~test], examples[test])
        by_beat[kind] = _shares(examples[test], called_right) | {"seconds": spent}
    return {
        "classes": list(examples.classes),
        "patients": _patients(examples),
        "patient-wise": by_patient,
        "beat-wise": by_beat,
    }


def figures(examples: Examples, called: NDArray[np.intp], seed: int) -> dict[str, Any]:
    """Return how well beats were called, over all and by patient.

    Returns
    -------
    dict
        *accuracy*, *mean recall* and *recalls* by class; *intervals*: 95 % confidence intervals of
        the first two by bootstrap over the patients of each class; *by patient*: the share of
        beats called right; *patients right*: how many have more than half of theirs right.
    """
    right = called == examples.labels
    names = np.unique(examples.wearers).tolist()
    share = {name: float(np.mean(right[examples.wearers == name])) for name in names}
    return _shares(examples, called) | {
        "intervals": _intervals(examples, right, seed),
        "by patient": share,
        "patients right": sum(each > 0.5 for each in share.values()),
    }


def _judged(
    network: TransferNet,
    kind: str,
    part: str,
    training: Examples,
    test: Examples,
    *,
    seed: int,
    work: Path | None,
    progress: Progress,
) -> tuple[NDArray[np.intp], float]:
    """Train one network; return what it calls the test beats, and seconds of processor time."""
    path = work / f"{part.replace(', ', '-').replace(' ', '-')}.json" if work else None
    if path and path.is_file():
        stored = json.loads(path.read_text())
        return np.array(stored["called"], dtype=np.intp), stored["seconds"]
    began = time.process_time()
    report = partial(progress, part)
    trained = (
        retrained(network, KINDS[kind], training, seed, report)
        if KINDS[kind]
        else from_scratch(training, seed, report)
    )
    seconds = time.process_time() - began
    called = class_probabilities(trained, test.inputs).argmax(1)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"called": called.tolist(), "seconds": seconds}))
        new.replace(path)
    return called, seconds


def _shares(examples: Examples, called: NDArray[np.intp]) -> dict[str, Any]:
    each = recalls(examples.labels, called, len(examples.classes))
    return {
        "accuracy": float(np.mean(called == examples.labels)),
        "mean recall": float(np.mean(each)),
        "recalls": dict(zip(examples.classes, each, strict=True)),
    }


def _intervals(
    examples: Examples, right: NDArray[np.bool_], seed: int
) -> dict[str, tuple[float, float]]:
    """Draw as many patients of each class as there are, again and again."""
    rng = np.random.default_rng(seed)
    drawn = []  # right ones and all of each class, shape (classes, 2, RESAMPLES)
    for label in range(len(examples.classes)):
        own = examples.labels == label
        _, patient = np.unique(examples.wearers[own], return_inverse=True)
        counts = np.array([np.bincount(patient, right[own]), np.bincount(patient)])
        which = rng.integers(counts.shape[1], size=(RESAMPLES, counts.shape[1]))
        drawn.append(counts[:, which].sum(-1))
    correct, all_ = np.stack(drawn, axis=1)
    accuracy, recall = correct.sum(0) / all_.sum(0), (correct / all_).mean(0)
    return {
        name: tuple(np.percentile(values, _CONFIDENCE).tolist())
        for name, values in (("accuracy", accuracy), ("mean recall", recall))
    }


def _patients(examples: Examples) -> dict[str, dict[str, Any]]:
    names, first, beats = np.unique(examples.wearers, return_index=True, return_counts=True)
    return {
        str(name): {"diagnosis": examples.classes[examples.labels[at]], "beats": int(count)}
        for name, at, count in zip(names, first, beats, strict=True)
    }
