"""Alarm conditions: each decides from a stream's seconds whether it holds.

A new condition is a file here and a line of `CONDITIONS` (docs/guide/extending.md).
"""

from typing import Final

from monitor.alarms.conditions.abnormal import AbnormalBeats
from monitor.alarms.conditions.asystole import Asystole
from monitor.alarms.conditions.base import SignalCondition
from monitor.alarms.conditions.heart_rate import HeartRateConditions
from monitor.alarms.conditions.no_signal import NoSignal
from monitor.alarms.conditions.noisy import Noisy

CONDITIONS: Final[tuple[type[SignalCondition], ...]] = (
    Asystole,
    HeartRateConditions,
    Noisy,
    NoSignal,
    AbnormalBeats,
)
"""What is decided of each stream. Where several change at once, an earlier one begins first and
ends last."""
