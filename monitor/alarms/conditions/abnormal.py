"""Abnormal beats in too many of the last seconds, as the wearer's model judges them."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.state import NESTED, Layout
from monitor.alarms.conditions.base import SignalCondition
from monitor.alarms.conditions.k_of_n import KOfN


class AbnormalBeats(SignalCondition):
    """*abnormal*: a second that is not judged counts as one without."""

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        "abnormal": Properties("medium", "physiological", False, "abnormal beats")
    }
    layout = Layout("abnormal beats", 1, _abnormal=NESTED)

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._abnormal = KOfN(limits.abnormal, "abnormal" in holding)

    def judged(self, abnormal: bool | None) -> Mapping[Kind, bool]:
        """Take the verdict on the next second."""
        return {"abnormal": self._abnormal.add(abnormal is True)}

    def text(self, kind: Kind) -> str:
        """Return the text with the limit that it went by."""
        rule = self.limits.abnormal
        return f"{super().text(kind)} in {rule.k} of {rule.n} seconds"
