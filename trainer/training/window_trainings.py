"""How the built-in networks of windows are trained: batches, shares and settings, as data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from types import MappingProxyType
from typing import Final

from trainer.networks.window_networks import BeatNet, CardiacNet, WearerNorm, WindowNetwork
from trainer.training.batches import DECIDED_BY as DECIDED_BY_OF_BATCHES
from trainer.training.batches import Batches, Group, Noise, SegmentBatches, WindowBatches
from trainer.training.fit import FitSettings


@dataclass(frozen=True, slots=True)
class Training:
    """Training of a built-in network, generic and for a wearer; chosen on `splits.CHOOSING`."""

    network: Callable[[], WindowNetwork]
    """Makes an untrained generic network."""
    batches: Callable[[Sequence[Group], Noise], Batches[WindowNetwork]]
    enrolment: Callable[[Sequence[Group], Noise], Batches[WindowNetwork]]
    """Makes the batches of an enrolment; ``batches`` makes those of the generic training."""
    share: int
    """A batch of the generic training has this many examples of mitdb's wearers."""
    together: int
    """In the generic training, this many successive examples of a batch are of one wearer."""
    own: int
    """A batch of an enrolment has this many examples of the wearer."""
    rehearsal: int
    """And this many of the generic model's training data."""
    generic: FitSettings
    """Settings of the generic training."""
    patient: FitSettings
    """Settings of an enrolment."""
    patient_threshold: float = 0.5
    """Threshold of a wearer's model, which fine-tuning calibrates to the wearer."""
    beside: Mapping[str, int] = field(default_factory=dict)
    """In the generic training, a batch has this many more of each kind of other people
    (`trainer.data.window_people.KINDS`)."""


TRAININGS: Final = {
    "beatnet": Training(
        partial(BeatNet, norm=WearerNorm),
        SegmentBatches,
        # Five minutes are soon overfitted, and often hold no premature beat.
        partial(SegmentBatches, premature=0.5, smoothing=0.05),
        20,
        WearerNorm.STRETCHES,
        28,
        4,
        # More epochs fit those who teach ever better, and strangers worse.
        FitSettings(epochs=4, steps=350, learning_rate=3e-3, seed=1),
        FitSettings(epochs=1, steps=300, learning_rate=1e-3, seed=1),
        patient_threshold=0.4,
        beside=MappingProxyType({"svdb": 16, "qtdb": 4, "rhythms": 4, "calm": 4}),
    ),
    "cardiacnet": Training(
        CardiacNet,
        WindowBatches,
        WindowBatches,
        128,
        1,
        64,
        64,
        FitSettings(epochs=8, learning_rate=1e-3, seed=1),
        FitSettings(epochs=1, steps=300, learning_rate=5e-4, seed=1),
    ),
}


PROCEDURE: Final = 1
"""Version of the procedure for the digest of results (`trainer.evaluation.results.digest`). Raise
it by hand if networks are trained or judged differently with the same settings."""


def decided_by(network: str) -> dict[str, object]:
    """Return as data all settings that decide the training of a built-in network."""
    training = TRAININGS[network]
    return {
        "procedure": PROCEDURE,
        "share": training.share,
        "beside": dict(training.beside),
        "together": training.together,
        "own": training.own,
        "rehearsal": training.rehearsal,
        "generic": training.generic,
        "patient": training.patient,
        "patient threshold": training.patient_threshold,
        "batches": DECIDED_BY_OF_BATCHES,
        "given": [_given(training.batches), _given(training.enrolment)],
    }


def _given(make: Callable[..., object]) -> dict[str, object]:
    """Return the arguments of a maker of batches that are bound or have a default."""
    arguments = signature(make).parameters.values()
    return {each.name: each.default for each in arguments if each.default is not each.empty}
