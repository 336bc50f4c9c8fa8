"""Augmentation of beats for training."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from trainer.training.recipe import ExampleBatches


class AugmentedBatches(ExampleBatches):
    """Batches whose first channel, the signal, is shifted, scaled and made noisy at random."""

    SHIFT: Final = 1
    """A signal is shifted by at most this many samples to either side."""
    SCALE: Final = 0.05
    """A signal is scaled by a factor between 1 minus and 1 plus this."""
    NOISE: Final = 0.005
    """Standard deviation of the added noise, in units of the signal."""

    SETTINGS: Final = {"shift": SHIFT, "scale": SCALE, "noise": NOISE}
    """Settings that decide the augmentation."""

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (size, channels, length), and labels, shape (size,)."""
        inputs, labels = super().draw(rng)
        size, _, length = inputs.shape
        shift = rng.integers(-self.SHIFT, self.SHIFT + 1, (size, 1))
        where = torch.from_numpy(np.clip(np.arange(length) - shift, 0, length - 1))
        signal = inputs[:, 0].gather(1, where)
        scale = rng.uniform(1 - self.SCALE, 1 + self.SCALE, (size, 1)).astype(np.float32)
        noise = self.NOISE * rng.standard_normal((size, length), dtype=np.float32)
        # Indexing with a list has made a copy, so the examples do not change.
        inputs[:, 0] = signal * torch.from_numpy(scale) + torch.from_numpy(noise)
        return inputs, labels
