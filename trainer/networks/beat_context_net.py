"""The network of live beats: convolutions over a beat's shape, and layers over its context."""

from typing import Final

import torch
from torch import Tensor, nn

from ecgmon.signal.beat_segments import CONTEXT, LENGTH, SHAPES
from trainer.networks.beat_augmentation import Augmentation

WIDTH: Final = 32
"""Channels of each convolution."""
KERNELS: Final = (9, 7, 5, 5)
"""Samples of each convolution; each halves the rate."""
HIDDEN: Final = 48
"""Outputs of the layers over the shape, over the context, and over both."""
DROPOUT: Final = 0.4
INVERTED: Final = 0.25
"""Share of beats that are turned upside down in training, for leads may be."""
CONTEXT_NOISE: Final = 0.1
"""Standard deviation of what is added to the normalised context in training."""


class BeatContextNet(nn.Module):
    """Judges single beats by their shape and by what the wearer's beats before say of them.

    Parameters
    ----------
    classes : int
        Number of outputs.

    Attributes
    ----------
    prior : Tensor of float32, shape (classes,)
        Added to the logits of the network in service: how much rarer each class is among people
        than in training, as a logarithm. It is 0 until training has ended.
    """

    prior: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.disturbance = Augmentation()
        layers: list[nn.Module] = []
        before, length = SHAPES, LENGTH
        for kernel in KERNELS:
            convolution = nn.Conv1d(before, WIDTH, kernel, stride=2, padding=kernel // 2)
            layers += [convolution, nn.ReLU(), nn.Dropout(DROPOUT / 2)]
            before, length = WIDTH, (length + 1) // 2
        self.shape = nn.Sequential(*layers, nn.Flatten(), *_dense(WIDTH * length))
        self.normalised = nn.BatchNorm1d(CONTEXT)
        self.context = nn.Sequential(*_dense(CONTEXT))
        self.output = nn.Sequential(*_dense(2 * HIDDEN), nn.Linear(HIDDEN, classes))
        self.register_buffer("prior", torch.zeros(classes))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of inputs, shape (n, `VALUES`)."""
        shape = x[:, : SHAPES * LENGTH].reshape(-1, SHAPES, LENGTH)
        context = self.normalised(x[:, SHAPES * LENGTH :])
        if self.training:
            turned = torch.rand(len(x), 1, 1) < INVERTED
            shape = self.disturbance(torch.where(turned, -shape, shape))
            context = context + CONTEXT_NOISE * torch.randn_like(context)
        both = torch.cat([self.shape(shape), self.context(context)], dim=1)
        logits: Tensor = self.output(both) + self.prior
        return logits


def _dense(inputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT)]
