"""Bundles of rhythm models: the same file as `ecgmon.models.bundle` with another card."""

from pathlib import Path
from typing import Final, Literal, Self

from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import Served, open_classes, verify
from ecgmon.models.card import ClassCard, Conditioning, Count
from ecgmon.signal.geometry import RHYTHM

RHYTHMS: Final = ("other", "ventricular-tachycardia", "ventricular-fibrillation")
"""What a monitor is told of a rhythm: flutter is called fibrillation, for both kill."""


class RhythmCard(ClassCard, frozen=True, kw_only=True):
    """Card of a rhythm model: all facts that a user or the monitor needs.

    A model sees ``history_s`` seconds and the second that it judges.
    """

    input: Literal["rhythm"] = "rhythm"
    history_s: float
    conditioning: Conditioning = Conditioning()
    seconds: tuple[Count, ...]
    """Seconds of each class that it was fitted to."""

    @property
    def fitted(self) -> tuple[int, ...]:
        """Seconds of each class that it was fitted to."""
        return self.seconds


class RhythmModel(Served[RhythmCard]):
    """A bundle whose model judges the rhythm of the last seconds, one probability for each."""

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Verify a bundle, which must see and name what a monitor does."""
        card, sha256 = verify(path, data, RhythmCard)
        if (card.history_s, card.rate, card.classes) != (RHYTHM.history_s, RHYTHM.rate, RHYTHMS):
            raise BundleError(
                f"{path} judges rhythms as no monitor does: train one with ecgmon train "
                "--network rhythms."
            )
        if card.conditioning != Conditioning():
            raise BundleError(
                f"{path} was trained behind another filter or scale than this version has: train "
                "it again with ecgmon train --network rhythms."
            )
        session = open_classes(path, data, (RHYTHM.inputs,), len(RHYTHMS))
        return cls(session, card, sha256, path)
