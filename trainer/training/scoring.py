"""Scoring of networks: probabilities of windows, and the best threshold over wearers."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ecgmon.metrics.two_classes import Confusion
from trainer.data.dataset import RecordSet
from trainer.networks.window_networks import WindowNetwork


def probabilities(network: WindowNetwork, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of *abnormal* of windows, shape (n,)."""
    with torch.inference_mode():
        parts = [
            network.probability(torch.from_numpy(inputs[at : at + 512]))
            for at in range(0, len(inputs), 512)
        ]
    result: NDArray[np.float32] = torch.cat(parts).numpy()
    return result


Judgements = Sequence[tuple[RecordSet, NDArray[np.float32]]]


def judge(network: WindowNetwork, sets: Sequence[RecordSet]) -> Judgements:
    """Return the records with the probabilities of their windows."""
    return [(s, probabilities(network, s.inputs)) for s in sets]


def _mean(confusions: Sequence[Confusion]) -> float:
    values = [c.balanced_accuracy for c in confusions if c.balanced_accuracy is not None]
    return float(np.mean(values))


def best_threshold(judged: Judgements) -> tuple[float, float]:
    """Return the threshold with the best mean balanced accuracy over wearers, and that mean."""
    grid = np.arange(5, 100, 5) / 100
    means = [_mean([s.confusion(p, t) for s, p in judged]) for t in grid]
    best = int(np.argmax(means))
    return float(grid[best]), means[best]
