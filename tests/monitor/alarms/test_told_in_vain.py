"""Conditions that would change no alarm need not be told, whatever happens between."""

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alarms.state_machine import AlarmStateMachine

KINDS = st.sampled_from(["asystole", "extreme-low-rate", "abnormal", "noisy"])
STEPS = st.floats(0, 2) | st.sampled_from([0.0, 30.0, 200.0, 3600.0, -0.5, -30.0, -3600.0])
EVENTS = st.one_of(
    st.tuples(st.just("condition"), KINDS, st.booleans()),
    st.tuples(st.just("pause"), KINDS, st.sampled_from([0, 10, 60])),
    st.tuples(st.just("acknowledge"), st.integers(0, 3)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("restart")),
)


def acknowledged(alarms, nth, now):
    active = alarms.active
    return alarms.acknowledge(active[nth].number, "a nurse", now) if nth < len(active) else []


def after(alarms, event, now, *, always):
    """Return the machine and what it tells after an event, of which it may not hear in vain."""
    what, *of = event
    if what == "restart":
        again = AlarmStateMachine()
        again.restore(alarms.state())
        return again, []
    if what == "condition":
        kind, holds = of
        told = always or alarms.may_change(kind, holds)
        found = alarms.condition(kind, holds, now, stream="a", at=int(now)) if told else []
        return alarms, found
    if what == "pause":
        return alarms, alarms.pause(*of, "a nurse", now)
    return alarms, acknowledged(alarms, *of, now) if what == "acknowledge" else alarms.tick(now)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(STEPS, EVENTS), max_size=40))
def test_the_same_is_told_where_conditions_that_change_nothing_are_left_out(events):
    told, spared, now = AlarmStateMachine(), AlarmStateMachine(), 1e6
    for step, event in events:
        now += step
        told, expected = after(told, event, now, always=True)
        spared, found = after(spared, event, now, always=False)
        assert found == expected


def test_a_condition_that_goes_on_or_is_absent_changes_nothing():
    alarms = AlarmStateMachine()
    assert not alarms.may_change("noisy", False)
    assert alarms.may_change("noisy", True)
    alarms.condition("noisy", True, 1.0)
    assert not alarms.may_change("noisy", True)
    assert alarms.may_change("noisy", False)


def test_while_something_is_paused_any_condition_may_end_the_pause():
    alarms = AlarmStateMachine()
    alarms.pause("noisy", 60, "a nurse", 1.0)
    assert alarms.may_change("abnormal", False)
