"""Alarm conditions: each decides from a stream's seconds whether it holds.

A new condition is a file here and a line of `CONDITIONS` (docs/guide/extending.md).
"""

from pkgutil import resolve_name
from typing import Final

from monitor.alarms.conditions.base import SignalCondition

CONDITIONS: Final[tuple[type[SignalCondition], ...]] = tuple(
    resolve_name(f"monitor.alarms.conditions.{name}")
    for name in (
        "asystole:Asystole",
        "heart_rate:HeartRateConditions",
        "rhythms:NamedRhythms",
        "atrial:AtrialFibrillation",
        "noisy:Noisy",
        "no_signal:NoSignal",
        "usual_beat:UsualBeat",
        "abnormal:AbnormalBeats",
    )
)
"""What is decided of each stream. Where several change at once, an earlier one begins first and
ends last where the whole second decides."""
