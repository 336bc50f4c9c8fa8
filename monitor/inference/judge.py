"""The port of judges: a model that turns a wearer's signal into verdicts.

`monitor.wearers.active_stream.ActiveStream` has the judges of a stream: its `model` of windows, and
by `judge_of` one of ventricular and one of atrial rhythms, and one of beats if the wearer has one.
`monitor.wearers.pipeline.push` has all judged in each tick:

- Windows are cut by the signal chain and judged by `monitor.inference.engine.classify`.
- Beats are cut by `ecgmon.signal.beat_cutter.CutBeats` as the chain goes, and judged by
  `monitor.inference.beats.classify_beats`, which steadies a verdict by the beat's kind.
  `monitor.wearers.beats.change_beat_model` takes up the model that is in service, from
  `monitor.inference.bundle_pool`.
- Rhythms, ventricular and atrial, are cut by the signal chain at ends of seconds and judged by
  `monitor.inference.rhythms.classify_rhythms`; `monitor.wearers.rhythms` takes up their models and
  lets the ventricular ones overrule a window's verdict.

docs/guide/extending.md has the whole way, from what a model is given to its training and verdict.
A judge of another input needs such a step of its own.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecgmon.models.card import AnyCard


class Judge(Protocol):
    """A model that judges one wearer; a wearer may have one for each kind of input.

    Its inputs are cut from the signal as its card says. Wearers with the same judge are judged in
    one batch. `ecgmon.models.bundle.Model` judges windows, `ecgmon.models.beat_bundle.BeatModel`
    single beats, `ecgmon.models.rhythm_bundle.RhythmModel` the rhythm of the last seconds, and
    `ecgmon.models.atrial_bundle.AtrialModel` that of the last beats.
    """

    @property
    def card(self) -> AnyCard:
        """What it is: ``card.name`` is published, ``card.input`` says what it judges."""

    @property
    def sha256(self) -> str:
        """Which bundle it is: another checksum is another judge."""

    def probability(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities for a batch of shape (n, ...).

        Of windows one each, that it is abnormal: ``array([0.02, 0.97])`` for n = 2. Of beats one
        for each class: shape (n, classes).
        """
