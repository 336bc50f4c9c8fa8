"""Pre-trained networks: how they came about, and keeping them."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.data.protocol_splits import VALIDATION
from trainer.networks.window_networks import WindowNetwork
from trainer.studies.cardiacnet.patient import Patient, Score, cross_entropy
from trainer.training.scoring import probabilities

Epochs = list[tuple[float, float, float]]
"""Training loss, validation balanced accuracy and validation loss of every epoch."""
Progress = Callable[[int, int], None]
"""Called after an epoch with its number and how many there are."""


@dataclass(frozen=True, eq=False, slots=True)
class Pretrained:
    """A generic network and how it came about.

    Parameters
    ----------
    network : WindowNetwork
        Of the best epoch, in evaluation mode.
    epochs : list
        See `Epochs`; balanced accuracy is the mean over patients.
    best : int
        Which epoch was kept.
    """

    network: WindowNetwork
    epochs: Epochs
    best: int


def cached(path: Path, empty: WindowNetwork, train: Callable[[], Pretrained]) -> Pretrained:
    """Return a pre-trained network, read back where it lies in ``path``.

    Parameters
    ----------
    path : Path
        Its weights; the epochs lie beside them and are written last.
    empty : WindowNetwork
        A network of its kind, to read the weights into.
    train : callable
        Called where there is none yet.
    """
    beside = path.with_suffix(".json")
    if not beside.is_file():
        made = train()
        complete = path.with_suffix(f".{os.getpid()}")  # another process may read or make the same
        torch.save(made.network.state_dict(), complete)
        complete.replace(path)
        new = beside.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"epochs": made.epochs, "best": made.best}))
        new.replace(beside)
    empty.load_state_dict(torch.load(path, weights_only=True))
    known = json.loads(beside.read_text())
    return Pretrained(empty.eval(), [tuple(epoch) for epoch in known["epochs"]], known["best"])


def judge(
    network: WindowNetwork,
    patients: Mapping[str, Patient],
    threshold: Callable[[Patient], float] = lambda _: 0.5,
) -> tuple[float, float]:
    """Return balanced accuracy (mean over patients) and loss (mean over windows) in validation."""
    balanced, losses = [], []
    for patient in patients.values():
        inputs, truth = patient.windows(VALIDATION)
        probability = probabilities(network, inputs)
        balanced.append(Score.of(probability, truth, threshold(patient)).balanced_accuracy)
        losses.append(cross_entropy(probability, truth))
    return float(np.mean(balanced)), float(np.concatenate(losses).mean())
