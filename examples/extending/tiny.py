"""A recipe of the smallest network: one weight for each sample and class, trained for a moment."""

from typing import Final

from torch import nn
from torch.nn import functional

from trainer.training.fit import FitSettings, deterministic, fit
from trainer.training.recipe import ExampleBatches, Recipe, Task, balanced_accuracy

SETTINGS: Final = FitSettings(epochs=3, learning_rate=0.01, seed=0)
BATCH: Final = 64


def linear(channels: int, length: int, classes: int) -> nn.Module:
    """Return an untrained network: logits of shape (n, classes)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * length, classes))


def tiny(task: Task) -> nn.Module:
    """Train the network; the epoch that is best on the validation beats counts."""
    deterministic(task.seed)
    _, channels, length = task.training.inputs.shape
    batches = ExampleBatches(task.training, BATCH, functional.cross_entropy)
    return task.shelf.network(
        "tiny",
        linear(channels, length, len(task.training.classes)),
        lambda network, progress: fit(
            network,
            batches,
            SETTINGS,
            score=lambda trained: balanced_accuracy(trained, task.validation),
            progress=progress,
        ),
    )


RECIPE: Final = Recipe(
    study=0,
    about="Beats judged by a linear layer, to show what a recipe is.",
    data="beats",
    systems={"tiny": tiny},
    loss=functional.cross_entropy,
    adaptation=SETTINGS,
    networks=lambda channels, length, classes: {"tiny": linear(channels, length, classes)},
    settings={"batch": BATCH, "epochs": SETTINGS.epochs},
)
