"""Conditions that come and go: a burst is one alarm with a count."""

from ecgmon.core.constants import RATE
from monitor.alarms.state_machine import AlarmStateMachine

BURST_S = 180


def test_what_comes_again_soon_is_one_alarm_with_a_count():
    alarms, transitions = AlarmStateMachine(), []
    end, late = 1000 + BURST_S * RATE, 3000 + 2 * BURST_S * RATE
    for holds, at, stream in (
        (True, 500, "ab"),
        (False, 1000, "ab"),
        (True, end, "ab"),
        (False, end + 1000, "ab"),
        (True, late, "ab"),
        (False, late + 1000, "ab"),
        (True, late + 2000, "cd"),
    ):
        transitions += alarms.condition("high-rate", holds, at / RATE, stream=stream, at=at)
    begun = [(t.number, t.count) for t in transitions if t.state == "raised"]
    assert begun == [(1, 1), (1, 2), (2, 1), (3, 1)]


def test_a_lethal_alarm_that_was_cleared_is_never_part_of_a_burst():
    alarms = AlarmStateMachine()
    for number in (1, 2):
        (raised,) = alarms.condition("asystole", True, 0, stream="ab", at=1440)
        assert (raised.number, raised.count) == (number, 1)
        alarms.condition("asystole", False, 1, stream="ab", at=1500)
        (again,) = alarms.condition("asystole", True, 2, stream="ab", at=2000)
        assert (again.number, again.count) == (number, 2)
        alarms.acknowledge(number, "a nurse", 3)
        alarms.condition("asystole", False, 4, stream="ab", at=2500)
