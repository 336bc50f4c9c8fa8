"""A stream of any rate at 360 Hz: where outputs lie, how true they are, always the same bits."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.signal.rate_converter import RateConverter, first_output

RATES = (100_000, 125_000, 250_000, 333_333, 500_000, 999_999, 1_000_000)
EDGE = RATE // 5
"""Outputs at each end that feel it."""

rates = st.one_of(st.sampled_from([*RATES, 360_000]), st.integers(100_000, 1_000_000))


def convert(samples, rate, first=0):
    converter = RateConverter(rate, first)
    return np.concatenate([converter.push(samples), converter.flush()])


def cut(samples, rate, sizes, first=0):
    """Convert in chunks of these sizes, over and over."""
    converter, parts, at = RateConverter(rate, first), [], 0
    while at < len(samples):
        n = sizes[len(parts) % len(sizes)]
        parts.append(converter.push(samples[at : at + n]))
        at += n
    return np.concatenate([*parts, converter.flush()])


def heart(t):
    """An analytic ECG in mV: each wave a Gaussian, 75 beats a minute, on a wandering base line."""
    waves = ((-0.2, 0.025, 0.15), (0.0, 0.012, 1.2), (0.03, 0.012, -0.3), (0.25, 0.04, 0.3))
    phase = (t + 0.4) % 0.8 - 0.4
    shifted = [phase - middle + 0.8 * turn for middle, _, _ in waves for turn in (-1, 0, 1)]
    shapes = [wave[1:] for wave in waves for _ in range(3)]
    beats = [
        high * np.exp(-0.5 * (x / wide) ** 2)
        for x, (wide, high) in zip(shifted, shapes, strict=True)
    ]
    return np.sum(beats, axis=0) + 0.4 * np.sin(2 * np.pi * 0.3 * t) + 20


@pytest.mark.parametrize(("rate", "to_hz"), [(100_000, 31), *((rate, 40) for rate in RATES[2:])])
def test_the_band_of_an_ecg_passes_within_a_thousandth_in_size_and_time(rate, to_hz):
    t = np.arange(4 * rate // 1000) * 1000 / rate
    for hz in (0.05, 0.5, 7, 15, 25, to_hz):
        got = convert(np.cos(2 * np.pi * hz * t), rate) + 1j * convert(
            np.sin(2 * np.pi * hz * t), rate
        )
        ideal = np.exp(2j * np.pi * hz * np.arange(len(got)) / RATE)
        assert np.abs(got - ideal)[EDGE:-EDGE].max() < 1e-3


@pytest.mark.parametrize("hz", [320, 360, 420])
def test_what_would_fold_into_the_band_does_not_pass(hz):
    t = np.arange(4000) / 1000
    assert np.abs(convert(np.sin(2 * np.pi * hz * t), 1_000_000))[EDGE:-EDGE].max() < 1e-3


@pytest.mark.parametrize("rate", RATES)
def test_a_heart_beat_keeps_its_shape(rate):
    got = convert(heart(np.arange(10 * rate // 1000) * 1000 / rate), rate)
    ideal = heart(np.arange(len(got)) / RATE)
    tolerance = 0.03 if rate < 250_000 else 1e-3  # a QRS reaches beyond 31 Hz
    assert np.abs(got - ideal)[EDGE:-EDGE].max() < tolerance


@pytest.mark.parametrize(("rate", "up", "down"), [(250, 36, 25), (500, 18, 25), (1000, 9, 25)])
def test_it_agrees_with_a_polyphase_filter_over_the_whole_signal(rate, up, down):
    samples = heart(np.arange(10 * rate) / rate) - 20
    poly = signal.resample_poly(samples, up, down, window=("kaiser", 10.0))
    assert np.abs(convert(samples, rate * 1000) - poly)[EDGE:-EDGE].max() < 3e-3


@pytest.mark.parametrize("rate", RATES)
def test_a_constant_stays_one_to_both_ends(rate):
    np.testing.assert_allclose(convert(np.full(500, 3.25), rate), 3.25, rtol=1e-14)


def test_its_own_rate_passes_unchanged_and_at_once():
    samples = np.array([0.1, np.nan, -3.0])
    converter = RateConverter(360_000, 2**62)
    assert converter.push(samples).tobytes() == samples.tobytes()
    assert converter.next == 2**62 + 3
    assert len(converter.flush()) == 0


@pytest.mark.parametrize("rate", RATES)
def test_an_output_waits_for_its_reach_and_no_longer(rate):
    converter = RateConverter(rate)
    for index in range(3000):
        converter.push(np.zeros(1))
        assert converter.next == max(first_output(index + 1 - converter.reach, rate), 0)
    assert converter.reach / rate <= (0.04 if rate >= 250_000 else 0.1) / 1000


@settings(max_examples=150)
@given(rates, st.integers(0, 2**62), st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_any_cut_gives_the_bits_of_the_whole(rate, first, sizes):
    rng = np.random.default_rng(rate)
    samples = rng.standard_normal(int(rng.integers(1, 1500)))
    samples[rng.random(len(samples)) < 0.1] = np.nan
    samples[: rng.integers(0, 30)] = np.nan
    expected = convert(samples, rate, first)
    assert cut(samples, rate, sizes, first).tobytes() == expected.tobytes()
    assert len(expected) == first_output(first + len(samples), rate) - first_output(first, rate)


@given(rates, st.integers(0, 2**62), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_pieces_on_both_grids_follow_each_other_in_exact_time(rate, first, lengths):
    converter = RateConverter(rate, first)
    for length in lengths:
        start = ceil(Fraction(first * 360_000, rate))
        assert converter.next == first_output(first, rate) == start
        owed = [converter.push(np.zeros(length)), converter.flush()]
        first += length
        assert start + sum(map(len, owed)) == converter.next == first_output(first, rate)


@given(rates.filter(lambda rate: rate != 360_000), st.data())
def test_an_output_is_a_number_where_the_input_nearest_to_it_is(rate, data):
    runs = data.draw(st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1))
    absent = np.concatenate([np.full(length, lost) for length, lost in runs])
    got = convert(np.where(absent, np.nan, 1.5), rate)
    for k, value in enumerate(got):
        nearest = min(int(Fraction(k * rate, 360_000) + Fraction(1, 2)), len(absent) - 1)
        assert np.isnan(value) == absent[nearest]
    np.testing.assert_allclose(got[~np.isnan(got)], 1.5, rtol=1e-14)


def test_what_was_not_measured_is_held_for_the_filter():
    samples = np.sin(np.arange(600) / 30)
    lost = samples.copy()
    lost[200:300] = np.nan
    held = samples.copy()
    held[200:300] = samples[199]
    got, expected = convert(lost, 250_000), convert(held, 250_000)
    measured = ~np.isnan(got)
    assert np.flatnonzero(~measured)[[0, -1]].tolist() == [288, 431]
    assert got[measured].tobytes() == expected[measured].tobytes()


def test_after_a_reset_nothing_of_before_is_left():
    converter = RateConverter(250_000)
    converter.push(np.full(1000, 7.0))
    converter.reset(2**61 + 1)
    assert converter.next == first_output(2**61 + 1, 250_000)
    got = np.concatenate([converter.push(np.zeros(100)), converter.flush()])
    assert np.abs(got).max() == 0


@pytest.mark.parametrize("rate", [99_999, 1_000_001])
def test_a_rate_out_of_range_is_an_error(rate):
    with pytest.raises(ValueError, match="not between"):
        RateConverter(rate)
