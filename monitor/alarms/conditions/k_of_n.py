"""Hysteresis over seconds: k of the last n begin a condition, a run without ends it."""

from collections import deque
from dataclasses import dataclass, field

from ecgmon.core.alarm_limits import Hysteresis
from ecgmon.core.state import Index, Layout, Stateful


@dataclass(slots=True)
class KOfN(Stateful):
    """K of N: a condition begins after k of the last n seconds and ends after a run without any.

    Parameters
    ----------
    rule : Hysteresis
        When it begins and ends.
    holds : bool
        Whether it held before the first second.
    """

    layout = Layout("k of n", 1, ("rule",), holds=bool, _recent=list[bool], _without=Index)

    rule: Hysteresis
    holds: bool = False
    _recent: deque[bool] = field(init=False)
    _without: int = 0

    def __post_init__(self) -> None:
        self._recent = deque(maxlen=self.rule.n)

    def add(self, now: bool) -> bool:
        """Take the next second and return whether the condition holds after it."""
        self._recent.append(now)
        self._without = 0 if now else self._without + 1
        if not self.holds:
            self.holds = now and sum(self._recent) >= self.rule.k
        elif self._without >= self.rule.clear:
            self.holds = False
            self._recent.clear()  # what began it before cannot begin it again
        return self.holds

    def begin(self) -> None:
        """Let the condition hold from now on: it was found otherwise than by whole seconds."""
        self.holds, self._without = True, 0
