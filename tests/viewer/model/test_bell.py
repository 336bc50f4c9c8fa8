from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.model.alarm_sounds import PATTERNS
from viewer.model.bell import PULSE_S, Bell

TICK_S = 1 / 8  # such steps add up exactly


class Ward:
    """Alarms, a clock, and the bell that rings for them."""

    def __init__(self, monitor):
        self.monitor = monitor
        self.bell = Bell()
        self.active, self.paused, self.now = {}, set(), 0.0

    def becomes(self, number, state, priority="high", **given):
        alarm = self.monitor.alarm(number, state, priority=priority, **given)
        self.active[alarm.wearer, number] = alarm
        if state == "cleared":
            del self.active[alarm.wearer, number]

    def rings(self, seconds):
        """Let time pass; returns the seconds from now at which it rang."""
        rang, began = [], self.now
        for _ in range(round(seconds / TICK_S)):
            self.bell.hear(self.active, self.paused, self.now)
            if self.bell.ring(self.now):
                rang.append(self.now - began)
            self.now += TICK_S
        return rang


@pytest.fixture
def ward(monitor):
    return Ward(monitor)


def burst(at, priority):
    return [at + PULSE_S * n for n in range(PATTERNS[priority].rings)]


def test_a_priority_rings_its_pattern_at_its_pace(monitor):
    for priority, bursts in (("high", (0, 10, 20)), ("medium", (0, 25)), ("low", (0,))):
        ward = Ward(monitor)
        ward.becomes(1, "raised", priority)
        assert ward.rings(29) == [time for at in bursts for time in burst(at, priority)]


@pytest.mark.parametrize("state", ["acknowledged", "cleared"])
def test_what_was_seen_is_silent_at_once(ward, state):
    ward.becomes(1, "raised")
    assert ward.rings(0.75) == [0, 0.25, 0.5]
    ward.becomes(1, state)
    assert ward.rings(30) == []


def test_latched_alarms_ring_on(ward):
    ward.becomes(1, "raised")
    ward.rings(3)
    ward.becomes(1, "latched")
    assert ward.rings(17) == burst(7, "high")


def test_only_the_worst_rings_and_a_new_one_at_once(ward):
    ward.becomes(1, "raised", "low")
    assert ward.rings(5) == burst(0, "low")
    ward.becomes(2, "raised", "medium")
    assert ward.rings(5) == burst(0, "medium")
    ward.becomes(3, "raised", "high")
    assert ward.rings(5) == burst(0, "high")
    ward.becomes(4, "raised", "medium")  # drowned
    assert ward.rings(4) == []
    ward.becomes(3, "acknowledged", "high")
    assert ward.rings(5) == burst(0, "medium")  # the fourth has not sounded yet
    ward.becomes(4, "acknowledged", "medium")
    ward.becomes(2, "acknowledged", "medium")
    assert ward.rings(60) == []  # the low one has sounded


def test_an_alarm_that_sounded_before_a_worse_one_continues_at_its_own_pace(ward):
    ward.becomes(1, "raised", "medium")
    ward.rings(5)
    ward.becomes(2, "raised")
    ward.rings(5)
    ward.becomes(2, "acknowledged")
    assert ward.rings(30) == burst(25, "medium")


def test_what_is_paused_is_silent_until_it_is_not(ward):
    ward.becomes(1, "raised", kind="asystole")
    ward.becomes(2, "raised", "medium", kind="abnormal")
    ward.paused.add(("203", "asystole"))
    assert ward.rings(10) == burst(0, "medium")
    ward.paused.clear()
    assert ward.rings(5) == burst(0, "high")


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["raised", "acknowledged", "latched", "cleared"]),
            st.sampled_from(["high", "medium", "low"]),
            st.integers(1, 40),
        ),
        max_size=12,
    )
)
def test_it_rings_only_while_somebody_has_to_come_and_never_faster_than_a_burst(monitor, changes):
    ward = Ward(monitor)
    for number, state, priority, ticks in changes:
        if state != "cleared" or ("203", number) in ward.active:
            ward.becomes(number, state, priority)
        waiting = [a for a in ward.active.values() if a.state in ("raised", "latched")]
        rang = ward.rings(ticks * TICK_S)
        assert waiting or not rang
        assert all(b - a >= PULSE_S for a, b in pairwise(rang))
        if any(alarm.priority == "high" for alarm in waiting):
            assert ward.rings(10.1)
