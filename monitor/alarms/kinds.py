"""All kinds of alarms: those of the conditions, and those of the monitor itself."""

from typing import Final

from ecgmon.core.alarm_kinds import Kind, Properties
from monitor.alarms.conditions import CONDITIONS

_OF_CONDITIONS: Final = {kind: known for made in CONDITIONS for kind, known in made.kinds.items()}
_OF_STREAMS: Final[dict[Kind, Properties]] = {
    "gaps": Properties(
        "medium", "technical", False, "parts of the signal are missing: check the network"
    ),
}
_OF_MONITOR: Final[dict[Kind, Properties]] = {
    "silent": Properties(
        "medium", "technical", False, "the device sends nothing: check it and its network"
    ),
    "lag": Properties("low", "technical", False, "the signal comes late: check the network"),
    "rate": Properties(
        "medium", "technical", False, "the device does not deliver the rate that it declares"
    ),
    "second-lead": Properties(
        "low", "technical", False, "the second lead is judged: check the electrodes"
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
    "overload": Properties(
        "medium", "technical", False, "more comes than can be judged: some wearers are not watched"
    ),
    "upkeep": Properties("medium", "technical", False, "a part of the monitor goes on failing"),
}
KINDS: Final[dict[Kind, Properties]] = {**_OF_CONDITIONS, **_OF_STREAMS, **_OF_MONITOR}
"""Every kind, with its priority and text."""
OF_SIGNAL: Final = frozenset({*_OF_CONDITIONS, *_OF_STREAMS})
"""What is found in a stream; the others come from the monitor itself."""
