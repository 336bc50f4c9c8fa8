import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.signal.compiled import by_scipy, fastest
from ecgmon.signal.filter import band_pass

ROW = np.zeros(1, dtype=np.intp)


@pytest.mark.parametrize("level", [0.0, 0.001, -1.0, 5.0, 300.0, -1000.0])
def test_it_starts_without_a_transient(level):
    assert np.abs(band_pass(1)(ROW, np.full((1, 10 * RATE), level))).max() < 1e-9


def test_after_a_reset_it_starts_from_the_next_sample(ecg):
    one = band_pass(1)
    one(ROW, 50 * ecg[None, :1000])
    one.reset(0)
    assert np.abs(one(ROW, np.full((1, 1000), 7.0))).max() < 1e-9
    one.reset(0)
    assert np.array_equal(one(ROW, ecg[None, :1000]), band_pass(1)(ROW, ecg[None, :1000]))


def gain(hz, seconds=60):
    """Amplitude of a unit tone of a whole number of periods, after the filter has settled."""
    t = np.arange(seconds * RATE) / RATE
    out = band_pass(1)(ROW, np.sin(2 * np.pi * hz * t)[None])[0]
    settled = slice(-40 * RATE, None)
    return 2 * abs(np.mean(out[settled] * np.exp(-2j * np.pi * hz * t[settled])))


@pytest.mark.parametrize("hz", [0.05, 0.1, 0.4, 0.5, 1, 5, 10, 20, 30, 40, 50, 60, 120])
def test_its_response_is_that_of_the_studys_butterworth(hz):
    b, a = signal.butter(4, (0.4, 30), btype="bandpass", fs=360)
    z = np.exp(-2j * np.pi * hz / 360)
    expected = abs(np.polyval(b[::-1], z) / np.polyval(a[::-1], z))
    assert gain(hz) == pytest.approx(expected, abs=2e-3)


def test_it_passes_the_ecg_halves_power_at_the_edges_and_stops_drift_and_hum():
    assert gain(10) == pytest.approx(1, abs=0.01)
    assert gain(0.4) == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert gain(30) == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert gain(0.05) < 0.001
    assert gain(60) < 0.05


def test_nothing_comes_out_before_it_goes_in():
    x = np.zeros((1, 2000))
    x[0, 1000] = 1.0
    y = band_pass(1)(ROW, x)[0]
    assert not y[:1000].any()
    assert abs(y[1000]) > 0
    assert 1005 < np.argmax(np.abs(y)) < 1020  # the delay of a QRS complex is a few samples


@given(
    cuts=st.lists(st.integers(1, 1999), min_size=1, max_size=30),
    rows=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_stack_cut_anywhere_gives_the_bits_of_each_row_filtered_alone_in_one_call(
    cuts, rows, seed
):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, rng.choice([0.01, 1, 100]), (rows, 2000))
    stack, order = band_pass(rows + 2), rng.permutation(rows + 2)[:rows]
    pieces = np.split(x, sorted(set(cuts)), axis=1)
    together = np.concatenate([stack(order, piece) for piece in pieces], axis=1)
    alone = np.concatenate([band_pass(1)(ROW, row[None]) for row in x])
    assert together.tobytes() == alone.tobytes()


def test_the_public_function_of_scipy_gives_the_same_bits(ecg):
    sos = signal.butter(4, (0.4, 30), btype="bandpass", fs=RATE, output="sos")
    state = np.random.default_rng(1).normal(size=(3, len(sos), 2))
    x = ecg[: 3 * 500].reshape(3, 500).copy()
    other, other_state = x.copy(), state.copy()
    by_scipy(sos, x, state)
    fastest()(sos, other, other_state)
    assert x.tobytes() == other.tobytes()
    assert state.tobytes() == other_state.tobytes()
