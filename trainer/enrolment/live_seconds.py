"""Count of a live stream's usable seconds, and remarks on the problems of the others."""

from collections import Counter
from typing import Final, Literal

from ecgmon.core.constants import WINDOW

State = Literal["signal", "noisy", "absent", "clipped", "missing", "silent"]
"""State of a second: as the monitor judges it, or *clipped*, *missing* if samples of it are not
captured, *silent* if nothing was received."""
REMARKS: Final[dict[State, str]] = {
    "signal": "The signal is good again.",
    "noisy": "The signal is too noisy: keep still, and see to the electrodes.",
    "absent": "There is no signal: an electrode is off, or the device measures nothing.",
    "clipped": "The signal is clipped, it leaves the device's range: see to electrodes and gain.",
    "missing": "Samples are missing: the device's link loses them, or the monitor's disk fails.",
    "silent": "Nothing arrives from the device: see to its link.",
}
APART_S: Final = 5.0
"""Two remarks are at least this many seconds apart."""
AGAIN_S: Final = 20.0
"""Two remarks on the same state are at least this many seconds apart."""
SILENT_S: Final = 6.0
"""A remark is made after this many seconds in which nothing was received. The gaps between a
radio's bursts are shorter."""


class LiveSeconds:
    """Seconds of one stream, counted by their state.

    Parameters
    ----------
    now : float
        Monotonic time at which counting begins.

    Attributes
    ----------
    usable : int
        Seconds of good signal.
    since : int
        Seconds of any kind since the first good one.
    start, stop : int
        First sample of the first good second, and the sample after the last good second.
    """

    def __init__(self, now: float) -> None:
        self.start = self.stop = self.since = 0
        self._seconds: Counter[State] = Counter()
        self._began_s = self._received_s = now
        self._state: State = "signal"
        self._remarked: State = "signal"
        self._remarked_s = float("-inf")

    @property
    def usable(self) -> int:
        """Seconds of good signal."""
        return self._seconds["signal"]

    @property
    def state(self) -> State:
        """State of the last second."""
        return self._state

    def elapsed(self, now: float) -> float:
        """Return the seconds that have passed, or the seconds counted if these are more."""
        return max(now - self._began_s, self._seconds.total())

    def add(self, first: int, state: State, now: float) -> str | None:
        """Count the second that begins at sample ``first``; return a remark or None."""
        if state == "signal":
            if not self.usable:
                self.start = first
            self.stop = first + WINDOW
        self._seconds[state] += 1
        self.since += self.usable > 0
        self._received_s = now
        return self._remark(state, now)

    def idle(self, now: float) -> str | None:
        """Return a remark if nothing was received for `SILENT_S`, else None."""
        return self._remark("silent", now) if now - self._received_s >= SILENT_S else None

    def summary(self) -> str:
        """Return a text with the number of seconds of each state."""
        others = [f"{n} {state}" for state, n in self._seconds.items() if state != "signal"]
        return f"{self.usable} of {self._seconds.total()} seconds were usable" + (
            f" ({', '.join(others)})" if others else ""
        )

    def _remark(self, state: State, now: float) -> str | None:
        self._state = state
        at = self.elapsed(now)
        again = state != "signal" and at - self._remarked_s >= AGAIN_S
        if at - self._remarked_s < APART_S or not (again or state != self._remarked):
            return None
        self._remarked, self._remarked_s = state, at
        return REMARKS[state]
