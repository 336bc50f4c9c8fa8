"""The training loop."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainer.training.batches import Batches

AVERAGING: Final = 0.99
"""Each step keeps this share of the running average of the weights, which thus covers about the
last hundred steps. The average is what is judged and returned, because it varies far less from
epoch to epoch."""
PLATEAU: Final = 2
"""The *plateau* schedule lowers the learning rate after this many epochs without a better score."""
LOWERED: Final = 0.3
"""The *plateau* schedule multiplies the learning rate by this."""
LONGEST_GRADIENT: Final = 1.0
"""The gradient of a step is clipped to this norm."""
RISING: Final = 0.2
"""The learning rate rises during this share of a one-cycle schedule."""
PROCEDURE: Final = 1
"""Version of `fit`. Raise it by hand if `fit` trains differently with the same settings: stored
results that depend on it are then no longer valid (`trainer.evaluation.results.digest`)."""
DECIDED_BY: Final = {
    "procedure": PROCEDURE,
    "plateau": PLATEAU,
    "lowered": LOWERED,
    "longest gradient": LONGEST_GRADIENT,
    "rising": RISING,
}
"""Settings that decide every training, besides its `FitSettings`."""
OPTIMISERS: Final = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Settings of a training run.

    Parameters
    ----------
    epochs : int
        Passes over the data.
    steps : int or None
        Batches in an epoch; None for one pass over the data.
    learning_rate : float
        Initial learning rate; the peak of a one-cycle schedule (Smith & Topin 2018).
    weight_decay : float
        Weight decay of the optimiser.
    seed : int
        Seed of weights, order and augmentation.
    optimiser : str
        AdamW (Loshchilov & Hutter 2019) unless a publication uses another.
    schedule : str
        *one-cycle*; *plateau*, which lowers the rate when the score has not risen for `PLATEAU`
        epochs; or *constant*.
    patience : int or None
        Training ends after this many epochs without a better score; None for never.
    averaging : float
        Share of the running average that each step keeps; 0 for no averaging.
    """

    epochs: int
    learning_rate: float
    seed: int
    steps: int | None = None
    weight_decay: float = 0.01
    optimiser: Literal["adam", "adamw", "rmsprop", "sgd"] = "adamw"
    schedule: Literal["one-cycle", "plateau", "constant"] = "one-cycle"
    patience: int | None = None
    averaging: float = AVERAGING


@dataclass(frozen=True, slots=True)
class Epoch:
    """Mean loss of an epoch, and the score after it."""

    number: int
    of: int
    loss: float
    score: float | None


def deterministic(seed: int) -> None:
    """Make torch deterministic: the same seed on the same machine gives the same weights.

    Torch uses one thread. So small a network gains little from a second one, which would wait for
    other processes and round differently. Two trainings side by side use two cores.
    """
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(1)


def fit(
    network: Network,
    batches: Batches[Network],
    settings: FitSettings,
    *,
    score: Callable[[Network], float] | None = None,
    progress: Callable[[Epoch], None] = lambda _: None,
) -> Network:
    """Train a network.

    Parameters
    ----------
    network : Module
        The network to train; it is changed.
    batches : Batches
        Training data and loss.
    settings : FitSettings
        Settings of the training.
    score : callable, optional
        Judges the network after each epoch on data that is not trained on; higher is better.
    progress : callable, optional
        Called after each epoch.

    Returns
    -------
    Module
        The network of the best epoch, or of the last one without ``score``; averaged if the
        settings ask for it, and in evaluation mode.
    """
    rng = np.random.default_rng(settings.seed)
    steps = settings.steps or batches.steps
    optimiser = OPTIMISERS[settings.optimiser](
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    cycle = _cycle(optimiser, settings, steps)
    plateau = ReduceLROnPlateau(optimiser, "max", factor=LOWERED, patience=PLATEAU)
    averaged, mean = _averaged(network, settings.averaging)
    best, best_score, best_epoch = mean, -np.inf, 0
    for number in range(1, settings.epochs + 1):
        network.train()
        total = 0.0
        for _ in range(steps):
            optimiser.zero_grad()
            loss = batches.loss(network, batches.draw(rng))
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
            optimiser.step()
            if cycle:
                cycle.step()
            if averaged:
                averaged.update_parameters(network)
            total += loss.item()
        mean.eval()
        value = score(mean) if score else None
        if value is not None and value > best_score:
            best, best_score, best_epoch = copy.deepcopy(mean), value, number
        progress(Epoch(number, settings.epochs, total / steps, value))
        if value is not None and settings.schedule == "plateau":
            plateau.step(value)
        if settings.patience and number - best_epoch >= settings.patience:
            break
    return best.eval()


def _cycle(optimiser: Optimizer, settings: FitSettings, steps: int) -> OneCycleLR | None:
    if settings.schedule != "one-cycle":
        return None
    total = steps * settings.epochs
    return OneCycleLR(optimiser, settings.learning_rate, total_steps=total, pct_start=RISING)


def _averaged(network: Network, share: float) -> tuple[AveragedModel | None, Network]:
    """Return the averaging model or None, and the network to judge."""
    if not share:
        return None, network
    average = get_ema_multi_avg_fn(share)  # type: ignore[no-untyped-call]  # torch's own gap
    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    mean = averaged.module
    if not isinstance(mean, type(network)):
        raise TypeError("averaging keeps the network's type")
    return averaged, mean
