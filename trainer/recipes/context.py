"""The project's own: single beats by a small network that is told their RR intervals.

Made for live beats (`ecgmon.signal.beat_segments`), whose RR intervals join behind the
convolutions. Beats as published have none, and are judged by their shape alone. Early beats are
rare, and most wearers' first minutes hold none: in training some normal beats are made early. What
was compared, which is the share of these, the loss and `CONTEXT`, was compared on wearers of DS1.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgmon.core.constants import RATE
from ecgmon.signal.beat_segments import BEAT_RATE, BEFORE, SHAPES
from trainer.networks.beat_augmentation import Augmentation
from trainer.training.fit import Epoch, FitSettings, deterministic, fit
from trainer.training.recipe import ExampleBatches, Recipe, Task

NORMAL: Final = 0
EARLY: Final = 1
"""Numbers of the classes N and S."""
LAST, BEFORE_LAST, USUAL = 0, 1, 2
"""Of the constant channels of live beats: RR intervals over the usual one, less 1, and the usual
one in seconds, less `ORDINARY_S`."""
ORDINARY_S: Final = 0.8
"""An ordinary RR interval."""
AVERAGED: Final = 8
"""RR intervals, the last one among them, whose mean is the usual one."""
WIDTH: Final = 32
KERNELS: Final = (9, 9, 5)
POOLING: Final = 3
HIDDEN: Final = 64
DROPOUT: Final = 0.3
CONTEXT: Final = 10.0
"""What the constants are multiplied with, so that they are about as large as what they join."""
R_PEAK: Final = BEFORE * BEAT_RATE // RATE
"""Where a live beat's R peak is."""
BATCH: Final = 64
SETTINGS: Final = FitSettings(epochs=8, learning_rate=2e-3, seed=0)


class ContextNet(nn.Module):
    """Three convolutions over a beat's shape; its RR intervals join the two dense layers.

    Parameters
    ----------
    channels, length, classes : int
        Shape of an input, and number of outputs.
    """

    def __init__(self, channels: int, length: int, classes: int) -> None:
        super().__init__()
        self.disturbance = Augmentation()
        self._shapes = min(channels, SHAPES)
        layers: list[nn.Module] = []
        before = self._shapes
        for kernel in KERNELS:
            layers += [nn.Conv1d(before, WIDTH, kernel, padding=kernel // 2), nn.ReLU()]
            layers += [nn.MaxPool1d(POOLING), nn.Dropout(DROPOUT / 2)]
            before, length = WIDTH, length // POOLING
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.hidden = nn.Linear(WIDTH * length + channels - self._shapes, HIDDEN)
        self.output = nn.Sequential(nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of inputs, shape (n, channels, length)."""
        y = self.disturbance(x)
        shape = self.convolutions(y[:, : self._shapes])
        context = CONTEXT * y[:, self._shapes :, 0]
        logits: Tensor = self.output(self.hidden(torch.cat([shape, context], dim=1)))
        return logits


class PrematureBeats(ExampleBatches):
    """Batches in which some normal beats of a steady rhythm are made early, and of class S.

    A part of the pause before the P wave is taken out, and the RR interval is as much shorter.
    """

    SHARE: Final = 0.08
    """Of the normal beats. With networks of one half of DS1 judging the other, S had an F1 of 0.31
    among strangers and 0.52 after fitting; without any, 0.20 and 0.47 (once, by no command)."""
    STEADY: Final = 0.12
    """How far the last two RR intervals may be from the usual one, as a share of it."""
    EARLIER: Final = (0.12, 0.45)
    """Shares of the RR interval that are taken out."""
    KEPT_S: Final = 0.2
    """Seconds before the R peak that stay as they are, or less where `KEPT` is."""
    KEPT: Final = 0.35
    """Share of the new RR interval that stays at most."""

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (size, channels, length), and labels, shape (size,)."""
        inputs, labels = super().draw(rng)
        if inputs.shape[1] <= SHAPES:
            return inputs, labels
        steady = (inputs[:, SHAPES : SHAPES + USUAL, 0].abs() < self.STEADY).all(1)
        chosen = torch.from_numpy(rng.random(len(labels)) < self.SHARE)
        which = (chosen & steady & (labels == NORMAL)).nonzero()[:, 0]
        share = torch.from_numpy(rng.uniform(*self.EARLIER, len(which)).astype(np.float32))
        # Drawing with a list of examples has made copies: the examples stay as they are.
        inputs[which] = self.early(inputs[which], share)
        labels[which] = EARLY
        return inputs, labels

    @classmethod
    def early(cls, beats: Tensor, share: Tensor) -> Tensor:
        """Return beats, shape (n, channels, length), each early by a share, (n,), of its RR."""
        usual = beats[:, SHAPES + USUAL, :1] + ORDINARY_S
        last, before = ((beats[:, SHAPES + at, :1] + 1) * usual for at in (LAST, BEFORE_LAST))
        moved = (share[:, None] * last * BEAT_RATE).round().long()
        last = last - moved / BEAT_RATE
        usual = usual - moved / BEAT_RATE / AVERAGED
        unchanged = ((cls.KEPT * last).clamp(max=cls.KEPT_S) * BEAT_RATE).round().long()
        at = torch.arange(beats.shape[2]).expand(len(beats), -1)
        source = torch.where(at < R_PEAK - unchanged, (at - moved).clamp(min=0), at)
        made = beats.clone()
        made[:, 0] = beats[:, 0].gather(1, source)
        made[:, 1] += made[:, 0] - beats[:, 0]  # what it is compared with stays
        made[:, SHAPES + LAST] = last / usual - 1
        made[:, SHAPES + BEFORE_LAST] = before / usual - 1
        made[:, SHAPES + USUAL] = usual - ORDINARY_S
        return made


def context(task: Task) -> ContextNet:
    """Train in one cycle; the averaged weights of the last epoch."""
    deterministic(task.seed)
    examples = task.training

    def train(network: ContextNet, progress: Callable[[Epoch], None]) -> ContextNet:
        batches = PrematureBeats(examples, BATCH, functional.cross_entropy)
        return fit(network, batches, replace(SETTINGS, seed=task.seed), progress=progress)

    network = ContextNet(examples.channels, examples.inputs.shape[2], len(examples.classes))
    return task.shelf.network("context", network, train)


RECIPE: Final = Recipe(
    study=0,
    about="The project's own: beats as a live monitor has them, judged by a small network that is "
    "told their RR intervals.",
    data="beats",
    systems={"context": context},
    loss=functional.cross_entropy,
    adaptation=replace(SETTINGS, epochs=10, learning_rate=1e-3),
    networks=lambda *shape: {"context": ContextNet(*shape)},
    settings={
        "training": SETTINGS,
        "batch": BATCH,
        "loss": "cross-entropy",
        "made early": {
            "share": PrematureBeats.SHARE,
            "steady": PrematureBeats.STEADY,
            "earlier": PrematureBeats.EARLIER,
            "kept, s": PrematureBeats.KEPT_S,
            "kept": PrematureBeats.KEPT,
            "ordinary RR, s": ORDINARY_S,
            "averaged": AVERAGED,
            "R peak": R_PEAK,
        },
    },
    batch=32,
)
