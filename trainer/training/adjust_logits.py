"""Adjustment of logits in favour of rare classes."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import nn

from ecgmon.metrics.classes import Figures, confusion
from trainer.data.examples import Examples
from trainer.training.recipe import Network, class_probabilities, class_weights

_LEAST: Final = 1e-30
"""Probabilities below this count as this, so that they have a logarithm."""


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
        Trained; it is changed.
    output : Linear
        Its last layer.
    training : Examples
        What class weights are of.
    validation : Examples
        What chooses.
    shares : sequence of float
        To choose from; the first of equally good ones is taken.
    worth : callable
        Maps the figures on validation to what is to be high.
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
