"""Medians of rows: those of what is known of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.signal.row_medians import row_medians


@given(st.integers(0, 2**32 - 1))
def test_each_row_has_the_median_of_what_it_knows(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 20, 6)
    latest = np.full((6, 8), np.inf)
    for row, count in zip(latest, values, strict=True):
        row[rng.permutation(8)[:count]] = rng.normal(size=min(count, 8))
    expected = [np.median(row[np.isfinite(row)]) for row in latest]
    assert row_medians(latest, values) == pytest.approx(np.array(expected))
