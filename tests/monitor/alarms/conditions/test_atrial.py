"""Atrial fibrillation: one alarm for an episode, by a plain reading of the rule."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.rhythm_limits import RhythmLimits
from monitor.alarms.conditions.atrial import AtrialRhythm
from monitor.alarms.conditions.base import Condition
from monitor.alarms.conditions.condition_set import WearerConditions

AF = "atrial-fibrillation"
EVERY = 5 * 360
probabilities = st.lists(st.sampled_from([0.0, 0.02, 0.3, 0.6, 0.97, 0.99, 1.0, None]), max_size=40)


def plainly(given_probabilities):
    seen, holds = [], False
    for one in given_probabilities:
        if one is None:
            seen, holds = [], False
        else:
            p = min(max(one, 0.018), 0.982)
            seen.append(log(p / (1 - p)))
            mean = sum(seen[-6:]) / len(seen[-6:])
            holds = mean >= -1e-12 if holds else len(seen) >= 6 and mean >= 3 - 1e-12
        yield holds


@given(probabilities)
def test_an_episode_begins_and_ends_by_the_rule(given_probabilities):
    rhythm = AtrialRhythm()
    assert [rhythm.add(one) for one in given_probabilities] == list(plainly(given_probabilities))


def play(conditions, given_probabilities):
    changes = []
    for number, one in enumerate(given_probabilities, 1):
        changes += conditions.atrial(number * EVERY, one)
    return changes


def test_an_episode_is_one_alarm_however_the_verdicts_waver():
    conditions = WearerConditions(AlarmLimits())
    changes = play(conditions, [0.02] * 4 + [0.99] * 8 + [0.6, 0.3, 0.99, 0.2] * 5 + [0.01] * 12)
    assert changes[0] == Condition(AF, True, 10 * EVERY)
    assert [one.holds for one in changes] == [True, False]
    assert conditions.priority(AF) == "low"
    assert conditions.text(AF).startswith("atrial fibrillation: ")


@pytest.mark.parametrize("level", ["high", "medium", "off"])
def test_its_priority_is_the_wearer_s(level):
    conditions = WearerConditions(AlarmLimits(rhythms=RhythmLimits(atrial_fibrillation=level)))
    changes = play(conditions, [0.99] * 8)
    assert bool(changes) == (level != "off")
    if level != "off":
        assert conditions.priority(AF) == level


def test_what_held_before_goes_on_until_a_verdict_speaks_against_it():
    conditions = WearerConditions(AlarmLimits(), {AF})
    assert play(conditions, [0.7, 0.7]) == []
    assert [one.holds for one in play(conditions, [0.01, 0.01, 0.01])] == [False]
