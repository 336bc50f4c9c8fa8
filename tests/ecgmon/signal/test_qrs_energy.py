import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.signal.filter import SectionFilter
from ecgmon.signal.qrs_energy import (
    BAND_HZ,
    DRIFT_HZ,
    ENERGY_WINDOW,
    SHARP_HZ,
    QrsEnergy,
    highest,
)


def by_scipy(x, *bands):
    """Return the root of the moving mean of the power that passes some bands."""
    sections = [signal.butter(*band, fs=RATE, output="sos") for band in bands]
    rows = np.arange(len(x))
    band = SectionFilter(np.concatenate(sections), len(x))(rows, x)
    mean = np.full(ENERGY_WINDOW, 1 / ENERGY_WINDOW)
    return np.sqrt(signal.lfilter(mean, [1.0, 0.0], band * band, axis=1))


@given(
    cuts=st.lists(st.integers(1, 799), max_size=12),
    rows=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_has_the_bits_of_a_moving_mean_by_scipy_however_the_stream_is_cut(cuts, rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, rng.choice([0.01, 1, 100]), (rows, 800))
    energy, order = QrsEnergy(rows + 2), rng.permutation(rows + 2)[:rows]
    found = [energy(order, piece) for piece in np.split(x, sorted(set(cuts)), axis=1)]
    qrs = np.concatenate([each.qrs for each in found]).T
    expected = by_scipy(x, (1, DRIFT_HZ, "highpass"), (1, BAND_HZ, "bandpass"))
    assert np.ascontiguousarray(qrs).tobytes() == expected.tobytes()
    sharp = np.concatenate([each.sharp for each in found], axis=1)
    expected = by_scipy(x, (2, SHARP_HZ, "bandpass"))
    for row, end in enumerate(rng.integers(ENERGY_WINDOW, 801, rows).tolist()):
        start = int(rng.integers(ENERGY_WINDOW - 1, end))
        before = start - ENERGY_WINDOW + 1
        assert highest(sharp[row, before:end]) == expected[row, start:end].max()


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 5))
def test_single_samples_get_the_bits_of_the_whole(seed, rows):
    x, every = np.random.default_rng(seed).normal(0, 1, (rows, 60)), np.arange(rows)
    energy = QrsEnergy(rows)
    found = np.concatenate([energy(every, x[:, [at]]).qrs for at in range(60)])
    assert found.tobytes() == QrsEnergy(rows)(every, x).qrs.tobytes()


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 5))
def test_rows_of_different_lengths_get_the_bits_that_each_gets_alone(seed, rows):
    rng = np.random.default_rng(seed)
    x, every = rng.normal(0, 1, (rows, 600)), np.arange(rows)
    energy, at = QrsEnergy(rows), np.zeros(rows, dtype=np.int64)
    found = [([], []) for _ in every]
    while (at < 400).all():
        n = rng.integers(1, 200, rows)
        piece = np.stack([x[row, at[row] : at[row] + 200] for row in every])
        both = energy(every, piece[:, : n.max()], n)
        for row in every:
            found[row][0].append(both.qrs[: n[row], row])
            found[row][1].append(both.sharp[row, : n[row]])
        at += n
    for row, both in enumerate(found):
        alone = QrsEnergy(1)(np.zeros(1, dtype=np.intp), x[[row], : at[row]])
        assert np.concatenate(both[0]).tobytes() == alone.qrs[:, 0].tobytes()
        assert np.concatenate(both[1]).tobytes() == alone.sharp[0].tobytes()


def test_after_a_reset_it_starts_from_the_next_sample(ecg):
    row, energy = np.zeros(1, dtype=np.intp), QrsEnergy(1)
    energy(row, 50 * ecg[None, :1000])
    energy.reset(0)
    again, fresh = energy(row, ecg[None, :1000]), QrsEnergy(1)(row, ecg[None, :1000])
    np.testing.assert_array_equal(again.qrs, fresh.qrs)
    np.testing.assert_array_equal(again.sharp, fresh.sharp)
