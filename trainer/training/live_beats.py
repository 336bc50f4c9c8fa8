"""Training of the generic beat model, for people it has never met, and its bundle.

Nothing is chosen while it trains: the number of steps is fixed, and what the classes' frequency in
training does to the probabilities is undone by their frequency among people. What was compared
before, and on whom, is in docs/results/beats.md.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ecgmon.core.constants import RATE
from ecgmon.core.labels import UNLABELLED
from ecgmon.metrics.classes import confusion
from ecgmon.models.beat_bundle import BeatCard, BeatModel
from ecgmon.models.beat_kinds import steadied
from ecgmon.models.card import JudgedClasses, ScoredSpan
from ecgmon.signal.beat_segments import BEAT_RATE, VALUES
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import BeatGroup, groups, labelled, taught
from trainer.data.people import Sides
from trainer.data.splits import ENROLMENT_S
from trainer.networks.beat_context_net import BeatContextNet
from trainer.networks.window_networks import parameter_count
from trainer.training import build
from trainer.training import onnx_export as export
from trainer.training.fit import Epoch, FitSettings, deterministic, fit
from trainer.training.recipe_export import Classes

NAME: Final = "beats"
SETTINGS: Final = FitSettings(
    epochs=9, steps=100, learning_rate=2e-3, seed=0, weight_decay=1e-4, averaging=0.995
)
BATCH: Final = 256
SHARES: Final = (0.58, 0.2, 0.21, 0.0, 0.01)
"""Shares of the classes in a batch, in the order of `CLASSES`; fusion beats teach V."""
POWER: Final = 0.4
"""A lead with k times the beats of a class is drawn k**0.4 times as often for that class: who has
thousands does not teach alone, and who has few is not learned by heart."""
CORRECTED: Final = 0.65
"""Share of the prior that is undone. All of it leaves too many ectopic beats of strangers unseen,
for the network is less sure of them than of those that it learned from: on the choosers the mean F1
of V and S was 0.79 with all, 0.82 with 0.6 and 0.75, and 0.80 with 0.3 of it."""
SMOOTHING: Final = 0.02
"""Share of each label that is spread over all classes."""


class GroupBatches:
    """Batches of beats, drawn by class and by group, with replacement.

    Parameters
    ----------
    of : sequence of BeatGroup
        What is drawn from.
    """

    steps = 1

    def __init__(self, of: Sequence[BeatGroup]) -> None:
        self._inputs = torch.from_numpy(np.concatenate([group.inputs for group in of]))
        labels = np.concatenate([group.labels for group in of])
        self._labels = torch.from_numpy(labels).long()
        which = np.repeat(np.arange(len(of)), [len(group.labels) for group in of])
        cell = which * len(CLASSES) + labels
        counts = np.bincount(cell, minlength=len(of) * len(CLASSES)).astype(np.float64)
        weights = counts.reshape(len(of), -1) ** POWER
        weights *= np.array([group.weight for group in of])[:, None] * (weights > 0)
        weights *= np.array(SHARES) / np.maximum(weights.sum(axis=0), 1e-9)
        each = (weights.ravel() / np.maximum(counts, 1))[cell]
        self._until = np.cumsum(each) / each.sum()

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (`BATCH`, `VALUES`), and labels, shape (`BATCH`,)."""
        found = np.searchsorted(self._until, rng.random(BATCH)).clip(max=len(self._until) - 1)
        which = torch.from_numpy(found)
        return self._inputs[which].float(), self._labels[which]

    def loss(self, network: BeatContextNet, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the cross-entropy of a batch."""
        inputs, labels = batch
        return functional.cross_entropy(network(inputs), labels, label_smoothing=SMOOTHING)


def train(
    sides: Sides,
    prepared: Path,
    path: Path,
    *,
    data: Path | None = None,
    seed: int = 0,
    reading: Callable[[str], None] = lambda _: None,
    progress: Callable[[Epoch], None] = lambda _: None,
) -> BeatModel:
    """Train a generic beat model on the people of a split and write its bundle.

    Parameters
    ----------
    sides : Sides
        Who trains; the card counts what the network calls the beats of the others.
    prepared : Path
        Folder of prepared beats.
    path : Path
        Where the bundle is written.
    data : Path, optional
        Folder of databases to look in first.
    seed : int
        Of the weights, of what is varied, and of which normal beats are drawn from; the order of
        batches is that of `SETTINGS`.
    reading : callable, optional
        Called with each person's first record when its beats are read.
    progress : callable, optional
        Called after each epoch.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """
    deterministic(seed)
    learned = groups(sides.training, prepared, data=data, seed=seed, progress=reading)
    network = fit(BeatContextNet(len(CLASSES)), GroupBatches(learned), SETTINGS, progress=progress)
    fitted, choosing, judged = (
        labelled(side, prepared, data) for side in (sides.training, sides.choosing, sides.judged)
    )
    paced = {name for person in sides.training if person.fold is None for name in person.records}
    # Paced beats would be as frequent as normal ones.
    counts = sum(_counts(lead) for lead in fitted if lead.record not in paced)
    network.prior.copy_(torch.from_numpy(CORRECTED * prior(np.asarray(counts))))
    card = BeatCard(
        name=NAME,
        network=NAME,
        parameters=parameter_count(network),
        wearer=None,
        trained_on=tuple(
            ScoredSpan(lead.record, 0, int(lead.samples[-1]) // RATE + 1) for lead in fitted
        ),
        seed=seed,
        versions=export.versions(),
        created=export.now(),
        classes=CLASSES,
        segments="live",
        channels=1,
        length=VALUES,
        rate=BEAT_RATE,
        beats=tuple(
            sum(int((each.labels == number).sum()) for each in learned)
            for number in range(len(CLASSES))
        ),
        validation=_called(network, "people not fitted to, for choosing", choosing),
        evaluation=_called(network, "people never seen", judged),
    )
    some = choosing[0].inputs[: build.CHECKED_WINDOWS]
    return export.export_served(Classes(network), card, path, some, BeatModel.load)


def prior(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what is added to the logits of a network that was trained on batches of `SHARES`.

    The logarithm of how much more frequent each class is among people than in a batch, against that
    of class N (Saerens, Latinne & Decaestecker 2002).

    Parameters
    ----------
    counts : ndarray of int64, shape (classes,)
        Beats of each class among people.

    Returns
    -------
    ndarray of float32, shape (classes,)
        0 for a class that batches do not have.
    """
    shares = np.array(SHARES)
    rarer = np.log(np.maximum(counts, 1) / np.where(shares > 0, shares, 1))
    return np.where(shares > 0, rarer - rarer[0], 0).astype(np.float32)


def _counts(lead: LeadBeats) -> NDArray[np.int64]:
    """Return how many usable beats teach each class, shape (classes,)."""
    labels = lead.labels[lead.usable & (lead.labels != UNLABELLED)]
    return np.bincount(taught(labels), minlength=len(CLASSES)).astype(np.int64)


def _called(network: BeatContextNet, protocol: str, leads: Sequence[LeadBeats]) -> JudgedClasses:
    """Count what a network calls beats in usable seconds after the first five minutes."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)
    for lead in leads:
        seen = np.flatnonzero(lead.usable)
        inputs, labels = lead.inputs[seen], lead.labels[seen]
        with torch.inference_mode():
            said = network(torch.from_numpy(inputs)).softmax(1).numpy()
        called = steadied(inputs, said, CLASSES).argmax(axis=1)
        counted = (labels != UNLABELLED) & (lead.samples[seen] >= ENROLMENT_S * RATE)
        counts += confusion(labels[counted], called[counted], len(CLASSES))
    records = tuple(dict.fromkeys(lead.record for lead in leads))
    return JudgedClasses(protocol, records, tuple(tuple(row) for row in counts.tolist()))
