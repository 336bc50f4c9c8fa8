from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from ecgmon.core.constants import RATE
from ecgmon.signal.resample import resample


@pytest.mark.parametrize(("rate", "step"), [(360, 1), (180, 2), (120, 3), (90, 4), (36, 10)])
def test_a_whole_fraction_of_the_rate_picks_samples(rate, step):
    x = np.random.default_rng(1).normal(size=(3, 4 * RATE)).astype(np.float32)
    y = resample(x, rate)
    assert y.dtype == np.float32
    assert y.flags.c_contiguous
    assert np.array_equal(y, x[:, ::step])


@pytest.mark.parametrize("rate", [128, 100, 250])
@pytest.mark.parametrize("hz", [0.5, 1, 5, 10, 20, 30])
def test_another_rate_agrees_with_the_ideal_sinusoid_in_the_middle(rate, hz):
    t, seconds = np.arange(4 * RATE) / RATE, 4
    y = resample(np.sin(2 * np.pi * hz * t + 0.3)[None].astype(np.float32), rate)
    assert y.dtype == np.float32
    assert y.shape == (1, seconds * rate)
    ideal = np.sin(2 * np.pi * hz * np.arange(seconds * rate) / rate + 0.3)
    middle = slice(rate // 4, -rate // 4)
    np.testing.assert_allclose(y[0, middle], ideal[middle], atol=0.003)


@pytest.mark.parametrize("rate", [50, 100, 128, 250])
def test_another_rate_has_the_bits_of_the_filter_that_scipy_designs(rate):
    x = np.random.default_rng(2).normal(size=(3, 5 * RATE)).astype(np.float32)
    common = gcd(rate, RATE)
    designed = resample_poly(x, rate // common, RATE // common, axis=-1, padtype="line")
    assert np.array_equal(resample(x, rate), designed)


@pytest.mark.parametrize("rate", [128, 250])
def test_a_straight_line_stays_one_to_its_very_ends(rate):
    line = np.linspace(3, -2, 4 * RATE, dtype=np.float32)
    y = resample(line[None], rate)[0]
    ideal = np.interp(np.arange(4 * rate) / rate, np.arange(4 * RATE) / RATE, line)
    inside = slice(0, -3)  # past the last sample np.interp stops falling
    np.testing.assert_allclose(y[inside], ideal[inside], atol=0.02)


@given(
    rows=st.integers(2, 20),
    rate=st.sampled_from([128, 120, 250]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_stack_gives_the_bits_of_each_alone(rows, rate, seed):
    x = np.random.default_rng(seed).normal(size=(rows, 2 * RATE)).astype(np.float32)
    alone = np.concatenate([resample(row[None], rate) for row in x])
    assert resample(x, rate).tobytes() == alone.tobytes()
