"""Ages by the wall clock that stay right when somebody sets the clock."""

import re
import time
from collections.abc import Iterable
from typing import Final

from ecgmon.wire import messages

STEP_S: Final = 10.0
"""A larger step in seconds between two looks is no drift: the clock was set."""
SETTLED_S: Final = 3600.0
"""So long after the clock was set nothing is removed because of its age."""
CLOCK_SET: Final = "clock-set"
"""The event by which the journal knows of a step, and by how many seconds."""
_SECONDS: Final = re.compile(r"by ([+-][0-9]{1,12}) s")
_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts the time in which the machine sleeps, too, where the system has such a clock."""


class WallClock:
    """Notes steps of the wall clock, and counts ages as if there had been none.

    Parameters
    ----------
    newest : float or None
        Time of the journal's newest entry, in s since 1970; None if it has none.
    steps : iterable of Event
        What the journal knows of earlier steps.

    Attributes
    ----------
    step_s : float
        By how much the clock was set when this was last noticed.
    """

    def __init__(self, newest: float | None = None, steps: Iterable[messages.Event] = ()) -> None:
        self._steps = [(one.time, float(found[1])) for one in steps if (found := _found(one))]
        now = time.time()
        known = newest is None or abs(now - newest) < SETTLED_S
        recent = any(abs(now - at) < SETTLED_S for at, _ in self._steps)
        # What came between the newest entry and now, nobody knows: perhaps only a wrong clock.
        self._settles = 0.0 if known and not recent else _steady() + SETTLED_S
        self._last = now, _steady()
        self._stepped = float("-inf")
        self.step_s = 0.0

    @property
    def stepped(self) -> bool:
        """Whether the clock was set in the last hour, while this monitor ran."""
        return _steady() < self._stepped + SETTLED_S

    def look(self) -> messages.Event | None:
        """Look at both clocks, about once a second; return what the journal must know of a step."""
        then, steady_then = self._last
        now, steady = self._last = time.time(), _steady()
        step = now - then - (steady - steady_then)
        if abs(step) < STEP_S:
            return None
        self.step_s = step
        self._stepped, self._settles = steady, steady + SETTLED_S
        self._steps.append((now, step))
        text = f"the clock was set by {step:+.0f} s"
        return messages.Event(wearer=None, stream=None, event=CLOCK_SET, text=text, time=now)

    def cutoff(self, age_s: float) -> float:
        """Return before which time of the wall clock everything is older than an age.

        What was written before a step forward is younger than it seems. A step back makes nothing
        older: at most it undoes one forward. While the clock is not trusted, nothing is too old.
        """
        if _steady() < self._settles:
            return float("-inf")
        cutoff = time.time() - age_s
        undone = 0.0
        for at, step in reversed(self._steps):
            if at > cutoff:
                undone += step
                cutoff = min(cutoff, time.time() - age_s - undone)
        return cutoff


def _steady() -> float:
    return time.clock_gettime(_STEADY)


def _found(event: messages.Event) -> re.Match[str] | None:
    return _SECONDS.search(event.text) if event.event == CLOCK_SET else None
