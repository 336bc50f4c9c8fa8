"""Logit adjustment, which raises the logits of rare classes."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import nn

from ecgmon.metrics.classes import Figures, confusion
from trainer.data.examples import Examples
from trainer.training.recipe import Network, class_probabilities, class_weights

_LEAST: Final = 1e-30
"""Probabilities are raised to at least this, so that each has a logarithm."""


def adjust_logits(
    network: Network,
    output: nn.Linear,
    training: Examples,
    validation: Examples,
    shares: Sequence[float],
    worth: Callable[[Figures], float],
) -> Network:
    """Add a share of the logarithm of the class weights to the logits, chosen on validation.

    This is the logit adjustment of Menon et al. (2021), made part of the last layer's bias.

    Parameters
    ----------
    network : Module
        Trained network; it is changed.
    output : Linear
        Its last layer.
    training : Examples
        Examples from which the class weights are computed.
    validation : Examples
        Examples on which the share is chosen.
    shares : sequence of float
        Shares to choose from; of equally good ones the first is used.
    worth : callable
        Maps the figures on validation to a score; higher is better.
    """
    weights = class_weights(training.counts).numpy()
    adjustment = np.log(np.where(weights > 0, weights, 1))
    log_probability = np.log(np.maximum(class_probabilities(network, validation.inputs), _LEAST))

    def worth_of(share: float) -> float:
        called = (log_probability + share * adjustment).argmax(1)
        return worth(Figures(confusion(validation.labels, called, len(validation.classes))))

    best = max(shares, key=worth_of)
    with torch.no_grad():
        output.bias.add_(torch.from_numpy(best * adjustment))
    return network
