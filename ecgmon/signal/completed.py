"""What a call of the chain has completed so far: windows, seconds and rhythms."""

from dataclasses import dataclass, field

from ecgmon.signal.beat_feed import Follower
from ecgmon.signal.types import RhythmInputs, Second, Windows


@dataclass(eq=False, slots=True)
class Completed:
    """Collects while the chain follows its rows.

    Parameters
    ----------
    follow : Follower
        Is told what is found on the way.
    """

    follow: Follower
    windows: list[Windows] = field(default_factory=list)
    seconds: list[Second] = field(default_factory=list)
    rhythms: list[RhythmInputs] = field(default_factory=list)
    atrial: list[RhythmInputs] = field(default_factory=list)
