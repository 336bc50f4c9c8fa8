"""The port of judges: a model that turns a wearer's signal into verdicts.

`monitor.wearers.registry.WearerRegistry.open` gives a stream its judges, and
`monitor.wearers.session.ActiveStream.judges` holds them. `monitor.wearers.pipeline.push` cuts what
they judge from the signal, and `monitor.inference.engine` asks all judges of many wearers in one
batch. A judge of another input needs a step in the pipeline that cuts its inputs.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecgmon.models.card import AnyCard


class Judge(Protocol):
    """A model that judges one wearer; a wearer may have one for each kind of input.

    Its inputs are cut from the signal as its card says. Wearers with the same judge are judged in
    one batch. `ecgmon.models.bundle.Model` judges windows, `ecgmon.models.beat_bundle.BeatModel`
    single beats.
    """

    @property
    def card(self) -> AnyCard:
        """What it is: ``card.name`` is published, ``card.input`` is *window* or *beat*."""

    @property
    def sha256(self) -> str:
        """Which bundle it is: another checksum is another judge."""

    def probability(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities for a batch of shape (n, ...).

        Of windows one each, that it is abnormal: ``array([0.02, 0.97])`` for n = 2. Of beats one
        for each class: shape (n, classes).
        """
