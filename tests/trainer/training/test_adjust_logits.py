"""Favouring rare classes."""

import numpy as np
import pytest
import torch
from torch import nn

from ecgmon.metrics.classes import Figures
from trainer.data.examples import Examples
from trainer.training.adjust_logits import adjust_logits

SHARES = (0.0, 0.5, 1.0)


class Leaning(nn.Module):
    """Leans to the first class, the more so the lower the input is."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(1, 2)
        with torch.no_grad():
            self.output.weight[:] = torch.tensor([[0.0], [1.0]])
            self.output.bias[:] = torch.tensor([1.0, 0.0])

    def forward(self, inputs):
        return self.output(inputs[:, 0])


def made(counts, rare):
    """Examples of two classes; those of the rare one have one value."""
    labels = np.repeat(np.arange(2, dtype=np.int8), counts)
    inputs = np.where(labels == 1, rare, -3.0).astype(np.float32)[:, None, None]
    where = np.arange(len(labels))
    return Examples(inputs, labels, np.full(len(labels), "100"), where, ("N", "S"))


@pytest.mark.parametrize(
    ("rare", "share"),
    [
        (2.0, 0.0),  # right without adjustment: the first of equally good shares
        # Classes of 90 and 10 examples weigh 5/9 and 5, so that a whole share adds ln 9 = 2.2.
        (0.5, 0.5),
        (-0.5, 1.0),
    ],
)
def test_logits_of_rare_classes_are_raised_as_far_as_validation_gains(rare, share):
    network = Leaning()
    adjust_logits(
        network,
        network.output,
        made((90, 10), 0),
        made((9, 3), rare),
        SHARES,
        lambda figures: figures.accuracy,
    )
    difference = network.output.bias.detach()[1] - network.output.bias.detach()[0]
    assert difference.item() == pytest.approx(-1 + share * np.log(9), abs=1e-5)


def test_what_is_to_be_high_decides():
    network = Leaning()

    def missed(figures: Figures) -> float:
        return -figures.mean_recall

    adjust_logits(network, network.output, made((90, 10), 0), made((9, 3), 0.5), SHARES, missed)
    assert network.output.bias.detach().tolist() == [1.0, 0.0]


def test_the_logit_of_a_class_without_training_examples_is_not_raised():
    network = Leaning()
    adjust_logits(
        network,
        network.output,
        made((90, 0), 0),
        made((9, 3), 0.5),
        SHARES,
        lambda figures: figures.accuracy,
    )
    assert network.output.bias.detach().tolist() == [1.0, 0.0]
