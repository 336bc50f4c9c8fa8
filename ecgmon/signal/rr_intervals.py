"""What a model of single beats is told of a wearer's RR intervals."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final

import msgspec

from ecgmon.core.constants import RATE
from ecgmon.core.state import Index, Layout, Stateful

AVERAGED: Final = 8
"""RR intervals whose mean is the usual one."""
LONGEST_S: Final = 2.0
"""Seconds above which an interval says no more than that it is long."""
ORDINARY_S: Final = 0.8
"""Seconds of an interval that is not known yet."""

VALUES: Final = 3
"""Numbers that `RRIntervals` says of a beat."""

_Seconds = Annotated[list[float], msgspec.Meta(max_length=AVERAGED + 1)]


@dataclass(slots=True)
class RRIntervals(Stateful):
    """The latest RR intervals of one wearer.

    Attributes
    ----------
    beat : int or None
        Stream index of the latest beat.
    latest : deque of float
        The last two intervals in seconds.
    sums : deque of float
        The sums of all intervals up to each of the last `AVERAGED` + 1 beats, in seconds.
    """

    layout = Layout("RR intervals", 1, beat=Index | None, latest=_Seconds, sums=_Seconds)

    beat: int | None = None
    latest: deque[float] = field(default_factory=partial(deque[Any], maxlen=2))
    sums: deque[float] = field(default_factory=partial(deque[Any], maxlen=AVERAGED + 1))

    def add(self, beat: int) -> tuple[float, float, float]:
        """Take the next beat and return what is known then.

        Returns
        -------
        tuple of three float
            The last interval and the one before it over the usual one, less 1, and the usual one
            in seconds, less `ORDINARY_S`.
        """
        if self.beat is None:
            self.sums.append(0.0)
        else:
            interval = min((beat - self.beat) / RATE, LONGEST_S)
            self.latest.append(interval)
            self.sums.append(self.sums[-1] + interval)
        self.beat = beat
        if not self.latest:
            return 0.0, 0.0, 0.0
        usual = (self.sums[-1] - self.sums[0]) / (len(self.sums) - 1)
        # The second beat has only one interval before it.
        return self.latest[-1] / usual - 1, self.latest[0] / usual - 1, usual - ORDINARY_S
