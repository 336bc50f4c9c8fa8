"""Pre-trained networks: how they came about, and keeping them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.build import probabilities
from trainer.networks import WindowNetwork
from trainer.protocols import VALIDATION
from trainer.study.patient import Patient, Score

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


def kept(path: Path, empty: WindowNetwork, train: Callable[[], Pretrained]) -> Pretrained:
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
        torch.save(made.network.state_dict(), path)
        new = beside.with_suffix(".new")
        new.write_text(json.dumps({"epochs": made.epochs, "best": made.best}))
        new.replace(beside)
    empty.load_state_dict(torch.load(path, weights_only=True))
    known = json.loads(beside.read_text())
    return Pretrained(empty.eval(), [tuple(epoch) for epoch in known["epochs"]], known["best"])


def judge(network: WindowNetwork, patients: Mapping[str, Patient]) -> tuple[float, float]:
    """Return balanced accuracy (mean over patients) and loss on all validation windows."""
    parts = [patient.windows(VALIDATION) for patient in patients.values()]
    scores = [Score.of(probabilities(network, inputs), truth) for inputs, truth in parts]
    loss = np.average([s.loss for s in scores], weights=[len(truth) for _, truth in parts])
    return float(np.mean([score.balanced_accuracy for score in scores])), float(loss)
