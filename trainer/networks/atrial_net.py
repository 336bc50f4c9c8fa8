"""The network of atrial rhythms: what each beat looks like, and how uneven their intervals are."""

from typing import Final

import torch
from torch import Tensor, nn

from ecgmon.signal.atrial_segments import BEFORE, SEGMENT

EMBEDDED: Final = 16
"""Numbers that a beat's neighbourhood becomes."""
WIDTH: Final = 32
"""Channels of the convolutions over beats that see neighbourhoods."""
OF_INTERVALS: Final = 24
"""Channels of those that see intervals alone."""
HIDDEN: Final = 48
DROPOUT: Final = 0.1
P_WAVE: Final = 2 * BEFORE // 3
"""Samples of a neighbourhood whose mean is its baseline: those of the P wave."""
GAIN: Final = 3.0
"""What neighbourhoods are multiplied with, so that they are about 1."""
INTERVAL_GAIN: Final = 4.0
"""The same of logarithms of intervals."""


class AtrialNet(nn.Module):
    """Judges whether the last beats are of atrial fibrillation.

    Parameters
    ----------
    classes : int
        Number of outputs.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.beat = nn.Sequential(
            nn.Linear(SEGMENT, 2 * EMBEDDED),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(2 * EMBEDDED, EMBEDDED),
            nn.Tanh(),
        )
        self.beats = _convolutions(EMBEDDED + 3, WIDTH)
        self.intervals = _convolutions(3, OF_INTERVALS)
        self.output = nn.Sequential(
            nn.Linear(2 * (EMBEDDED + WIDTH + OF_INTERVALS), HIDDEN),
            nn.ReLU(),
            nn.Dropout(3 * DROPOUT),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of inputs, shape (n, *ATRIAL_SHAPE)."""
        there = x[:, :, SEGMENT + 3]
        count = there.sum(dim=1, keepdim=True).clamp(min=1)
        shapes = x[:, :, :SEGMENT] - x[:, :, :P_WAVE].mean(dim=2, keepdim=True)
        embedded = self.beat(GAIN * shapes) * there[:, :, None]
        mean = embedded.sum(dim=1) / count
        away = (embedded - mean[:, None]).square() * there[:, :, None]
        spread = (away.sum(dim=1) / count + 1e-5).sqrt()
        relative = INTERVAL_GAIN * x[:, :, SEGMENT]
        change = (relative[:, 1:] - relative[:, :-1]).abs() * there[:, :-1]
        change = torch.cat([torch.zeros_like(change[:, :1]), change], dim=1)
        intervals = torch.stack([change, x[:, :, SEGMENT + 1], there], dim=1)
        together = self.beats(torch.cat([embedded.transpose(1, 2), intervals], dim=1))
        alone = self.intervals(intervals)
        pooled = [
            each
            for found in (together * there[:, None], alone * there[:, None])
            for each in (found.sum(dim=2) / count, found.amax(dim=2))
        ]
        logits: Tensor = self.output(torch.cat([mean, spread, *pooled], dim=1))
        return logits


def _convolutions(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, width, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Conv1d(width, width, 3, padding=1),
        nn.ReLU(),
    )
