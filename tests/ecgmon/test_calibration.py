"""Thresholds for wearers whom nobody has annotated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from ecgmon.calibration import LIMITS, SLOPE, threshold

minutes = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=300).map(np.float32)
intercepts = st.floats(-2, 6)


def test_by_hand():
    usual = np.array([0.01, 0.1, 0.1, 0.2, 0.9], np.float32)
    expected = 2 + SLOPE * float(logit(np.float64(np.float32(0.1))))
    assert logit(threshold(usual, 2.0)) == pytest.approx(expected)


@given(minutes, intercepts)
def test_it_is_a_threshold_within_the_limits(probability, intercept):
    assert LIMITS[0] <= threshold(probability, intercept) <= LIMITS[1]


@given(minutes, intercepts, st.randoms())
def test_it_is_the_same_in_any_order(probability, intercept, random):
    shuffled = list(probability)
    random.shuffle(shuffled)
    assert threshold(np.float32(shuffled), intercept) == threshold(probability, intercept)


@given(minutes, intercepts, st.floats(0, 1))
def test_it_does_not_sink_where_windows_look_more_abnormal(probability, intercept, share):
    higher = (probability + share * (1 - probability)).astype(np.float32)
    assert threshold(higher, intercept) >= threshold(probability, intercept)


def test_a_few_abnormal_windows_change_little():
    usual = np.full(300, 0.02, np.float32)
    some = usual.copy()
    some[:40] = 0.99
    assert threshold(some, 1.0) == threshold(usual, 1.0)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certainty_is_no_trouble(certain):
    assert np.isfinite(threshold(np.full(300, certain, np.float32), 1.0))
