"""Which of the active alarms names the rhythm."""

from monitor.alarms.kinds import KINDS
from viewer.model.alarm_list import AlarmList
from viewer.model.rhythm import STANDING, name, standing


def alarms(monitor, *states):
    found = AlarmList("203")
    for number, (kind, state) in enumerate(states, 1):
        found.alarm(monitor.alarm(number, state, kind=kind, text=f"{kind} by name: its limit"))
    return found


def test_the_worst_active_rhythm_is_the_one_shown(monitor):
    bigeminy = ("bigeminy", "raised")
    tachycardia = "ventricular-tachycardia"
    assert standing(alarms(monitor, bigeminy)).message.kind == "bigeminy"
    seen = alarms(monitor, bigeminy, (tachycardia, "acknowledged"))
    assert name(standing(seen)) == "ventricular-tachycardia by name"
    over = alarms(monitor, (tachycardia, "latched"), bigeminy)
    assert standing(over).message.kind == "bigeminy"
    assert standing(alarms(monitor, (tachycardia, "cleared"), ("asystole", "raised"))) is None


def test_these_kinds_are_the_monitors_in_its_order():
    known = list(KINDS)
    assert list(STANDING) == sorted(STANDING, key=known.index)
