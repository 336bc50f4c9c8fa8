"""A lead that is off: too many seconds without signal, or a line that is still for too long."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.state import NESTED, Layout
from ecgmon.signal import Second
from monitor.alarms.conditions.base import NEVER, Condition, SignalCondition
from monitor.alarms.conditions.k_of_n import KOfN

SOON: Final = 2
"""A line that is lost has been still for longer than so many seconds."""


class NoSignal(SignalCondition):
    """*no-signal*: it begins before the second's end where the line is lost."""

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        "no-signal": Properties("medium", "technical", False, "no signal: check the electrodes")
    }
    layout = Layout("no signal", 1, ("_soon",), _absent=NESTED)

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._absent = KOfN(limits.no_signal, "no-signal" in holding)
        self._soon = limits.no_signal.k <= SOON

    @property
    def due(self) -> int:
        """It has nothing to tell while the line is not lost."""
        return NEVER

    def elapsed(self, now: int, beats: Sequence[int], lost: int | None) -> list[Condition]:
        """Begin where the line is lost."""
        if lost is None or not self._soon:
            return []
        self._absent.begin()
        return [Condition("no-signal", True, lost)]

    def second(self, second: Second) -> Mapping[Kind, bool]:
        """Count a second without signal."""
        return {"no-signal": self._absent.add(second.state == "absent")}
