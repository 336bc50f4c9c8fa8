"""Pre-training without labels: a network learns which transformation a beat went through."""

from collections.abc import Callable
from typing import Final

import numpy as np
from torch import Tensor
from torch.nn import functional

from trainer.data.examples import Examples
from trainer.studies.representation.networks import RepresentationNetwork
from trainer.studies.representation.transformations import VERSIONS, in_versions
from trainer.training.fit import Epoch, FitSettings, fit
from trainer.training.recipe import ExampleBatches, accuracy

HELD_OUT: Final = 5
"""One beat in so many is held out, to choose the epoch on."""


def head_loss(logits: Tensor, versions: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of the heads.

    Parameters
    ----------
    logits : Tensor of float32, shape (n, heads)
        Of *went through this head's transformation*.
    versions : Tensor of int64, shape (n,)
        Which one each input did go through.
    """
    targets = functional.one_hot(versions, len(VERSIONS)).float()
    return functional.binary_cross_entropy_with_logits(logits, targets)


class VersionBatches:
    """Batches of examples in versions that are drawn anew in every pass over them.

    Parameters
    ----------
    examples : Examples
        The data; their labels are not looked at.
    size : int
        Examples in a batch.
    """

    def __init__(self, examples: Examples, size: int) -> None:
        self._examples = examples
        self._size = size
        self._pass = ExampleBatches(examples, size, head_loss)
        self._left = 0

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (size, channels, length), and their versions, shape (size,)."""
        if not self._left:
            versions = in_versions(self._examples, rng)
            self._pass = ExampleBatches(versions, self._size, head_loss)
            self._left = self._pass.steps
        self._left -= 1
        return self._pass.draw(rng)

    def loss(self, network: RepresentationNetwork, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the mean loss of a batch."""
        return self._pass.loss(network, batch)

    @property
    def steps(self) -> int:
        """Batches in a pass."""
        return self._pass.steps


def pretrain(
    network: RepresentationNetwork,
    examples: Examples,
    settings: FitSettings,
    batch: int,
    progress: Callable[[Epoch], None],
) -> RepresentationNetwork:
    """Train a network with a head for each of `VERSIONS`.

    Parameters
    ----------
    network : RepresentationNetwork
        Starting point; it is changed on the way.
    examples : Examples
        Training beats; their labels are not looked at.
    settings : FitSettings
        How to train.
    batch : int
        Examples in a batch.
    progress : callable
        Called after each epoch.

    Returns
    -------
    Network
        That of the epoch that knew most versions of held-out beats.
    """
    rng = np.random.default_rng(settings.seed)
    order = rng.permutation(len(examples))
    held = len(examples) // HELD_OUT
    judges = in_versions(examples[order[:held]], rng)
    batches = VersionBatches(examples[order[held:]], batch)
    return fit(
        network, batches, settings, score=lambda each: accuracy(each, judges), progress=progress
    )
