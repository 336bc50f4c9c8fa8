"""The three networks of study 4 and their ensemble.

The study names layers and the LSTM's units; all other sizes are the project's, chosen for the time
that training takes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

DENSE: Final = (256, 256, 128, 128, 64, 64)
"""Units of the dense layers of the MLP but the last."""
DROPOUT: Final = 0.1
FILTERS: Final = (32, 32, 64)
"""Of the convolutions of the CNN; each halves the length."""
KERNEL: Final = 5
UNITS: Final = 64
"""Of the LSTM, and of the last shared dense layer of CNN and LSTM."""
STEP: Final = 11
"""Samples that the LSTM reads in a step: 17 steps for a beat of 187 samples."""


class RepresentationNetwork(nn.Module):
    """A shared part and the dense layer of its task.

    Pre-training makes the shared part; then it moves to a network with outputs of another kind.

    Parameters
    ----------
    shared : Module
        Maps inputs, float32 of shape (n, channels, length), to features, shape (n, features).
    features : int
        Features of an input.
    outputs : int
        Classes, or heads of the pre-training.
    """

    def __init__(self, shared: nn.Module, features: int, outputs: int) -> None:
        super().__init__()
        self.shared = shared
        self.output = nn.Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, outputs)."""
        logits: Tensor = self.output(self.shared(x))
        return logits


Kind = Callable[[int, int, int], RepresentationNetwork]
"""Makes a network for channels, samples of an input, and outputs."""


def mlp(channels: int, length: int, outputs: int) -> RepresentationNetwork:
    """Return the network of seven dense layers with dropout."""
    sizes = (channels * length, *DENSE)
    layers = [
        layer
        for before, units in zip(sizes, DENSE, strict=False)
        for layer in (nn.Linear(before, units), nn.ReLU(), nn.Dropout(DROPOUT))
    ]
    return RepresentationNetwork(nn.Sequential(nn.Flatten(), *layers), DENSE[-1], outputs)


def cnn(channels: int, length: int, outputs: int) -> RepresentationNetwork:
    """Return the network of three convolutions, each with max-pooling, and three dense layers."""
    sizes = (channels, *FILTERS)
    layers = [
        layer
        for before, filters in zip(sizes, FILTERS, strict=False)
        for layer in (
            nn.Conv1d(before, filters, KERNEL, padding=KERNEL // 2),
            nn.LeakyReLU(),
            nn.MaxPool1d(2),
        )
    ]
    flat = FILTERS[-1] * (length // 2 ** len(FILTERS))
    dense = [nn.Linear(flat, 2 * UNITS), nn.LeakyReLU(), nn.Linear(2 * UNITS, UNITS)]
    shared = nn.Sequential(*layers, nn.Flatten(), *dense, nn.LeakyReLU())
    return RepresentationNetwork(shared, UNITS, outputs)


class _Reader(nn.Module):
    """An LSTM that reads some samples of all channels in each step; the maximum of its states.

    With a sample in a step there would be eleven times as many of them. The last state follows from
    the padding at the beat's end: with it the network called every validation beat normal. The
    maximum also outdid the mean.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels * STEP, UNITS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (0, -x.shape[2] % STEP))
        steps = padded.reshape(x.shape[0], x.shape[1], -1, STEP).transpose(1, 2).flatten(2)
        states: Tensor = self.lstm(steps)[0]
        return states.amax(1)


def lstm(channels: int, _length: int, outputs: int) -> RepresentationNetwork:
    """Return the network of an LSTM with 64 units and two dense layers."""
    shared = nn.Sequential(_Reader(channels), nn.Linear(UNITS, UNITS), nn.ReLU())
    return RepresentationNetwork(shared, UNITS, outputs)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType({"mlp": mlp, "cnn": cnn, "lstm": lstm})


class Ensemble(nn.Module):
    """Networks whose probabilities are averaged.

    Parameters
    ----------
    members : sequence of Module
        Each maps inputs to logits of the same classes.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithm of the mean probability, shape (n, classes); as good as logits."""
        each = torch.stack([torch.log_softmax(member(x), 1) for member in self.members])
        return torch.logsumexp(each, 0) - math.log(len(self.members))
