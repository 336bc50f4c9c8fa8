"""A still line is signal between beats, and lost after them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain

ROW = np.zeros(1, dtype=np.intp)


def beats(per_minute, seconds, height=1.0):
    samples = np.zeros(seconds * RATE)
    for at in np.arange(200, len(samples), 60 * RATE / per_minute):
        samples += height * np.exp(-(((np.arange(len(samples)) - at) / 5.0) ** 2))
    return samples


def seconds(samples, step=0.005, sizes=(10**6,), spikes=()):
    chain, done, at, cut = SignalChain(Geometry(0, 0.5, 120), 1), [], 0, 0
    while at < len(samples):
        n = sizes[cut % len(sizes)]
        mine = [spike for spike in spikes if at <= spike < at + n]
        done += chain.push(ROW, samples[None, at : at + n], np.array([step]), [mine]).seconds
        at, cut = at + n, cut + 1
    return done


def states(samples, step=0.005, spikes=()):
    return "".join(second.state[0] for second in seconds(samples, step, spikes=spikes))


@pytest.mark.parametrize("per_minute", [25, 30, 38, 60])
@pytest.mark.parametrize("noise", [0, 0.001, 0.002, 0.02])
def test_between_beats_a_line_is_signal_whatever_its_noise(per_minute, noise):
    rng = np.random.default_rng(1)
    samples = beats(per_minute, 30) + noise * rng.standard_normal(30 * RATE)
    for step in (0.001, 0.005):
        assert states(np.round(samples / step) * step, step) == "s" * 30


@pytest.mark.parametrize("level", [0.0, 5.0, -300.0])
@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_after_beats_a_still_line_is_lost_within_three_seconds(level, noise):
    rng = np.random.default_rng(1)
    for off in range(0, RATE, 45):
        samples = beats(75, 20)
        end = 10 * RATE + off
        samples[end:] = level + 0.005 * noise * rng.standard_normal(len(samples) - end)
        (lost,) = {s.lost for s in seconds(samples) if s.lost is not None}
        assert 1.5 * RATE <= lost - end <= 3 * RATE


def test_noise_of_two_counts_is_signal_and_so_are_drift_and_breathing_with_it():
    rng, t = np.random.default_rng(1), np.arange(60 * RATE) / RATE
    for drift in (0, 0.5 * t, np.sin(2 * np.pi * 0.3 * t)):
        for step in (0.001, 0.005):
            noise = 2 * step * rng.standard_normal(len(t))
            assert states(np.round((drift + noise) / step) * step, step) == "s" * 60
            still = states(np.round((0.01 * t + noise / 2.5) / step) * step, step)
            assert still == "ss" + "a" * 58


def test_a_line_that_is_still_but_for_pacing_spikes_is_connected():
    samples = np.zeros(20 * RATE)
    assert states(samples, spikes=range(100, 20 * RATE, 900)) == "s" * 20


def test_hum_that_begins_when_the_beats_end_is_noise_and_hum_under_the_beats_is_not():
    t = np.arange(20 * RATE) / RATE
    noise = 0.004 * np.random.default_rng(1).standard_normal(len(t))
    for hz in (50, 60):
        for size in (0.05, 0.1, 0.2):
            hum = size * np.sin(2 * np.pi * hz * t)
            off = np.where(t < 10, beats(75, 20), hum) + noise
            assert states(off) == "s" * 10 + "n" * 10
            if size < 0.2:  # more is called noisy under beats, too
                under = np.where(t < 10, beats(75, 20), 0) + hum + noise
                assert states(under)[1:] == "s" * 19


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.sampled_from([1, 89, 90, 91, 359, 360]) | st.integers(5, 1500), min_size=1),
)
def test_what_is_known_of_a_line_does_not_depend_on_how_it_was_cut(seed, sizes):
    rng, parts = np.random.default_rng(seed), []
    for _ in range(rng.integers(3, 7)):
        n = int(rng.integers(100, 1800))
        parts.append(rng.choice([0, 0.003, 0.008, 0.05]) * rng.standard_normal(n))
        if rng.random() < 0.5:
            parts[-1] += beats(rng.choice([20, 75]), 6)[:n] * rng.choice([0.2, 1])
    samples = np.concatenate(parts)
    spikes = sorted(rng.integers(0, len(samples), 3).tolist())
    sizes = [max(size, 40) for size in sizes]
    assert seconds(samples, sizes=sizes, spikes=spikes) == seconds(samples, spikes=spikes)


def test_while_a_second_is_noisy_no_heart_rate_is_known_and_its_beats_count_for_none_after():
    samples = beats(72, 40)
    rng = np.random.default_rng(5)
    samples[10 * RATE : 20 * RATE] += rng.normal(0, 1, 10 * RATE)
    windows = SignalChain(Geometry(0, 0, 120), 1).push(ROW, samples[None]).windows
    noisy = slice(10, 20)
    assert (windows.state[noisy] == 1).all()
    assert np.isnan(windows.heart_rate[noisy]).all()
    known = windows.heart_rate[20:]
    np.testing.assert_allclose(known[~np.isnan(known)], 72, rtol=0.02)
    assert not np.isnan(known[6:]).any()


@pytest.mark.parametrize("height", [0.4, 1.0])
@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_beats_are_strong_again_soon_after_noise_whatever_was_learnt_in_it(height, noise):
    rng = np.random.default_rng(5)
    samples = np.concatenate([beats(75, 30), rng.normal(0, noise, 20 * RATE)])
    samples = np.concatenate([samples, beats(75, 20, height)])
    after = [s for s in seconds(samples) if s.end > 52 * RATE]
    assert all(s.state == "signal" for s in after)
    strong = [beat for s in after for beat in s.strong]
    assert len(strong) >= 20
    assert np.diff(strong).max() < 4 * RATE
