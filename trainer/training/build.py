"""Training of the built-in networks, and the fields of their cards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import UsageError
from ecgmon.core.labels import ABNORMAL, UNLABELLED
from ecgmon.models.bundle import Model
from ecgmon.models.card import Card, LabelSource, ScoredSpan, Validation
from trainer.data.dataset import RecordSet
from trainer.networks.window_networks import (
    WindowNetwork,
    parameter_count,
)
from trainer.training import onnx_export as export
from trainer.training import window_trainings
from trainer.training.batches import Group, Noise
from trainer.training.fit import Epoch, deterministic, fit
from trainer.training.scoring import Judgements, best_threshold, judge, probabilities

CHECKED_WINDOWS: Final = 1000
"""Every exported bundle is compared with torch on at most this many real windows."""


def train_generic(
    network: str,
    training: Sequence[RecordSet],
    validation: Sequence[RecordSet],
    seed: int,
    path: Path,
    noise: Noise = (),
    progress: Callable[[Epoch], None] = lambda _: None,
    unseen: Sequence[RecordSet] = (),
    beside: Mapping[str, Sequence[RecordSet]] = MappingProxyType({}),
) -> Model:
    """Train a generic model and export it.

    Parameters
    ----------
    network : str
        Name in `trainer.networks.window_networks.NETWORKS`.
    training : sequence of RecordSet
        Records that it is fitted to.
    validation : sequence of RecordSet
        Records of other wearers, on which epoch and threshold are chosen.
    seed : int
        Seed of all random numbers.
    path : Path
        The bundle to write.
    noise : sequence of ndarray of float32
        Recordings of noise to train with (`trainer.data.noise`).
    progress : callable, optional
        Called after each epoch.
    unseen : sequence of RecordSet, optional
        Records of wearers used for nothing else; the card has the figures on them.
    beside : mapping of str to sequence of RecordSet, optional
        Records of other people who teach, by the kinds that the training has shares for
        (`trainer.data.window_people`).

    Returns
    -------
    Model
    """
    if both := {s.wearer for s in training} & {s.wearer for s in validation}:
        raise UsageError(f"{', '.join(sorted(both))} cannot be trained on and choose as well.")
    recipe = window_trainings.TRAININGS[network]
    deterministic(seed)
    groups = [Group(training, recipe.share, together=recipe.together)]
    groups += [
        Group(beside[kind], share, together=recipe.together)
        for kind, share in recipe.beside.items()
    ]
    teaching = {(s.record, s.first): s for group in groups for s in group.sets}.values()
    fitted = (
        fit(
            recipe.network(),
            recipe.batches(groups, noise),
            replace(recipe.generic, seed=seed),
            score=lambda n: best_threshold(judge(n, validation))[1],
            progress=progress,
        )
        .folded()
        .eval()
    )
    judged = judge(fitted, validation)
    threshold, _ = best_threshold(judged)
    return write_bundle(
        fitted,
        path,
        np.concatenate([s.inputs[:200] for s in validation]),
        name=f"generic-{network}",
        wearer=None,
        threshold=threshold,
        trained=[ScoredSpan(s.record, s.first, s.first + len(s)) for s in teaching],
        windows=np.concatenate([s.taught for s in teaching]),
        validation=validated(
            "wearers not fitted to, who chose epoch and threshold", judged, threshold
        ),
        seed=seed,
        evaluation=validated("wearers never seen", judge(fitted, unseen), threshold)
        if unseen
        else None,
    )


def fine_tune(
    generic: Path,
    wearer: RecordSet,
    seconds: int,
    rehearsal: Sequence[RecordSet],
    seed: int,
    noise: Noise = (),
) -> WindowNetwork:
    """Fine-tune a generic model on a wearer's first labelled windows.

    Parameters
    ----------
    generic : Path
        Bundle to start from.
    wearer : RecordSet
        The wearer's record.
    seconds : int
        Number of its first windows that are fitted to.
    rehearsal : sequence of RecordSet
        Training data of the generic model, for a part of every batch, against forgetting.
    seed : int
        Seed of all random numbers.
    noise : sequence of ndarray of float32
        Recordings of noise to train with (`trainer.data.noise`).

    Returns
    -------
    WindowNetwork
        The fine-tuned network, folded and in evaluation mode.
    """
    deterministic(seed)
    network, card = export.restore(generic)
    recipe = window_trainings.TRAININGS[card.network]
    groups = [
        Group([wearer], recipe.own, stop=seconds),
        Group(rehearsal, recipe.rehearsal),
    ]
    settings = replace(recipe.patient, seed=seed)
    return fit(network, recipe.enrolment(groups, noise), settings)


def validated(protocol: str, judged: Judgements, threshold: float) -> Validation:
    """Return the card's counts of records judged at a threshold."""
    counts = [s.confusion(p, threshold) for s, p in judged]
    tp, fp, tn, fn = (sum(getattr(c, name) for c in counts) for name in ("tp", "fp", "tn", "fn"))
    return Validation(protocol, tuple(s.record for s, _ in judged), tp, fp, tn, fn)


def validated_part(
    protocol: str,
    network: WindowNetwork,
    record: RecordSet,
    threshold: float,
    start: int,
    stop: int,
) -> Validation:
    """Return the card's counts of the windows ``start`` to ``stop - 1`` of one record."""
    judged = probabilities(network, record.inputs[start:stop])
    counts = record.confusion(judged, threshold, start)
    return Validation(protocol, (record.record,), counts.tp, counts.fp, counts.tn, counts.fn)


def write_bundle(
    network: WindowNetwork,
    path: Path,
    checked: NDArray[np.float32],
    *,
    name: str,
    wearer: str | None,
    threshold: float,
    trained: Sequence[ScoredSpan],
    windows: NDArray[np.int8],
    validation: Validation,
    seed: int,
    enrolment: ScoredSpan | None = None,
    labels: LabelSource = "annotations",
    evaluation: Validation | None,
    usual_beat: tuple[float, ...] = (),
) -> Model:
    """Write the bundle of a network; fill in the card's fields about the network and this machine.

    Parameters
    ----------
    network : WindowNetwork
        The network, folded and in evaluation mode.
    path : Path
        The bundle to write.
    checked : ndarray of float32, shape (n, inputs)
        Real windows; the bundle is compared with the network on the first `CHECKED_WINDOWS`.
    trained : sequence of ScoredSpan
        Spans of all records that the network was ever fitted to.
    windows : ndarray of int8
        Labels of the windows that it was fitted to in this training.

    Other arguments are fields of the card.
    """
    geometry = network.geometry
    card = Card(
        name=name,
        network=network.name,
        parameters=parameter_count(network),
        wearer=wearer,
        threshold=threshold,
        history_s=geometry.history_s,
        look_ahead_s=geometry.look_ahead_s,
        rate=geometry.rate,
        unit=geometry.unit,
        trained_on=tuple(trained),
        enrolment=enrolment,
        labels=labels,
        windows=int(np.sum(windows != UNLABELLED)),
        abnormal_windows=int(np.sum(windows == ABNORMAL)),
        validation=validation,
        evaluation=evaluation,
        usual_beat=usual_beat,
        seed=seed,
        versions=export.versions(),
        created=export.now(),
    )
    return export.export(network, card, path, checked[:CHECKED_WINDOWS])
