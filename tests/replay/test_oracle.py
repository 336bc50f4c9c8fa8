"""The oracle finds every kind of difference, and only differences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from replay.oracle import mismatches
from replay.simtruth import ExpectedAlert

RATE = 360
END = 100 * RATE


def expect(kind, after, before, cleared=(50, 60)):
    span = None if cleared is None else tuple(s * RATE for s in cleared)
    return ExpectedAlert(kind, after * RATE, before * RATE, span)


def alert(number, kind, state, at_s):
    return messages.Alert(
        wearer="203",
        stream="0000000000000007",
        alert=number,
        kind=kind,
        priority="medium",
        state=state,
        at=round(at_s * RATE),
        text="",
    )


def told(*alerts):
    """Return transitions: (kind, raised, cleared or None) for each alert."""
    said = []
    for number, (kind, raised, cleared) in enumerate(alerts, start=1):
        said.append(alert(number, kind, "raised", raised))
        said.append(alert(number, kind, "acknowledged", raised + 1))
        if cleared is not None:
            said.append(alert(number, kind, "cleared", cleared))
    return said


ASYSTOLE = expect("asystole", 10, 13)


@pytest.mark.parametrize(("raised", "cleared"), [(10, 50), (13, 60), (11.5, 55)])
def test_an_alert_within_its_bounds_is_as_the_truth_says(raised, cleared):
    assert mismatches([ASYSTOLE], told(("asystole", raised, cleared)), END) == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([], "asystole was not raised by 13.0 s."),
        ([("noisy", 12, 55)], "asystole was not raised by 13.0 s."),
        ([("asystole", 9.9, 55)], "asystole was raised at 9.9 s, not from 10.0 s to 13.0 s."),
        ([("asystole", 13.1, 55)], "asystole was raised at 13.1 s, not from 10.0 s to 13.0 s."),
        ([("asystole", 12, 49.9)], "asystole was cleared at 49.9 s, not from 50.0 s to 60.0 s."),
        ([("asystole", 12, 60.1)], "asystole was cleared at 60.1 s, not from 50.0 s to 60.0 s."),
        ([("asystole", 12, None)], "asystole was not cleared by 60.0 s."),
    ],
)
def test_each_difference_is_one_sentence(said, sentence):
    assert mismatches([ASYSTOLE], told(*said), END)[0] == sentence


def test_an_alert_that_is_not_in_the_truth_is_found():
    said = told(("asystole", 12, 55), ("asystole", 70, 80), ("abnormal", 30, None))
    assert mismatches([ASYSTOLE], said, END) == [
        "asystole at 70.0 s is not in the truth.",
        "abnormal at 30.0 s is not in the truth.",
    ]
    assert mismatches([], told(("noisy", 5, None)), END) == ["noisy at 5.0 s is not in the truth."]


def test_an_alert_that_should_stand_at_the_end_must_not_be_cleared():
    standing = expect("no-signal", 90, 95, cleared=None)
    assert mismatches([standing], told(("no-signal", 92, None)), END) == []
    assert mismatches([standing], told(("no-signal", 92, 99)), END) == [
        "no-signal was cleared at 99.0 s but should stand at the end."
    ]


def test_what_is_due_after_the_end_binds_nobody():
    late = expect("noisy", 98, 103, cleared=(110, 115))
    assert mismatches([late], [], END) == []
    assert mismatches([late], told(("noisy", 99, None)), END) == []
    assert mismatches([expect("noisy", 80, 85, (95, 105))], told(("noisy", 82, None)), END) == []


def test_alerts_of_a_kind_are_matched_in_the_order_of_time():
    truth = [expect("abnormal", 10, 13, (30, 35)), expect("abnormal", 60, 63, (80, 85))]
    assert mismatches(truth, told(("abnormal", 12, 33), ("abnormal", 61, 82)), END) == []
    assert mismatches(truth, told(("abnormal", 61, 82)), END) == [
        "abnormal was raised at 61.0 s, not from 10.0 s to 13.0 s.",
        "abnormal was cleared at 82.0 s, not from 30.0 s to 35.0 s.",
        "abnormal was not raised by 63.0 s.",
    ]


kinds = st.sampled_from(["abnormal", "asystole", "no-signal", "noisy"])


@given(st.lists(st.tuples(kinds, st.integers(0, 5), st.integers(0, 5)), max_size=6))
def test_what_keeps_to_the_truth_never_differs_and_losing_any_of_it_does(plan):
    truth, said = [], []
    for number, (kind, late, later) in enumerate(plan):
        start = 10 + 10 * number
        truth.append(expect(kind, start, start + 5, (start + 6, start + 11)))
        said.append((kind, start + late, start + 6 + later))
    assert mismatches(truth, told(*said), END) == []
    for lost in range(len(said)):
        assert mismatches(truth, told(*said[:lost], *said[lost + 1 :]), END)
