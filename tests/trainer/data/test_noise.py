import numpy as np
import pytest

from trainer.data import noise
from trainer.networks.window_networks import BeatNet

RNG = np.random.default_rng


def recordings(seconds=60, seed=1):
    return [RNG(seed + n).normal(0, 0.2, seconds * 120).astype(np.float32) for n in range(3)]


def test_half_of_the_stretches_get_noise_within_its_levels():
    signal = np.zeros((400, 1600), np.float32)
    noise.add(signal, recordings(), RNG(2))
    amplitude = np.ptp(signal, axis=1)
    noisy = amplitude > 0
    assert 0.4 < noisy.mean() < 0.6
    decibel = -20 * np.log10(amplitude[noisy])
    assert noise.LEVEL_DB[0] - 0.01 <= decibel.min() < 8
    assert 22 < decibel.max() <= noise.LEVEL_DB[1] + 0.01


def test_without_recordings_nothing_changes():
    signal = RNG(3).normal(size=(5, 1600)).astype(np.float32)
    before = signal.copy()
    noise.add(signal, (), RNG(4))
    np.testing.assert_array_equal(signal, before)


def test_a_flat_piece_is_not_blown_up():
    signal = np.zeros((50, 1000), np.float32)
    noise.add(signal, [np.full(5000, 1e-9, np.float32)], RNG(5))
    assert np.abs(signal).max() < 1e-5


@pytest.mark.thorough
def test_the_recordings_pass_through_the_monitors_own_chain(mitdb):
    if not (mitdb.parent / "nstdb" / "em.dat").is_file():
        pytest.skip("needs the noise recordings: nstdb beside mitdb")
    loaded = noise.load(BeatNet.geometry, mitdb.parent)
    assert len(loaded) == 3
    for stream in loaded:
        assert len(stream) == round(120 * (3 + 1805 + 0.5))
        assert np.isfinite(stream).all()
        assert np.ptp(stream[1200:]) > 0.1
