"""Beats that a model has named, from a wearer's stream to the alarms that are published."""

import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.wire import Frame, messages
from monitor.wearers import recovery
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC

CALM = simulate("normal", duration_s=20).record.samples
NAMED = [(1000, "N"), (1150, "V"), (1300, "V"), (1600, "N"), (1900, "N")]
"""A couplet that ends at 1600, which is certain at 2140, in the sixth second."""


class Ward:
    """A monitor with one wearer, second by second."""

    def __init__(self, **limits):
        rules = AlarmLimits(rhythms=RhythmLimits(**limits))
        self.registry = WearerRegistry(WearerPolicy(lambda _: GENERIC, lambda _: rules))
        hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=360.0, leads=["II"])
        self.registry.claim(hello, 0.0)
        self.stream = self.registry.open(hello, None, 0.0)[0].stream
        self.session = self.registry._wearers["ann"]
        self.sent = 0

    def name_beats(self):
        before = None
        for at, label in NAMED:
            conditions = self.session.active.conditions
            conditions.beat(at, label, 0.9, None if before is None else at - before)
            before = at

    def seconds(self, until):
        alarms = []
        while self.sent < until * 360:
            frame = Frame(7, self.sent, 0, 360_000, 200.0, "II", CALM[self.sent : self.sent + 36])
            self.sent += 36
            self.stream.accept(frame, arrival=self.sent / 360)
            published = self.registry.advance(lambda _: False)
            alarms += [one for one in published if isinstance(one, messages.Alarm)]
        return alarms


@pytest.mark.parametrize(("level", "ends"), [("low", "cleared"), ("high", "latched")])
def test_a_named_rhythm_is_an_alarm_with_the_wearer_s_priority(level, ends):
    ward = Ward(couplet=level)
    ward.name_beats()
    assert ward.seconds(5) == []
    (raised,) = ward.seconds(6)
    assert (raised.kind, raised.state, raised.at) == ("couplet", "raised", 1600)
    assert (raised.priority, raised.text) == (level, "ventricular couplet: 2 beats in a row")
    (gone,) = ward.seconds(20)
    assert (gone.alarm, gone.state, gone.at) == (raised.alarm, ends, 1600 + 3600)
    assert gone.priority == level


def test_what_is_certain_only_after_a_restart_is_announced():
    ward = Ward()
    ward.name_beats()
    ward.seconds(5)
    active = ward.session.active
    active.publish_from = active.stream.next_window  # as if all so far came from the disk
    recovery._recovered(ward.session, active)
    assert [alarm.at for alarm in ward.seconds(6)] == [1600]


def test_a_restarted_monitor_knows_the_priority_from_its_journal():
    ward = Ward(couplet="high")
    ward.name_beats()
    (raised,) = ward.seconds(6)
    again = Ward(couplet="high")
    again.session.alarm_messages.restore([raised])
    (active_alarm,) = again.session.alarm_messages.alarms.active
    assert (active_alarm.priority, active_alarm.latches) == ("high", True)
