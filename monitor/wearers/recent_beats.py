"""The last beats of a stream: which a pacemaker has made, look like no beat, and how called."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile, zip_longest
from typing import Annotated, Final, NamedTuple

import msgspec

from ecgmon.core.constants import RATE
from ecgmon.core.labels import ECTOPIC, BeatClass
from ecgmon.core.state import Index, Indices, Layout, Stateful
from ecgmon.signal import Second
from ecgmon.signal.beat_kin import BEFORE

SOONEST: Final = round(0.015 * RATE)
LATEST: Final = round(0.16 * RATE)
"""Samples from a spike in a ventricle to the R peak of the beat that it makes. After a spike in an
atrium the beat comes later, by its own way, and is judged as any."""
LAST: Final = 10
"""Beats by which it is told whether the rhythm is paced..."""
MOST: Final = 8
"""...and how many of them are paced then."""
NEAR: Final = round(1.5 * RATE)
"""Samples before and after the start of a second in which a beat must be for it to be normal."""
KIN: Final = 2
"""Such a beat looks like at least so many of those before it."""
DISORDER: Final = RATE
"""Samples by which a beat may come after a later one, at most: where another lead is judged from
now on it is some milliseconds. What is asked for is mostly among the latest beats."""
_KEPT: Final = 64
"""Spikes and beats that are kept: of some ten seconds and more."""


class NamedBeat(NamedTuple):
    """A beat that a model has judged: its stream index, class, and how probable that is."""

    at: Index
    label: BeatClass
    probability: float


class KnownBeat(NamedTuple):
    """A beat: its stream index, how many of those before it looks like, and whether it is weak."""

    at: Index
    kin: Index
    weak: bool


@dataclass(eq=False, slots=True)
class RecentBeats(Stateful):
    """The last beats and pacing spikes of a stream.

    Attributes
    ----------
    told : bool
        Whether it was told that the rhythm is paced.
    """

    layout = Layout(
        "recent beats",
        2,
        told=bool,
        _spikes=Indices,
        _beats=Annotated[list[KnownBeat], msgspec.Meta(max_length=_KEPT)],
        _named=Annotated[list[NamedBeat], msgspec.Meta(max_length=_KEPT)],
    )

    told: bool = False
    _spikes: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _beats: deque[KnownBeat] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _named: deque[NamedBeat] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def spikes(self, found: Sequence[int]) -> None:
        """Take the next spikes of the stream."""
        self._spikes.extend(found)

    def second(self, second: Second) -> None:
        """Take the beats of the next second."""
        for at, kin in zip_longest(second.beats, second.kin, fillvalue=BEFORE):
            self._beats.append(KnownBeat(at, kin, at in second.weak))

    def name(self, at: int, label: BeatClass, probability: float) -> None:
        """Take what a model of beats has called a beat."""
        self._named.append(NamedBeat(at, label, probability))

    def ectopic(self, start: int, stop: int) -> float | None:
        """Return the probability of the most probable ectopic beat of a span; None without one."""
        named = self._named_from(start, stop)
        return max((one.probability for one in named if one.label in ECTOPIC), default=None)

    def all_normal(self, start: int, stop: int) -> float | None:
        """Return how improbable the least probable beat of a span is, where all are called *N*.

        None where another class is called, where a beat that is not weak has no class, and where
        there are no beats.
        """
        named = self._named_from(start, stop)
        if not named or any(one.label != "N" for one in named):
            return None
        if not self._strong(start, stop) <= {one.at for one in named}:
            return None
        return 1 - min(one.probability for one in named)

    def _named_from(self, start: int, stop: int) -> list[NamedBeat]:
        latest = takewhile(lambda one: one.at >= start - DISORDER, reversed(self._named))
        return [one for one in latest if start <= one.at < stop]

    def _strong(self, start: int, stop: int) -> set[int]:
        """Return the beats of a span that are not weak."""
        latest = takewhile(lambda one: one.at >= start - DISORDER, reversed(self._beats))
        return {at for at, _, weak in latest if start <= at < stop and not weak}

    def is_paced(self, at: int) -> bool:
        """Tell whether the beat with its R peak at a stream index follows a spike."""
        return any(SOONEST <= at - spike <= LATEST for spike in self._spikes)

    def only_paced(self, start: int, stop: int) -> bool:
        """Tell whether there are beats from ``start`` to before ``stop``, and all of them paced."""
        beats = self._strong(start, stop)
        return bool(beats) and all(map(self.is_paced, beats))

    def is_strange(self, first: int) -> bool:
        """Tell whether around the second at ``first`` is no beat that looks like others.

        What a model of beats calls normal there, it has hardly seen.
        """
        return not any(
            kin >= KIN and first - NEAR <= at < first + NEAR for at, kin, _ in reversed(self._beats)
        )

    @property
    def is_paced_rhythm(self) -> bool:
        """Whether most of the last beats are paced."""
        if not self._spikes:
            return False
        last = [at for at, _, weak in self._beats if not weak][-LAST:]
        return len(last) == LAST and sum(map(self.is_paced, last)) >= MOST
