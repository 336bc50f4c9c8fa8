"""Bundles of models of atrial rhythms: as `ecgmon.models.rhythm_bundle`, of the last beats."""

from pathlib import Path
from typing import Final, Literal, Self

from ecgmon.core.constants import RATE
from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import Served, open_classes, verify
from ecgmon.models.card import ClassCard, Conditioning, Count
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE, STEP

ATRIAL: Final = ("other", "atrial-fibrillation")
"""What a monitor is told of an atrial rhythm."""
ATRIAL_RATE: Final = RATE // STEP
"""Samples per second of a beat's neighbourhood."""


class AtrialCard(ClassCard, frozen=True, kw_only=True):
    """Card of a model of atrial rhythms: all facts that a user or the monitor needs.

    A model sees ``beats`` beats at most.
    """

    input: Literal["atrial"] = "atrial"
    beats: Count
    conditioning: Conditioning = Conditioning()
    inputs: tuple[Count, ...]
    """Inputs of each class that it was fitted to, one every few seconds."""

    @property
    def fitted(self) -> tuple[int, ...]:
        """Inputs of each class that it was fitted to."""
        return self.inputs


class AtrialModel(Served[AtrialCard]):
    """A bundle whose model judges the atrial rhythm of the last beats."""

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Verify a bundle, which must see and name what a monitor does."""
        card, sha256 = verify(path, data, AtrialCard)
        facts = (card.beats, card.rate, card.classes, card.conditioning)
        if facts != (ATRIAL_SHAPE[0], ATRIAL_RATE, ATRIAL, Conditioning()):
            raise BundleError(
                f"{path} judges atrial rhythms as no monitor does: train one with ecgmon train "
                "--network atrial."
            )
        return cls(open_classes(path, data, ATRIAL_SHAPE, len(ATRIAL)), card, sha256, path)
