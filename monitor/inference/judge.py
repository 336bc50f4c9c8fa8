"""The port of judges: what turns a wearer's signal into verdicts."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecgmon.models.card import AnyCard


class Judge(Protocol):
    """A model that judges one wearer; a wearer may have one for each kind of input.

    What it is asked is cut from the signal as its card says, for many wearers with the same judge
    at once. `ecgmon.models.bundle.Model` judges windows, `ecgmon.models.beat_bundle.BeatModel`
    single beats.
    """

    @property
    def card(self) -> AnyCard:
        """What it is: ``card.name`` is published, ``card.input`` is *window* or *beat*."""

    @property
    def sha256(self) -> str:
        """Which bundle it is: another checksum is another judge."""

    def probability(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what it says of a batch of shape (n, ...): ``array([0.02, 0.97])`` for n = 2."""
