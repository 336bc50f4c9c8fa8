"""Noise that hides the ECG in too many of the last seconds."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.state import NESTED, Layout
from ecgmon.signal import Second
from monitor.alarms.conditions.base import SignalCondition
from monitor.alarms.conditions.k_of_n import KOfN


class Noisy(SignalCondition):
    """*noisy*: by seconds whose state is noise."""

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        "noisy": Properties(
            "low", "technical", False, "noise hides the ECG: check electrodes and cable"
        )
    }
    layout = Layout("noisy", 1, _noisy=NESTED)

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._noisy = KOfN(limits.noisy, "noisy" in holding)

    def second(self, second: Second) -> Mapping[Kind, bool]:
        """Count a second of noise."""
        return {"noisy": self._noisy.add(second.state == "noisy")}
