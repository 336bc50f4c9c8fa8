"""The training loop."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainer.batches import Batches
from trainer.networks import WindowNetwork

AVERAGING: Final = 0.99
"""Share of the running average of the weights that each step keeps. The average over the last
hundred steps or so is what is judged and kept: it varies far less from epoch to epoch."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run may vary.

    Parameters
    ----------
    epochs : int
        Passes over the data.
    steps : int or None
        Batches in an epoch; None for as many as hold the data once.
    learning_rate : float
        Peak of the one-cycle schedule (Smith & Topin 2018).
    weight_decay : float
        Of AdamW (Loshchilov & Hutter 2019).
    seed : int
        Of weights, order and augmentation.
    """

    epochs: int
    learning_rate: float
    seed: int
    steps: int | None = None
    weight_decay: float = 0.01


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is known after an epoch."""

    number: int
    of: int
    loss: float
    score: float | None


def deterministic(seed: int) -> None:
    """Make torch repeat itself: same seed, same machine, same weights.

    One thread: so small a network gains little from a second one, which would wait for every other
    process and round differently. Two trainings side by side use two cores.
    """
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(1)


def fit(
    network: WindowNetwork,
    batches: Batches,
    settings: Settings,
    *,
    score: Callable[[WindowNetwork], float] | None = None,
    progress: Callable[[Epoch], None] = lambda _: None,
) -> WindowNetwork:
    """Train a network.

    Parameters
    ----------
    network : WindowNetwork
        Starting point; it is changed on the way.
    batches : Batches
        Training data and loss.
    settings : Settings
        How to train.
    score : callable, optional
        Judges the network after each epoch on data that is not trained on; higher is better.
    progress : callable, optional
        Called after each epoch.

    Returns
    -------
    WindowNetwork
        The averaged network of the best epoch, of the last one without ``score``; in evaluation
        mode.
    """
    rng = np.random.default_rng(settings.seed)
    steps = settings.steps or batches.steps
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=steps * settings.epochs, pct_start=0.2
    )
    average = get_ema_multi_avg_fn(AVERAGING)  # type: ignore[no-untyped-call]  # torch's own gap
    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    mean = averaged.module
    if not isinstance(mean, WindowNetwork):
        raise TypeError("averaging keeps the network's type")
    best, best_score = mean, -np.inf
    for number in range(1, settings.epochs + 1):
        network.train()
        total = 0.0
        for _ in range(steps):
            optimiser.zero_grad()
            loss = batches.loss(network, batches.draw(rng))
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
            total += loss.item()
        mean.eval()
        value = score(mean) if score else None
        if value is not None and value > best_score:
            best, best_score = copy.deepcopy(mean), value
        progress(Epoch(number, settings.epochs, total / steps, value))
    return best.eval()
