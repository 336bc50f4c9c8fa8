"""The alarm that the usual beat is another one, by a plain reading of the rule."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits
from monitor.alarms.conditions.base import Condition
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.conditions.usual_beat import KIND, LIMIT, MINUTES, UsualBeat

MINUTE = 60 * 360
likenesses = st.lists(
    st.tuples(st.sampled_from([0.99, LIMIT, 0.5, None]), st.integers(1, MINUTES + 2)), max_size=8
).map(lambda runs: [one for one, n in runs for _ in range(n)])


def plainly(given_likenesses):
    holds, since = False, 0  # minutes before the last change are not counted again
    for i, one in enumerate(given_likenesses):
        if one is None:
            holds, since = False, i + 1
        latest = given_likenesses[since : i + 1][-MINUTES:]
        if len(latest) == MINUTES and all((each < LIMIT) != holds for each in latest):
            holds, since = not holds, i + 1
        yield holds


@given(likenesses)
def test_it_begins_and_ends_by_the_rule(given_likenesses):
    condition = UsualBeat(AlarmLimits())
    found = [condition.usual(one)[KIND] for one in given_likenesses]
    assert found == list(plainly(given_likenesses))


def test_one_alarm_says_what_to_do():
    conditions = WearerConditions(AlarmLimits())
    changes = []
    for minute, one in enumerate([0.97] * 5 + [0.4] * 15 + [0.97] * 15, 1):
        changes += conditions.usual(minute * MINUTE, one)
        if changes and changes[-1].holds:
            assert "(likeness 0." in conditions.text(KIND)
    assert changes == [Condition(KIND, True, 15 * MINUTE), Condition(KIND, False, 30 * MINUTE)]
    assert conditions.priority(KIND) == "low"
    assert conditions.text(KIND).endswith("else enrol again (ecgmon enroll)")


def test_what_held_before_ends_by_the_same_rule():
    conditions = WearerConditions(AlarmLimits(), {KIND})
    assert "likeness" not in conditions.text(KIND)
    found = [bool(conditions.usual(minute, 0.9)) for minute in range(MINUTES)]
    assert [*pairwise(found)][-1] == (False, True)
    held = WearerConditions(AlarmLimits(), {KIND})
    assert held.usual(0, None) == [Condition(KIND, False, 0)]
