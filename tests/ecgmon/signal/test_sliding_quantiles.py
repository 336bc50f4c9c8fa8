"""Quantiles of a window are those that numpy gives of the same values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.signal.sliding_quantiles import SlidingQuantiles

values = st.lists(st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(values, st.integers(1, 20), st.floats(0, 1))
def test_each_quantile_is_that_of_the_latest_values(given_values, window, share):
    quantiles = SlidingQuantiles(window)
    for number, value in enumerate(given_values, start=1):
        quantiles.add(value)
        latest = given_values[max(number - window, 0) : number]
        assert quantiles.median == pytest.approx(np.median(latest), rel=1e-9, abs=1e-6)
        expected = np.quantile(latest, share)
        (found,) = quantiles.quantiles([share])
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_nothing_has_the_quantile_0():
    assert SlidingQuantiles(4).median == 0
    assert SlidingQuantiles(4).quantiles([0.1, 0.9]) == [0, 0]
