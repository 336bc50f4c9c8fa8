"""Study 2: three pictures of a second as the channels of one, and a 2-D CNN (Rashid et al. 2025).

Data, splits and both stages of training are study 1's. Sizes are not published: picture size and
layers are the project's, chosen by cost and by balanced accuracy in validation.
"""

import copy
import math
from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.data.examples import Examples
from trainer.data.labelled_windows import LENGTH
from trainer.networks.pictures import Pictures
from trainer.studies.cardiacnet.patient import SHARES, TIE
from trainer.studies.cardiacnet.publication import MEAN_FINE_TUNED, MEAN_INDIVIDUAL
from trainer.training.fit import AVERAGING, Epoch, FitSettings, deterministic, fit
from trainer.training.recipe import (
    ExampleBatches,
    Loss,
    Recipe,
    Task,
    class_probabilities,
    class_weights,
    recalls,
)

SIZE: Final = 32
"""Width and height of a picture. In validation, balanced accuracy is 0.9 points lower with 24 and
0.6 higher with 48, which takes twice as long."""
EPOCHS: Final = 30
PATIENCE: Final = 6
"""Epochs without a better network after which training ends; not published."""
BATCH: Final = 32
RATE: Final = 0.001
"""Batch and learning rate of everybody's network."""
OWN_BATCH: Final = 16
RATES: Final = (0.001, 0.003)
"""Learning rates of a wearer's networks: one of each, with each of two losses. The best one on
validation windows is kept. On those of three wearers 0.003 brought
more than 0.0003 (once, by no command)."""
WEIGHT_DECAY: Final = 1e-4
PUBLISHED: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "individual": {"balanced accuracy": MEAN_INDIVIDUAL},
        "fine-tuned": {"balanced accuracy": MEAN_FINE_TUNED},
    }
)
"""Mean over the 29 wearers in test; Rashid et al. (2025) report study 1's means."""


class PictureNet(nn.Module):
    """Pictures, three convolutions and two dense layers.

    Parameters
    ----------
    classes : int
        Outputs.
    size : int
        Width and height of the pictures.
    """

    def __init__(self, classes: int, size: int = SIZE) -> None:
        super().__init__()
        self.pictures = Pictures(LENGTH, size)
        self.layers = nn.Sequential(
            *_normalised(nn.Conv2d(3, 16, 5, stride=2, padding=2, bias=False)),
            *_normalised(nn.Conv2d(16, 32, 3, padding=1, bias=False)),
            nn.MaxPool2d(2),
            *_normalised(nn.Conv2d(32, 64, 3, padding=1, bias=False)),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(64 * (size // 8) ** 2, 64),
            nn.ReLU(),
        )
        self.output = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of windows, shape (n, 1, 128)."""
        logits: Tensor = self.output(self.layers(self.pictures(x[:, 0])))
        return logits


def _normalised(conv: nn.Conv2d) -> tuple[nn.Module, ...]:
    return conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU()


def generic(task: Task) -> PictureNet:
    """Return the network of everybody's windows: pre-training."""
    return _trained(task, "generic", None, functional.cross_entropy, BATCH, RATE, AVERAGING)


def individual(task: Task, wearer: str) -> PictureNet:
    """Return a network of one wearer's windows alone, from scratch."""
    return _chosen(task, f"individual-{wearer}", None)


def fine_tuned(task: Task, wearer: str, network: PictureNet) -> PictureNet:
    """Return a trained network as it is best for a wearer: trained on, or with a shift alone."""
    shifted = copy.deepcopy(network)
    with torch.no_grad():
        shifted.output.bias.add_(_shift(task.training))
    return _chosen(task, f"fine-tuned-{wearer}", shifted)


def _chosen(task: Task, name: str, start: PictureNet | None) -> PictureNet:
    """Return the best on validation windows of the networks of `RATES` and both losses."""
    losses = (_weighted(class_weights(task.training.counts)), _shifted(_shift(task.training)))
    networks = [start] if start else []
    for number, (rate, loss) in enumerate(product(RATES, losses)):
        networks.append(_trained(task, f"{name}-{number}", start, loss, OWN_BATCH, rate, 0.0))
    return max(networks, key=_score(task.validation))


def _trained(
    task: Task,
    name: str,
    start: PictureNet | None,
    loss: Loss,
    batch: int,
    learning_rate: float,
    averaging: float,
) -> PictureNet:
    # The running average of the weights swings less from epoch to epoch; a single wearer's training
    # has too few steps for it to leave the start behind.
    deterministic(task.seed)
    settings = FitSettings(
        epochs=EPOCHS,
        learning_rate=learning_rate,
        seed=task.seed,
        weight_decay=WEIGHT_DECAY,
        optimiser="adam",
        schedule="plateau",
        patience=PATIENCE,
        averaging=averaging,
    )

    def train(network: PictureNet, progress: Callable[[Epoch], None]) -> PictureNet:
        batches = ExampleBatches(task.training, batch, loss)
        return fit(network, batches, settings, score=_score(task.validation), progress=progress)

    network = copy.deepcopy(start) if start else PictureNet(len(task.training.classes))
    return task.shelf.network(name, network, train)


def _shift(examples: Examples) -> Tensor:
    """Return what makes the share of the abnormal the threshold: added to the logits, shape (2,).

    It is the one of the best balanced accuracy, if probabilities are right (`SHARES` are its
    bounds, and study 1's).
    """
    share = float(np.clip(examples.counts[1] / len(examples), *SHARES))
    return torch.tensor([0.0, math.log((1 - share) / share)])


def _shifted(shift: Tensor) -> Loss:
    """Return the loss of a network whose logits are to have a shift (Menon et al. 2021)."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits - shift, labels)

    return loss


def _weighted(weights: Tensor) -> Loss:
    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        # Not reduction="mean": it divides by a batch's own weights, which a small batch of one
        # class would lose by.
        return functional.cross_entropy(logits, labels, weights, reduction="sum") / len(labels)

    return loss


def _score(examples: Examples) -> Callable[[nn.Module], float]:
    """Return what judges a network: balanced accuracy; among equal ones, the loss."""

    def score(network: nn.Module) -> float:
        probabilities = class_probabilities(network, examples.inputs)
        called = probabilities.argmax(1)
        balanced = np.nanmean(recalls(examples.labels, called, len(examples.classes)))
        right = probabilities[np.arange(len(examples)), examples.labels]
        loss = -np.log(np.maximum(right, 1e-7)).mean()
        return float(balanced - TIE * min(loss, 1.0))

    return score


RECIPE: Final = Recipe(
    study=2,
    about="A second as three pictures (Gramian angular field, Markov transition field, recurrence "
    "plot), judged by a 2-D CNN.",
    data="windows",
    systems={"generic": generic},
    loss=functional.cross_entropy,
    individual=individual,
    published=PUBLISHED,
    adaptation=FitSettings(
        epochs=20,
        learning_rate=0.001,
        seed=0,
        weight_decay=WEIGHT_DECAY,
        optimiser="adam",
        averaging=0.0,
    ),
    networks=lambda _channels, _length, classes: {"pictures": PictureNet(classes)},
    settings={
        "training": {
            "epochs": EPOCHS,
            "weight decay": WEIGHT_DECAY,
            "optimiser": "adam",
            "schedule": "plateau",
            "patience": PATIENCE,
        },
        "generic": {"batch": BATCH, "rate": RATE, "averaging": AVERAGING},
        "own": {"batch": OWN_BATCH, "rates": RATES, "losses": ["weighted", "shifted"]},
        "shares": SHARES,
        "tie": TIE,
    },
)
