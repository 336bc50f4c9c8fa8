"""The newest beats of a stream, as the beat model calls them, and its ectopic beats of an hour."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_rules import LETTERS
from ecgmon.wire import messages

BEATS: Final = 2048
"""Most beats kept: ten minutes at 200 a minute."""
MINUTE: Final = 60 * RATE
HOUR: Final = 60 * MINUTE
BIN: Final = 10 * RATE
"""Samples of a bin of ectopic beats: an hour is counted to within this."""

Ectopics = Counter[str]
"""Ventricular (V, with fusions) and supraventricular beats (S)."""


class BeatList:
    """Beats that were published and not withdrawn, by their R peaks.

    Messages may be missing, repeated or out of order.

    Attributes
    ----------
    since : int or None
        Stream index of the first beat heard of: no count reaches further back.
    """

    def __init__(self) -> None:
        self.since: int | None = None
        self._beats: dict[int, messages.Beat] = {}
        self._order: list[int] = []
        self._withdrawn: dict[int, None] = {}
        self._bins: dict[int, Ectopics] = {}

    def __iter__(self) -> Iterator[messages.Beat]:
        """Yield the beats in the order of time."""
        return (self._beats[at] for at in tuple(self._order))

    def __len__(self) -> int:
        return len(self._beats)

    def between(self, first: int, stop: int) -> Iterator[messages.Beat]:
        """Yield the beats from one stream index to before another, in the order of time."""
        inside = self._order[bisect_left(self._order, first) : bisect_left(self._order, stop)]
        return (self._beats[at] for at in inside)

    def add(self, beat: messages.Beat) -> None:
        """Take a beat, unless it was withdrawn; beyond `BEATS` the oldest is forgotten."""
        if beat.at in self._withdrawn or beat.at in self._beats:
            return
        if len(self._order) == BEATS:
            if beat.at < self._order[0]:
                return  # it may have been counted and forgotten
            del self._beats[self._order.pop(0)]
        self.since = beat.at if self.since is None else min(beat.at, self.since)
        self._beats[beat.at] = beat
        insort(self._order, beat.at)
        self._count(beat, 1)

    def withdraw(self, at: int) -> None:
        """Take that the beat at a stream index was none."""
        if beat := self._beats.pop(at, None):
            self._order.remove(at)
            self._count(beat, -1)
        self._withdrawn[at] = None
        if len(self._withdrawn) > BEATS:
            del self._withdrawn[next(iter(self._withdrawn))]

    def last_minute(self, clock: int) -> Ectopics:
        """Return how many ectopic beats the minute before a stream index has."""
        letters = (LETTERS[beat.label] for beat in self.between(clock - MINUTE + 1, clock + 1))
        return Counter(letter for letter in letters if letter != "N")

    def last_hour(self, clock: int) -> Ectopics:
        """Return how many ectopic beats the hour before a stream index has, to within `BIN`."""
        newest = clock // BIN
        total: Ectopics = Counter()
        for number, ectopics in self._bins.items():
            if newest - HOUR // BIN < number <= newest:
                total += ectopics
        return total

    def _count(self, beat: messages.Beat, more: int) -> None:
        letter, number = LETTERS[beat.label], beat.at // BIN
        if letter == "N" or (more < 0 and number not in self._bins):
            return
        self._bins.setdefault(number, Counter())[letter] += more
        while len(self._bins) > HOUR // BIN:
            del self._bins[min(self._bins)]
