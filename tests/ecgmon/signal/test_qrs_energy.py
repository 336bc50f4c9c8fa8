import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.signal.filter import SectionFilter
from ecgmon.signal.qrs_energy import ENERGY_WINDOW, SHARP_HZ, QrsEnergy


@given(
    cuts=st.lists(st.integers(1, 799), max_size=12),
    rows=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_has_the_bits_of_a_moving_mean_by_scipy_however_the_stream_is_cut(cuts, rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, rng.choice([0.01, 1, 100]), (rows, 800))
    energy, order = QrsEnergy(rows + 2), rng.permutation(rows + 2)[:rows]
    pieces = np.split(x, sorted(set(cuts)), axis=1)
    found = np.concatenate([energy(order, piece).sharp for piece in pieces]).T
    sos = signal.butter(2, SHARP_HZ, btype="bandpass", fs=RATE, output="sos")
    band = SectionFilter(sos, rows)(np.arange(rows), x)
    mean = np.full(ENERGY_WINDOW, 1 / ENERGY_WINDOW)
    power = signal.lfilter(mean, [1.0, 0.0], band * band, axis=1)
    assert np.ascontiguousarray(found).tobytes() == np.sqrt(power).tobytes()


def test_after_a_reset_it_starts_from_the_next_sample(ecg):
    row, energy = np.zeros(1, dtype=np.intp), QrsEnergy(1)
    energy(row, 50 * ecg[None, :1000])
    energy.reset(0)
    again, fresh = energy(row, ecg[None, :1000]), QrsEnergy(1)(row, ecg[None, :1000])
    np.testing.assert_array_equal(again.qrs, fresh.qrs)
    np.testing.assert_array_equal(again.sharp, fresh.sharp)
