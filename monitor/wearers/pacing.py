"""Which beats a pacemaker has made: those that follow its spikes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.core.state import Indices, Layout, Stateful
from ecgmon.signal import Second

SOONEST: Final = round(0.015 * RATE)
LATEST: Final = round(0.16 * RATE)
"""Samples from a spike in a ventricle to the R peak of the beat that it makes. After a spike in an
atrium the beat comes later, by its own way, and is judged as any."""
LAST: Final = 10
"""Beats by which it is told whether the rhythm is paced..."""
MOST: Final = 8
"""...and how many of them are paced then."""
_KEPT: Final = 64
"""Spikes and beats that are kept: of some ten seconds and more."""


@dataclass(eq=False, slots=True)
class Pacing(Stateful):
    """The last spikes and beats of a stream.

    Attributes
    ----------
    told : bool
        Whether it was told that the rhythm is paced.
    """

    layout = Layout("pacing", 1, told=bool, _spikes=Indices, _beats=Indices)

    told: bool = False
    _spikes: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _beats: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def spikes(self, found: Sequence[int]) -> None:
        """Take the next spikes of the stream."""
        self._spikes.extend(found)

    def second(self, second: Second) -> None:
        """Take the beats of the next second; those that are weak may be none."""
        self._beats.extend(second.strong)

    def is_paced(self, at: int) -> bool:
        """Tell whether the beat with its R peak at a stream index follows a spike."""
        return any(SOONEST <= at - spike <= LATEST for spike in self._spikes)

    def only_paced(self, start: int, stop: int) -> bool:
        """Tell whether there are beats from ``start`` to before ``stop``, and all of them paced."""
        beats = [at for at in self._beats if start <= at < stop]
        return bool(beats) and all(map(self.is_paced, beats))

    @property
    def is_rhythm(self) -> bool:
        """Whether most of the last beats are paced."""
        last = list(self._beats)[-LAST:]
        return len(last) == LAST and sum(map(self.is_paced, last)) >= MOST
