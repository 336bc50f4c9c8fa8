"""The newest beats of a stream, as the beat model calls them."""

from collections.abc import Iterator
from typing import Final

from ecgmon.wire import messages

BEATS: Final = 2048
"""Most beats kept: ten minutes at 200 a minute."""


class BeatList:
    """Beats that were published and not withdrawn, by their R peaks.

    Messages may be missing, repeated or out of order.
    """

    def __init__(self) -> None:
        self._beats: dict[int, messages.Beat] = {}
        self._withdrawn: dict[int, None] = {}

    def __iter__(self) -> Iterator[messages.Beat]:
        """Yield the beats in the order of time."""
        return (self._beats[at] for at in sorted(self._beats))

    def __len__(self) -> int:
        return len(self._beats)

    def add(self, beat: messages.Beat) -> None:
        """Take a beat, unless it was withdrawn; beyond `BEATS` the oldest is forgotten."""
        if beat.at not in self._withdrawn:
            self._beats[beat.at] = beat
            if len(self._beats) > BEATS:
                del self._beats[min(self._beats)]

    def withdraw(self, at: int) -> None:
        """Take that the beat at a stream index was none."""
        self._beats.pop(at, None)
        self._withdrawn[at] = None
        if len(self._withdrawn) > BEATS:
            del self._withdrawn[next(iter(self._withdrawn))]
