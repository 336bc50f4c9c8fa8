"""Texts of windows, alarms and times."""

from datetime import datetime
from typing import Final, Literal

from ecgmon.core.alarm_kinds import Priority
from ecgmon.terminal.canvas import Look
from ecgmon.wire import messages
from viewer.model.alarm_list import AlarmList, KnownAlarm

Verdict = Literal["normal", "abnormal", "noisy", "absent", "unclassified"]

UNUSABLE: Final[dict[Verdict, str]] = {"noisy": "░", "absent": "╌", "unclassified": "·"}
"""The verdicts without a probability, and how they are marked."""

MARKS: Final[dict[Priority, str]] = {"high": "!!!", "medium": "!! ", "low": "!  "}
"""The marks that IEC 60601-1-8 uses where there is no colour."""

OWN: Final = "the monitor"
"""Whose the monitor's own alarms are."""

_WAITING: Final[dict[Priority, Look]] = {
    "high": Look.HIGH_RAISED,
    "medium": Look.MEDIUM_RAISED,
    "low": Look.LOW_RAISED,
}
_SEEN: Final[dict[Priority, Look]] = {
    "high": Look.HIGH,
    "medium": Look.MEDIUM,
    "low": Look.LOW,
}


def verdict(window: messages.Window) -> Verdict:
    """Return what was said of a window; *unclassified* is signal that no model has judged."""
    if window.state != "signal":
        return window.state
    if window.abnormal is None:
        return "unclassified"
    return "abnormal" if window.abnormal else "normal"


def look(alarm: KnownAlarm, alarm_list: AlarmList, time: float) -> Look:
    """Return how an alarm looks: reversed while it wants somebody, faint once it is over."""
    if not alarm.active:
        return Look.FAINT
    quiet = not alarm.waiting or alarm_list.paused_s(alarm.message.kind, time)
    return (_SEEN if quiet else _WAITING)[alarm.message.priority]


def status(alarm: KnownAlarm, alarm_list: AlarmList, time: float, *, short: bool = False) -> str:
    """Return an alarm's state in a word, or for how long it is paused."""
    left_s = alarm_list.paused_s(alarm.message.kind, time)
    if alarm.active and left_s:
        return f"{'' if short else 'paused '}‖{minutes(left_s)}"
    return "ack'd" if short and alarm.message.state == "acknowledged" else alarm.message.state


def short(name: str, room: int) -> str:
    """Return a name cut in its middle, for ids often differ at their end."""
    if len(name) <= room:
        return name
    end = (room - 1) // 2
    return f"{name[: room - 1 - end]}…{name[len(name) - end :]}"


def minutes(seconds: float) -> str:
    """Return a time span as ``m:ss``, or ``1h05`` and ``12d`` when it is long."""
    total = max(int(seconds), 0)
    if total < 3600:
        return f"{total // 60}:{total % 60:02}"
    hours = total // 3600
    return f"{hours}h{total // 60 % 60:02}" if hours < 100 else f"{hours // 24}d"


def clock(time: float) -> str:
    """Return the local time of day, ``14h05``, which cannot be taken for a stream's ``mm:ss``."""
    return f"{datetime.fromtimestamp(time).astimezone():%Hh%M}"
