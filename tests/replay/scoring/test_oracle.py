"""The oracle finds every kind of difference, and only differences."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from replay.scoring.oracle import mismatches
from replay.simulator.truth import ExpectedAlarm

RATE = 360
END = 100 * RATE


def expect(kind, after, before, cleared=(50, 60)):
    span = None if cleared is None else tuple(s * RATE for s in cleared)
    return ExpectedAlarm(kind, after * RATE, before * RATE, span)


def alarm(number, kind, state, at_s):
    return messages.Alarm(
        wearer="203",
        stream="0000000000000007",
        alarm=number,
        kind=kind,
        priority="medium",
        category="physiological",
        state=state,
        at=round(at_s * RATE),
        time=0.0,
        text="",
    )


def alarms_of(*alarms):
    """Return transitions: (kind, raised, cleared or None) for each alarm."""
    transitions = []
    for number, (kind, raised, cleared) in enumerate(alarms, start=1):
        transitions.append(alarm(number, kind, "raised", raised))
        transitions.append(alarm(number, kind, "acknowledged", raised))
        if cleared is not None:
            transitions.append(alarm(number, kind, "cleared", cleared))
    return transitions


ASYSTOLE = expect("asystole", 10, 13)


@pytest.mark.parametrize(("raised", "cleared"), [(10, 50), (13, 60), (11.5, 55)])
def test_an_alarm_within_its_bounds_is_as_the_truth_says(raised, cleared):
    assert mismatches([ASYSTOLE], alarms_of(("asystole", raised, cleared)), END) == []


@pytest.mark.parametrize(
    ("alarms", "sentence"),
    [
        ([], "asystole was not raised by 13.0 s."),
        ([("noisy", 12, 55)], "asystole was not raised by 13.0 s."),
        ([("asystole", 9.9, 55)], "asystole was raised at 9.9 s, not from 10.0 s to 13.0 s."),
        ([("asystole", 13.1, 55)], "asystole was raised at 13.1 s, not from 10.0 s to 13.0 s."),
        ([("asystole", 12, 49.9)], "asystole was over at 49.9 s, not from 50.0 s to 60.0 s."),
        ([("asystole", 12, 60.1)], "asystole was over at 60.1 s, not from 50.0 s to 60.0 s."),
        ([("asystole", 12, None)], "asystole was not over by 60.0 s."),
    ],
)
def test_each_difference_is_one_sentence(alarms, sentence):
    assert mismatches([ASYSTOLE], alarms_of(*alarms), END)[0] == sentence


def test_an_alarm_that_is_not_in_the_truth_is_found():
    alarms = alarms_of(("asystole", 12, 55), ("asystole", 70, 80), ("abnormal", 30, None))
    assert mismatches([ASYSTOLE], alarms, END) == [
        "asystole at 70.0 s is not in the truth.",
        "abnormal at 30.0 s is not in the truth.",
    ]
    assert mismatches([], alarms_of(("noisy", 5, None)), END) == [
        "noisy at 5.0 s is not in the truth."
    ]


def test_a_latching_alarm_latches_unless_it_was_acknowledged():
    raised, over = alarm(1, "asystole", "raised", 12), alarm(1, "asystole", "latched", 55)
    assert mismatches([ASYSTOLE], [raised, over], END) == []
    seen = alarm(1, "asystole", "cleared", 55)
    assert mismatches([ASYSTOLE], [raised, over, seen], END) == []
    assert mismatches([ASYSTOLE], [raised, seen], END) == [
        "asystole was cleared at 55.0 s though nobody had acknowledged it."
    ]
    noisy = alarm(2, "noisy", "raised", 12), alarm(2, "noisy", "cleared", 55)
    assert mismatches([expect("noisy", 10, 13)], noisy, END) == []


def test_a_latched_alarm_that_is_raised_again_is_expected_again():
    again = expect("asystole", 70, 73, (80, 85))
    alarms = [
        alarm(1, "asystole", state, at)
        for state, at in (("raised", 12), ("latched", 55), ("raised", 71), ("latched", 82))
    ]
    assert mismatches([ASYSTOLE, again], alarms, END) == []
    assert mismatches([ASYSTOLE], alarms, END) == ["asystole at 71.0 s is not in the truth."]
    assert mismatches([ASYSTOLE, again], alarms[:2], END) == ["asystole was not raised by 73.0 s."]


def test_what_is_not_sure_may_be_raised_within_its_bounds_never_or_often():
    maybe = replace(expect("high-rate", 20, 40, (20, 40)), sure=False)
    assert mismatches([maybe], [], END) == []
    often = (("high-rate", 20, 21), ("high-rate", 25, 33), ("high-rate", 38, 40))
    assert mismatches([maybe], alarms_of(*often), END) == []
    assert mismatches([maybe], alarms_of(("high-rate", 25, 41), ("high-rate", 50, 51)), END) == [
        "high-rate was over at 41.0 s, not from 20.0 s to 40.0 s.",
        "high-rate at 50.0 s is not in the truth.",
    ]
    later = expect("high-rate", 60, 63, (80, 85))
    assert mismatches([maybe, later], alarms_of(("high-rate", 61, 82)), END) == []


def test_an_alarm_that_should_go_on_at_the_end_must_not_be_over():
    lasting = expect("no-signal", 90, 95, cleared=None)
    assert mismatches([lasting], alarms_of(("no-signal", 92, None)), END) == []
    assert mismatches([lasting], alarms_of(("no-signal", 92, 99)), END) == [
        "no-signal was over at 99.0 s but should go on at the end."
    ]


def test_what_is_due_after_the_end_binds_nobody():
    late = expect("noisy", 98, 103, cleared=(110, 115))
    assert mismatches([late], [], END) == []
    assert mismatches([late], alarms_of(("noisy", 99, None)), END) == []
    assert (
        mismatches([expect("noisy", 80, 85, (95, 105))], alarms_of(("noisy", 82, None)), END) == []
    )


def test_alarms_of_a_kind_are_matched_in_the_order_of_time():
    truth = [expect("abnormal", 10, 13, (30, 35)), expect("abnormal", 60, 63, (80, 85))]
    assert mismatches(truth, alarms_of(("abnormal", 12, 33), ("abnormal", 61, 82)), END) == []
    assert mismatches(truth, alarms_of(("abnormal", 61, 82)), END) == [
        "abnormal was raised at 61.0 s, not from 10.0 s to 13.0 s.",
        "abnormal was over at 82.0 s, not from 30.0 s to 35.0 s.",
        "abnormal was not raised by 63.0 s.",
    ]


kinds = st.sampled_from(["abnormal", "asystole", "no-signal", "noisy"])


@given(st.lists(st.tuples(kinds, st.integers(0, 5), st.integers(0, 5)), max_size=6))
def test_what_keeps_to_the_truth_never_differs_and_losing_any_of_it_does(plan):
    truth, alarms = [], []
    for number, (kind, late, later) in enumerate(plan):
        start = 10 + 10 * number
        truth.append(expect(kind, start, start + 5, (start + 6, start + 11)))
        alarms.append((kind, start + late, start + 6 + later))
    assert mismatches(truth, alarms_of(*alarms), END) == []
    for lost in range(len(alarms)):
        assert mismatches(truth, alarms_of(*alarms[:lost], *alarms[lost + 1 :]), END)
