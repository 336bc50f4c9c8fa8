"""Alarm kinds with their priority, category, latching and text; the states of an alarm."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "asystole",
    "flat-line",
    "extreme-low-rate",
    "extreme-high-rate",
    "abnormal",
    "low-rate",
    "high-rate",
    "no-signal",
    "noisy",
    "gaps",
    "silent",
    "lag",
    "rate",
    "no-model",
    "disk",
    "disk-low",
    "clock",
    "journal",
    "room",
    "upkeep",
]
Priority = Literal["high", "medium", "low"]
Category = Literal["physiological", "technical"]
"""Whether an alarm is about the wearer or about what watches the wearer."""
AlarmState = Literal["raised", "acknowledged", "latched", "cleared"]


@dataclass(frozen=True, slots=True)
class Properties:
    """What all alarms of a kind have in common.

    Parameters
    ----------
    priority : Priority
        How soon somebody has to come.
    category : Category
        Whose trouble it is.
    latching : bool
        Whether an alarm that nobody has acknowledged stays when its condition has gone: what may
        kill must be known even if it was short.
    text : str
        What a person reads.
    """

    priority: Priority
    category: Category
    latching: bool
    text: str


KINDS: Final[dict[Kind, Properties]] = {
    "asystole": Properties("high", "physiological", True, "no beat for 4 seconds"),
    "flat-line": Properties(
        "high", "physiological", True, "no signal, or the heart stands still: look at the wearer"
    ),
    "extreme-low-rate": Properties("high", "physiological", True, "heart rate extremely low"),
    "extreme-high-rate": Properties("high", "physiological", True, "heart rate extremely high"),
    "abnormal": Properties("medium", "physiological", False, "abnormal beats"),
    "low-rate": Properties("medium", "physiological", False, "heart rate low"),
    "high-rate": Properties("medium", "physiological", False, "heart rate high"),
    "no-signal": Properties("medium", "technical", False, "no signal: check the electrodes"),
    "noisy": Properties(
        "low", "technical", False, "noise hides the ECG: check electrodes and cable"
    ),
    "gaps": Properties(
        "medium", "technical", False, "parts of the signal are missing: check the network"
    ),
    "silent": Properties(
        "medium", "technical", False, "the device sends nothing: check it and its network"
    ),
    "lag": Properties("low", "technical", False, "the signal comes late: check the network"),
    "rate": Properties(
        "medium", "technical", False, "the device does not deliver the rate that it declares"
    ),
    "no-model": Properties(
        "low", "technical", False, "no model judges the beats: put one into service"
    ),
    "disk": Properties(
        "medium", "technical", False, "the disk cannot be written: signal and alarms are not kept"
    ),
    "disk-low": Properties("medium", "technical", False, "the disk is nearly full: make room"),
    "clock": Properties(
        "low", "technical", False, "the clock was set: nothing old is removed for an hour"
    ),
    "journal": Properties(
        "medium", "technical", False, "the journal was damaged: a new one has been begun"
    ),
    "room": Properties("medium", "technical", False, "a device was refused: all places are taken"),
    "upkeep": Properties("medium", "technical", False, "a part of the monitor goes on failing"),
}

_OF_MONITOR: Final = frozenset(
    {"silent", "lag", "rate", "no-model", "disk", "disk-low", "clock", "journal", "room", "upkeep"}
)
OF_SIGNAL: Final = frozenset(KINDS) - _OF_MONITOR
"""What is found in a stream; the others come from the monitor itself."""
