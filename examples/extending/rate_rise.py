"""A heart rate that rises fast: by 30 beats a minute within ten seconds."""

from collections import deque
from collections.abc import Collection, Mapping
from typing import ClassVar, Final

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits, Hysteresis
from ecgmon.core.constants import RATE
from ecgmon.core.state import NESTED, Indices, Layout
from ecgmon.signal import Second
from monitor.alarms.conditions.base import SignalCondition
from monitor.alarms.conditions.k_of_n import KOfN

RISE: Final = 30.0
"""Beats a minute by which the rate must be above that of some earlier second."""
SECONDS: Final = 10
"""Seconds in which it must rise so far."""
BEATS: Final = 9
"""Beats whose eight RR intervals make the rate of a second."""


class RateRise(SignalCondition):
    """*rate-rise*: it ends after ten seconds in a row without such a rise.

    Parameters
    ----------
    limits : AlarmLimits
        None of them is about it.
    holding : collection of Kind
        What held before the stream began.
    """

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        "rate-rise": Properties("medium", "physiological", False, "heart rate rises fast")
    }
    layout = Layout("rate rise", 1, _rises=NESTED, _beats=Indices, _rates=list[float])

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._rises = KOfN(Hysteresis(k=1, n=1, clear=10), "rate-rise" in holding)
        self._beats: deque[int] = deque(maxlen=BEATS)
        self._rates: deque[float] = deque(maxlen=SECONDS + 1)

    def second(self, second: Second) -> Mapping[Kind, bool]:
        """Take a whole second."""
        if second.state != "signal":
            self.gap(second.end)
        self._beats.extend(second.strong)
        if len(self._beats) == BEATS:
            self._rates.append(60 * RATE * (BEATS - 1) / (self._beats[-1] - self._beats[0]))
        rise = self._rates[-1] - min(self._rates) if self._rates else 0.0
        return {"rate-rise": self._rises.add(rise >= RISE)}

    def gap(self, first: int) -> None:
        """Forget beats and rates: an interval over missing samples is none."""
        self._beats.clear()
        self._rates.clear()
