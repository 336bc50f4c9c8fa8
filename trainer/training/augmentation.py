"""Augmentation of beats."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from trainer.training.recipe import ExampleBatches


class AugmentedBatches(ExampleBatches):
    """Batches whose signal, the first channel, is a little shifted, scaled and noisy each time."""

    SHIFT: Final = 1
    """Samples at most, either way."""
    SCALE: Final = 0.05
    NOISE: Final = 0.005

    SETTINGS: Final = {"shift": SHIFT, "scale": SCALE, "noise": NOISE}
    """What decides how."""

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (size, channels, length), and labels, shape (size,)."""
        inputs, labels = super().draw(rng)
        size, _, length = inputs.shape
        shift = rng.integers(-self.SHIFT, self.SHIFT + 1, (size, 1))
        where = torch.from_numpy(np.clip(np.arange(length) - shift, 0, length - 1))
        signal = inputs[:, 0].gather(1, where)
        scale = rng.uniform(1 - self.SCALE, 1 + self.SCALE, (size, 1)).astype(np.float32)
        noise = self.NOISE * rng.standard_normal((size, length), dtype=np.float32)
        # Indexing with a list of examples has made a copy: the examples stay as they are.
        inputs[:, 0] = signal * torch.from_numpy(scale) + torch.from_numpy(noise)
        return inputs, labels
