"""Places: how many wearers may be monitored at once, and whose place is given to another."""

from collections.abc import Iterable
from typing import Final

from ecgmon.core.errors import RefusedError
from ecgmon.signal import Geometry, SignalChain
from monitor.inference.beat_stack import BeatStack
from monitor.inference.incremental import IncrementalWindows
from monitor.wearers.session import WearerSession

RETRY_S: Final = 60.0
"""A device that found no place is asked to try again after this many seconds."""

MAX_UNFINISHED: Final = 1024
"""Most wearers whose silent devices have lost their places; beyond, the longest silent is ended."""


class WearerPlaces:
    """The places of a monitor; each is two rows in all of its signal chains, one for each lead.

    Parameters
    ----------
    capacity : int
        How many there are.

    Attributes
    ----------
    windows : IncrementalWindows
        Judges the windows of all rows.
    elsewhere : int
        How many are taken by other monitors that share them with this one.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = list(range(capacity))
        self._chains: dict[Geometry, SignalChain] = {}
        self._beats: BeatStack | None = None
        self.windows = IncrementalWindows()
        self.elsewhere = 0

    def __len__(self) -> int:
        """Return how many places are free."""
        return max(len(self._free) - self.elsewhere, 0)

    def peek(self) -> int:
        """Return the place that `take` would take.

        Raises
        ------
        RefusedError
            If none is free.
        """
        if not self._free:
            raise self.refusal()
        return self._free[-1]

    def take(self) -> int:
        """Take a place; raises as `peek`."""
        row = self.peek()
        self._free.pop()
        return row

    def give_back(self, row: int) -> None:
        """Free a place."""
        self._free.append(row)

    def second_row(self, row: int) -> int:
        """Return the row for the second lead of the wearer in a row."""
        return row + self.capacity

    def refusal(self) -> RefusedError:
        """Return the error for a wearer who finds no place."""
        return RefusedError(f"This monitor watches {self.capacity} wearers already.", RETRY_S)

    def chain(self, geometry: Geometry) -> SignalChain:
        """Return the signal chain of all models that see as much of the signal."""
        if geometry not in self._chains:
            self._chains[geometry] = SignalChain(geometry, 2 * self.capacity)
        return self._chains[geometry]

    def beats(self) -> BeatStack:
        """Return what is known of the beats of all wearers whose beats are judged."""
        if self._beats is None:
            self._beats = BeatStack(2 * self.capacity)
        return self._beats


def longest_silent(sessions: Iterable[WearerSession], now: float) -> WearerSession | None:
    """Return the wearer whose device is silent longest, of those with an alarm for it."""
    silent = [
        (one.active.last_received, one)
        for one in sessions
        if one.active and now - one.active.last_received > one.limits.silent_s
    ]
    return min(silent, key=lambda pair: pair[0])[1] if silent else None
