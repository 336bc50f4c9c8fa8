"""A wearer's own beat model: the generic network's dense layers, fitted to five annotated minutes.

The convolutions stay those of everybody. Half of each batch rehearses the people whom the generic
network was trained on: five minutes often hold no ectopic beat, and would teach that there is none.
What was compared, on the choosers of fold 3 (once, by no command): all layers or the dense ones,
100 or 200 steps. The mean F1 of V and S rose from 0.86 to 0.90 with each of them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ecgmon.core.constants import RATE
from ecgmon.core.errors import BundleError
from ecgmon.core.labels import UNLABELLED
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.card import JudgedClasses, ScoredSpan
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import BeatGroup, taught
from trainer.networks.beat_context_net import BeatContextNet
from trainer.training import build
from trainer.training import onnx_export as export
from trainer.training.fit import FitSettings, deterministic, fit
from trainer.training.live_beats import NAME, SMOOTHING, GroupBatches
from trainer.training.recipe_export import Classes

SETTINGS: Final = FitSettings(
    epochs=1,
    steps=200,
    learning_rate=1e-3,
    seed=0,
    weight_decay=1e-4,
    schedule="constant",
    averaging=0.98,
)
OWN: Final = 64
"""Beats of a batch that are the wearer's; as many rehearse."""
POWER: Final = 0.5
"""A class with k times the beats is drawn k**0.5 times as often from the wearer's."""
SHARED: Final = ("shape.0", "shape.3", "shape.6", "shape.9", "normalised")
"""Layers that stay those of the generic network."""


class OwnBatches:
    """Batches of a wearer's beats, and as many of other people.

    Parameters
    ----------
    inputs : ndarray of float32, shape (n, `VALUES`)
        The wearer's beats.
    labels : ndarray of int8, shape (n,)
        Their classes.
    others : GroupBatches
        What is rehearsed.
    """

    steps = 1

    def __init__(
        self, inputs: NDArray[np.float32], labels: NDArray[np.int8], others: GroupBatches
    ) -> None:
        self._inputs, self._labels = torch.from_numpy(inputs), torch.from_numpy(labels).long()
        counts = np.bincount(labels, minlength=len(CLASSES)).astype(np.float64)
        weights = (counts**POWER * (counts > 0) / np.maximum(counts, 1))[labels]
        self._share = weights / weights.sum()
        self._others = others

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs and labels, `OWN` of the wearer, then as many of others."""
        inputs, labels = self._others.draw(rng)
        own = torch.from_numpy(rng.choice(len(self._labels), OWN, p=self._share))
        return (
            torch.cat([self._inputs[own], inputs[:OWN]]),
            torch.cat([self._labels[own], labels[:OWN]]),
        )

    def loss(self, network: BeatContextNet, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the cross-entropy: of the wearer's beats as served, of the others' without prior.

        The wearer's beats are as frequent as they are; those of others are drawn by class, as the
        generic network was trained.
        """
        inputs, labels = batch
        network.normalised.eval()  # the context of one wearer is not that of people
        logits = network(inputs)
        others = torch.cat([logits[:OWN], logits[OWN:] - network.prior])
        return functional.cross_entropy(others, labels, label_smoothing=SMOOTHING)


def adapt(
    generic: Path, own: LeadBeats, stop: int, rehearsal: Sequence[BeatGroup], seed: int
) -> BeatContextNet:
    """Fit a generic beat network to the first beats of a wearer.

    Parameters
    ----------
    generic : Path
        Bundle to start from.
    own : LeadBeats
        The wearer's beats with their classes.
    stop : int
        Sample at 360 Hz before which beats are fitted to.
    rehearsal : sequence of BeatGroup
        People whom the generic network was trained on.
    seed : int
        Of everything random.

    Raises
    ------
    BundleError
        If the bundle holds another network.
    """
    deterministic(seed)
    which = own.usable & (own.labels != UNLABELLED) & (own.samples < stop)
    network = restore(generic)
    for name, parameter in network.named_parameters():
        parameter.requires_grad = not name.startswith(SHARED)
    batches = OwnBatches(own.inputs[which], taught(own.labels[which]), GroupBatches(rehearsal))
    return fit(network, batches, SETTINGS)


def restore(path: Path) -> BeatContextNet:
    """Read a bundle of the generic beat network back, to fine-tune it.

    Raises
    ------
    BundleError
        If it holds another network.
    """
    if (card := BeatModel.load(path).card).network != NAME:
        raise BundleError(f"{path} holds a network this version cannot fine-tune: {card.network}.")
    network = BeatContextNet(len(CLASSES))
    kept = export.weights(path)
    wanted = network.state_dict()
    missing = {*wanted} - {*kept} - {"normalised.num_batches_tracked"}
    if missing:
        raise BundleError(f"The weights of {path} do not fit {NAME}: {sorted(missing)[0]}.")
    network.load_state_dict({name: kept.get(name, wanted[name]) for name in wanted})
    return network.eval()


def export_own(
    network: nn.Module,
    generic: Path,
    own: LeadBeats,
    stop_s: int,
    wearer: str,
    path: Path,
    *,
    first: int = 0,
    judged: JudgedClasses | None = None,
) -> BeatModel:
    """Write the bundle of a wearer's own beat network; see `trainer.training.live_beats.train`.

    Counts on the card that are not of this network stay those of the generic one, and their
    protocols say so.

    Parameters
    ----------
    network : Module
        From `adapt`.
    generic : Path
        What it was adapted from.
    own : LeadBeats
        The wearer's beats.
    stop_s : int
        Seconds of them that it was fitted to.
    wearer : str
        Whose model it is.
    path : Path
        Where the bundle is written.
    first : int
        Second of the record or stream at which the beats begin.
    judged : JudgedClasses, optional
        Beats of the wearer that a network made in the same way was judged on.
    """
    base = BeatModel.load(generic).card
    known = own.usable & (own.labels != UNLABELLED)
    fitted = taught(own.labels[known & (own.samples < stop_s * RATE)])
    counts = np.bincount(fitted, minlength=len(CLASSES)).tolist()
    card = msgspec.structs.replace(
        base,
        name=f"{wearer}-{NAME}",
        wearer=wearer,
        trained_on=(*base.trained_on, ScoredSpan(own.record, first, first + stop_s)),
        created=export.now(),
        versions=export.versions(),
        beats=tuple(of + mine for of, mine in zip(base.beats, counts, strict=True)),
        validation=judged or _of_generic(base.validation),
        evaluation=_of_generic(base.evaluation),
    )
    some = own.inputs[known][: build.CHECKED_WINDOWS]
    return export.export_served(Classes(network), card, path, some, BeatModel.load)


def _of_generic(judged: JudgedClasses) -> JudgedClasses:
    """Say of counts that they are of the network before it was adapted."""
    return msgspec.structs.replace(judged, protocol=f"before adaptation: {judged.protocol}")
