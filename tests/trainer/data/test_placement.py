import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, process_record
from trainer.data.placement import BANDS_HZ, GAINS, INVERTED, Placement

SECONDS = np.arange(40 * RATE) / RATE


def _sine(hz):
    return np.sin(2 * np.pi * hz * SECONDS)


def _amplitude(x):
    """Amplitude of the last ten seconds: by then no filter remembers how it began."""
    return np.sqrt(2) * np.std(x[-10 * RATE :])


bands = st.sampled_from([None, *BANDS_HZ])
placements = st.builds(Placement, inverted=st.booleans(), gain=st.floats(*GAINS), band_hz=bands)


def test_the_record_s_own_placement_changes_nothing():
    x = _sine(7)
    np.testing.assert_array_equal(Placement()(x), x)


@given(st.floats(*GAINS))
def test_gain_and_inversion_are_a_factor(gain):
    x = _sine(7)
    np.testing.assert_array_equal(Placement(gain=gain)(x), gain * x)
    np.testing.assert_array_equal(Placement(inverted=True, gain=gain)(x), -gain * x)


@pytest.mark.parametrize("band", BANDS_HZ)
def test_a_band_passes_its_middle_and_halves_the_power_of_its_ends(band):
    low, high = band
    device = Placement(band_hz=band)
    middle = 10.0
    assert _amplitude(device(_sine(middle))) == pytest.approx(1, abs=0.01)
    assert _amplitude(device(_sine(high))) == pytest.approx(np.sqrt(0.5), abs=0.01)
    if low >= 0.1:  # of slower ones ten seconds are no whole number of turns
        assert _amplitude(device(_sine(low))) == pytest.approx(np.sqrt(0.5), abs=0.01)
    else:
        assert _amplitude(device(_sine(0.1))) == pytest.approx(0.1 / np.hypot(0.1, low), abs=0.01)


def test_an_electrode_s_offset_does_not_pass_a_device():
    for band in BANDS_HZ:
        offset = Placement(band_hz=band)(np.full(1000, 300.0))
        np.testing.assert_allclose(offset, 0, atol=1e-9)


@given(placements, st.integers(1, 999), st.integers(0, 2**32 - 1))
def test_nothing_comes_before_its_cause(placement, at, seed):
    x = np.random.default_rng(seed).normal(size=1000)
    later = x.copy()
    later[at:] += 1
    np.testing.assert_array_equal(placement(x)[:at], placement(later)[:at])


@given(placements, st.lists(st.integers(0, 499), max_size=200), st.integers(0, 2**32 - 1))
def test_what_was_not_measured_stays_so_and_nothing_else_does(placement, missing, seed):
    x = np.random.default_rng(seed).normal(size=500)
    x[missing] = np.nan
    np.testing.assert_array_equal(np.isnan(placement(x)), np.isnan(x))


def test_a_lead_of_which_nothing_was_measured_stays_empty():
    assert np.isnan(Placement(band_hz=BANDS_HZ[0])(np.full(100, np.nan))).all()


@given(st.integers(0, 2**32 - 1))
def test_what_is_drawn_lies_in_its_bounds_and_is_repeatable(seed):
    placement = Placement.drawn(np.random.default_rng(seed))
    assert GAINS[0] <= placement.gain <= GAINS[1]
    assert placement.band_hz in BANDS_HZ
    assert placement == Placement.drawn(np.random.default_rng(seed))


def test_all_kinds_are_drawn_as_often_as_they_should():
    rng = np.random.default_rng(17)
    drawn = [Placement.drawn(rng) for _ in range(3000)]
    assert np.mean([one.inverted for one in drawn]) == pytest.approx(INVERTED, abs=0.03)
    assert np.mean([one.gain < 1 for one in drawn]) == pytest.approx(0.5, abs=0.03)
    for band in BANDS_HZ:
        assert np.mean([one.band_hz == band for one in drawn]) == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("band", [(0.0, 40.0), (40.0, 0.5), (0.5, 180.0)])
def test_a_band_that_cannot_be_is_refused(band):
    with pytest.raises(ValueError, match="a band lies between"):
        Placement(band_hz=band)


@pytest.mark.parametrize("gain", [0.0, -1.0, float("nan")])
def test_a_gain_that_cannot_be_is_refused(gain):
    with pytest.raises(ValueError, match="a gain is above 0"):
        Placement(gain=gain)


def test_an_inverted_lead_is_what_the_monitor_sees_upside_down():
    """So whoever trains may invert examples instead of records."""
    x = np.random.default_rng(3).normal(size=20 * RATE).cumsum() / 50
    geometry = Geometry(history_s=0, look_ahead_s=0, rate=RATE)
    upright, turned = (process_record(one, geometry) for one in (x, Placement(inverted=True)(x)))
    np.testing.assert_array_equal(turned.inputs, -upright.inputs)
    np.testing.assert_array_equal(turned.scale, upright.scale)
