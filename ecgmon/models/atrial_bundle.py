"""Bundles of models of atrial rhythms: as `ecgmon.models.rhythm_bundle`, of the last beats."""

from pathlib import Path
from typing import Final, Literal, Self

from ecgmon.core.constants import RATE
from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import Served, ends, open_session, read, verify
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
    def load(cls, path: Path) -> Self:
        """Read and verify a bundle; see `decode`."""
        return cls.decode(read(path), path)

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Verify the bytes of a bundle and make it ready to run.

        Parameters
        ----------
        data : bytes
            The whole file, from `ecgmon.models.bundle.read`.
        path : Path
            Name of the file in error messages.

        Raises
        ------
        BundleError
            If it is none, is damaged, or sees or names others than a monitor.
        """
        card, sha256 = verify(path, data, AtrialCard)
        facts = (card.beats, card.rate, card.classes, card.conditioning)
        if facts != (ATRIAL_SHAPE[0], ATRIAL_RATE, ATRIAL, Conditioning()):
            raise BundleError(
                f"{path} judges atrial rhythms as no monitor does: train one with ecgmon train "
                "--network atrial."
            )
        session = open_session(path, data)
        shapes = [
            ("tensor(float)", [None, *ATRIAL_SHAPE]),
            ("tensor(float)", [None, len(ATRIAL)]),
        ]
        if ends(session) != shapes:
            raise BundleError(f"{path} takes other input than its card says.")
        return cls(session, card, sha256)
