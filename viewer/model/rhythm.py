"""The rhythm that a wearer has now, by the alarms of named rhythms."""

from typing import Final

from viewer.model.alarm_list import AlarmList, KnownAlarm

STANDING: Final = (
    "ventricular-fibrillation",
    "ventricular-tachycardia",
    "idioventricular-rhythm",
    "ventricular-run",
    "supraventricular-run",
    "bigeminy",
    "trigeminy",
    "atrial-fibrillation",
)
"""Kinds of alarms that are rhythms and not single events, the worst first, as in docs/alarms.md."""


def standing(alarm_list: AlarmList) -> KnownAlarm | None:
    """Return the alarm of the worst rhythm that holds; a latched one is over."""
    holding = {
        alarm.message.kind: alarm for alarm in alarm_list.active if alarm.message.state != "latched"
    }
    return next((holding[kind] for kind in STANDING if kind in holding), None)


def name(alarm: KnownAlarm) -> str:
    """Return the name of a rhythm: its alarm's text up to the limit that it went by."""
    return alarm.message.text.partition(":")[0]
