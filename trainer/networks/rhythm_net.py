"""The network of rhythms: convolutions over the last seconds, and what they found in them."""

from typing import Final

import torch
from torch import Tensor, nn

CHANNELS: Final = (16, 32, 32, 32)
"""Channels of each convolution; each halves the rate."""
KERNELS: Final = (9, 7, 7, 5)
"""Samples of each convolution."""
LATEST: Final = 8
"""The last outputs of the convolutions, a second's, are averaged for themselves as well."""
HIDDEN: Final = 48
DROPOUT: Final = 0.1


class RhythmNet(nn.Module):
    """Judges the rhythm of a second by it and the seconds before it.

    What counts is how much there is of what the convolutions look for, not where: mean, greatest
    value and spread of each channel, and its mean in the last second.

    Parameters
    ----------
    classes : int
        Number of outputs.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for channels, kernel in zip(CHANNELS, KERNELS, strict=True):
            layers += [nn.Conv1d(before, channels, kernel, stride=2, padding=kernel // 2)]
            layers += [nn.ReLU(), nn.Dropout(DROPOUT)]
            before = channels
        self.convolutions = nn.Sequential(*layers)
        self.output = nn.Sequential(
            nn.Linear(4 * before, HIDDEN),
            nn.ReLU(),
            nn.Dropout(3 * DROPOUT),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of inputs, shape (n, `RHYTHM.inputs`)."""
        found = self.convolutions(x[:, None])
        mean = found.mean(dim=2)
        spread = (found - mean[:, :, None]).square().mean(dim=2).add(1e-6).sqrt()
        latest = found[:, :, -LATEST:].mean(dim=2)
        logits: Tensor = self.output(torch.cat([mean, found.amax(dim=2), spread, latest], dim=1))
        return logits
