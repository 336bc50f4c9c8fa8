import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecgmon.signal.scale import AmplitudeScale

ROW = np.zeros(1, dtype=np.intp)


def after(amplitudes):
    scale = AmplitudeScale(1)
    for amplitude in amplitudes:
        scale.add(ROW, np.array([amplitude], dtype=np.float32))
    return scale


lengths = st.sampled_from([1, 2, 3, 59, 60, 61, 62, 119, 120, 121]) | st.integers(1, 200)


@given(n=lengths, seed=st.integers(0, 2**32 - 1), size=st.sampled_from([0.01, 0.2, 1.5, 50.0]))
@example(60, 0, 1.5)
@example(61, 0, 1.5)
def test_it_is_the_median_of_the_last_sixty_amplitudes_but_never_below_the_floor(n, seed, size):
    amplitudes = np.random.default_rng(seed).gamma(2, size, n).astype(np.float32)
    median = np.median(amplitudes[-60:].astype(np.float64))
    assert after(amplitudes)(ROW)[0] == pytest.approx(max(median, 0.1), rel=1e-6)


def test_it_is_one_millivolt_before_the_first_amplitude_and_after_a_reset():
    scale = after([3.0, 3.0])
    assert scale(ROW).tolist() == [3.0]
    scale.reset(0)
    assert scale(ROW).tolist() == [1.0]
    scale.add(ROW, np.float32([5.0]))
    assert scale(ROW).tolist() == [5.0]


def test_a_few_artefacts_do_not_move_it():
    assert after([1.5] * 40 + [30.0] * 19)(ROW).tolist() == [1.5]


def test_it_follows_an_amplitude_that_stays():
    assert after([1.5] * 60 + [0.7] * 31)(ROW).tolist() == pytest.approx([0.7])


def test_every_wearer_has_its_own():
    scale = AmplitudeScale(3)
    scale.add(np.array([2, 0]), np.float32([4.0, 2.0]))
    scale.add(np.array([2]), np.float32([6.0]))
    assert scale(np.array([0, 1, 2])).tolist() == [2.0, 1.0, 5.0]
    assert scale(np.array([2, 0])).tolist() == [5.0, 2.0]
    scale.reset(2)
    assert scale(np.arange(3)).tolist() == [2.0, 1.0, 1.0]
