"""Study 2: three pictures of a second as the channels of one, and a 2-D CNN (Rashid et al. 2025).

Data, splits and both stages of training are study 1's. Sizes are not published: picture size and
layers are the project's, chosen by cost and by balanced accuracy in validation.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from trainer.evaluation.published import INDIVIDUAL, MEAN_FINE_TUNED, MEAN_INDIVIDUAL
from trainer.examples import Examples
from trainer.fit import AVERAGING, Epoch, Settings, deterministic, fit
from trainer.pictures import Pictures
from trainer.recipe import (
    ExampleBatches,
    Loss,
    Recipe,
    Task,
    class_probabilities,
    class_weights,
    recalls,
)
from trainer.study.patient import TIE
from trainer.windows import LENGTH

SIZE: Final = 32
"""Width and height of a picture. In validation, balanced accuracy is 0.9 points lower with 24 and
0.6 higher with 48, which takes twice as long."""
EPOCHS: Final = 30
PATIENCE: Final = 6
"""Epochs without a better network after which training ends; not published."""
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
            nn.Linear(64, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of windows, shape (n, 1, 128)."""
        logits: Tensor = self.layers(self.pictures(x[:, 0]))
        return logits


def _normalised(conv: nn.Conv2d) -> tuple[nn.Module, ...]:
    return conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU()


def generic(task: Task) -> PictureNet:
    """Return the network of everybody's windows: pre-training."""
    return _trained(task, "generic", functional.cross_entropy, 32, 0.001, AVERAGING)


def individual(task: Task, batch: int, learning_rate: float, *, weighted: bool) -> PictureNet:
    """Return a network of one wearer's windows alone, from scratch.

    Parameters
    ----------
    task : Task
        The wearer's windows.
    batch : int
        Windows in a batch.
    learning_rate : float
        Where the schedule begins.
    weighted : bool
        Whether both classes count alike: by their weights in the loss, which is in the mean over
        batches what the published weighted sampling is.
    """
    loss = _weighted(class_weights(task.training.counts)) if weighted else functional.cross_entropy
    name = f"individual-{task.training.wearers[0]}"
    return _trained(task, name, loss, batch, learning_rate, 0.0)


def as_published(task: Task, wearer: str) -> PictureNet:
    """Return a wearer's individual network, with study 1's hyper-parameters for that wearer."""
    chosen = INDIVIDUAL[wearer]
    return individual(task, chosen.batch, chosen.learning_rate, weighted=chosen.weighted)


def _trained(
    task: Task, name: str, loss: Loss, batch: int, learning_rate: float, averaging: float
) -> PictureNet:
    # The running average of the weights swings less from epoch to epoch; a single wearer's training
    # has too few steps for it to leave the start behind.
    deterministic(task.seed)
    settings = Settings(
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

    return task.shelf.network(name, PictureNet(len(task.training.classes)), train)


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
    individual=as_published,
    published=PUBLISHED,
    adaptation=Settings(
        epochs=20,
        learning_rate=0.001,
        seed=0,
        weight_decay=WEIGHT_DECAY,
        optimiser="adam",
        averaging=0.0,
    ),
)
