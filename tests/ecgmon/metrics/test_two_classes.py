import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.metrics.two_classes import Confusion

FIGURES = ["sensitivity", "specificity", "ppv", "f1", "balanced_accuracy"]


def figures(confusion):
    return [getattr(confusion, name) for name in FIGURES]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # tp, fp, tn, fn -> sensitivity, specificity, ppv, F1, balanced accuracy
        ((8, 2, 88, 2), (0.8, 88 / 90, 0.8, 0.8, (0.8 + 88 / 90) / 2)),
        ((1, 3, 5, 1), (0.5, 0.625, 0.25, 1 / 3, 0.5625)),
        ((10, 0, 10, 0), (1, 1, 1, 1, 1)),
        ((0, 10, 0, 10), (0, 0, 0, 0, 0)),
        # Nothing was called abnormal: there is no positive predictive value.
        ((0, 0, 10, 10), (0, 1, None, 0, 0.5)),
        # No abnormal windows: no sensitivity, and so no balanced accuracy.
        ((0, 2, 8, 0), (None, 0.8, 0, 0, None)),
        ((0, 0, 8, 0), (None, 1, None, None, None)),
        # No normal windows.
        ((3, 0, 0, 1), (0.75, None, 1, 6 / 7, None)),
        ((0, 0, 0, 0), (None, None, None, None, None)),
    ],
)
def test_the_figures_are_those_worked_out_by_hand(counts, expected):
    confusion = Confusion(*counts)
    assert figures(confusion) == pytest.approx(list(expected))
    assert confusion.total == sum(counts)


def test_nothing_counted_is_nothing_known():
    assert Confusion() == Confusion(0, 0, 0, 0)
    assert figures(Confusion()) == [None] * 5
    assert (Confusion().false_alerts_per_hour, Confusion().missed_per_hour) == (None, None)


def test_what_is_wrong_is_counted_per_hour_of_one_second_windows():
    half_an_hour = Confusion(tp=600, fp=150, tn=750, fn=300)
    assert half_an_hour.false_alerts_per_hour == 300
    assert half_an_hour.missed_per_hour == 600


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_counting_one_by_one_is_counting_all_at_once(pairs):
    truth = np.array([t for t, _ in pairs], dtype=bool)
    called = np.array([c for _, c in pairs], dtype=bool)
    one_by_one = Confusion()
    for t, c in pairs:
        one_by_one = one_by_one.plus(truth=t, called=c)
    by_hand = Confusion(
        tp=pairs.count((True, True)),
        fp=pairs.count((False, True)),
        tn=pairs.count((False, False)),
        fn=pairs.count((True, False)),
    )
    assert Confusion.of(truth, called) == one_by_one == by_hand
    assert {type(n) for n in (one_by_one.tp, one_by_one.fp, Confusion.of(truth, called).tp)} == {
        int
    }
