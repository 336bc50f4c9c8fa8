"""A rhythm model's verdict on the last seconds of a stream."""

from typing import NamedTuple

from ecgmon.core.state import Index


class RhythmVerdict(NamedTuple):
    """What a rhythm model says at stream index ``end``: two probabilities."""

    end: Index
    tachycardia: float
    fibrillation: float

    @property
    def ventricular(self) -> float:
        """Probability of either."""
        return self.tachycardia + self.fibrillation
