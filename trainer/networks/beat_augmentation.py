"""Variation of beats in training: another electrode, another amplifier, a wandering baseline."""

from typing import Final

import torch
from torch import Tensor, nn

from ecgmon.signal.beat_segments import BEAT_RATE, SHAPES


class Augmentation(nn.Module):
    """Makes beats a little different in training, and as `torch.nn.Dropout` only there.

    As another electrode or amplifier would, baseline wander, or a beat found some samples off.
    """

    GAIN: Final = 0.2
    """Standard deviation of the logarithm of the amplitude."""
    SHIFT: Final = 3
    """Samples at most, either way."""
    NOISE: Final = 0.03
    """Standard deviation of the noise at most."""
    WANDER: Final = 0.1
    """Standard deviation of the amplitude of the baseline's wander."""
    WANDER_HZ: Final = (0.2, 1.5)
    """Its lowest and highest frequency."""
    INTERVALS: Final = (0.02, 0.02, 0.1)
    """Standard deviations by which the constants vary."""

    def forward(self, x: Tensor) -> Tensor:
        """Return beats, shape (n, channels, length), varied in training and as they are else."""
        if not self.training:
            return x
        n, channels, length = x.shape
        where = torch.arange(length) - torch.randint(-self.SHIFT, self.SHIFT + 1, (n, 1))
        gain = torch.exp(self.GAIN * torch.randn(n, 1, 1))
        low, high = self.WANDER_HZ
        turns = (low + (high - low) * torch.rand(n, 1)) * torch.arange(length) / BEAT_RATE
        wander = (
            self.WANDER * torch.randn(n, 1) * torch.sin(2 * torch.pi * (turns + torch.rand(n, 1)))
        )
        added = wander + self.NOISE * torch.rand(n, 1) * torch.randn(n, length)
        shapes = min(channels, SHAPES)
        index = where.clamp(0, length - 1)[:, None].expand(n, shapes, length)
        signal = x[:, :shapes].gather(2, index) * gain + added[:, None]
        spread = torch.tensor(self.INTERVALS)[: channels - shapes, None]
        return torch.cat([signal, x[:, shapes:] + spread * torch.randn(n, channels - shapes, 1)], 1)
