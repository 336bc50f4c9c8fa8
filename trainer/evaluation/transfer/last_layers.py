"""A trained network learns another task: its last dense layers anew, or all from scratch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import torch

from trainer.data.examples import Examples
from trainer.recipes.transfer import TransferNet, weighted_loss
from trainer.training.fit import Epoch, FitSettings, deterministic, fit
from trainer.training.recipe import ExampleBatches

SETTINGS: Final = FitSettings(
    epochs=10, learning_rate=1e-3, seed=0, weight_decay=0.01, optimiser="adamw", averaging=0.0
)
"""Fixed beforehand: no part of so few patients is spent on choosing."""
BATCH: Final = 64
STEPS: Final = 20
"""Fewest batches in an epoch: few beats come more often."""

Progress = Callable[[Epoch], None]


def retrained(
    network: TransferNet, k: int, training: Examples, seed: int, progress: Progress = lambda _: None
) -> TransferNet:
    """Return a copy of a network whose last layers have learned another task.

    Parameters
    ----------
    network : TransferNet
        Trained on the first task.
    k : int
        Dense layers to train, from 1, which is the new output alone, to 4; all others stay as they
        are. What they make of the beats is computed once.
    training : Examples
        Of the new task.
    seed : int
        Of the output's first weights and the order of beats.
    progress : callable
        Called after each epoch.
    """
    deterministic(seed)
    new = network.for_classes(len(training.classes))
    before = new.before(k).eval()
    with torch.inference_mode():
        inputs = torch.from_numpy(training.inputs)
        parts = [before(inputs[at : at + 512]) for at in range(0, len(inputs), 512)]
    features = torch.cat(parts).numpy()
    # Without an average over the steps, the layers that are fitted are the network's own.
    _fit(new.last(k), replace(training, inputs=features), seed, progress)
    return new


def from_scratch(training: Examples, seed: int, progress: Progress = lambda _: None) -> TransferNet:
    """Return a network that knows nothing but the new task; see `retrained`."""
    deterministic(seed)
    new = TransferNet.of(training)
    _fit(new, training, seed, progress)
    return new


def _fit(layers: torch.nn.Module, examples: Examples, seed: int, progress: Progress) -> None:
    batches = ExampleBatches(examples, BATCH, weighted_loss(examples.counts, 1))
    settings = replace(SETTINGS, seed=seed, steps=max(STEPS, batches.steps))
    fit(layers, batches, settings, progress=progress)
