import numpy as np
import pytest

from ecgmon.grid import RATE
from ecgmon.records.find import Found
from ecgmon.records.read import read
from ecgmon.signal import Geometry, process_record
from ecgmon.signal.quality import ABSENT, NAMES, NOISY, SIGNAL, clipped, signal_state
from ecgmon.wire import NO_VALUE

N = RATE
T = np.arange(N) / RATE


def beat(height=1.0):
    """One narrow QRS-like bump in each half of a second."""
    return height * (np.exp(-(((T - 0.25) / 0.02) ** 2)) + np.exp(-(((T - 0.75) / 0.02) ** 2)))


def state(raw, filtered=None, valid=None):
    raw = np.asarray(raw, dtype=np.float32)[None]
    filtered = raw if filtered is None else np.asarray(filtered, dtype=np.float32)[None]
    valid = np.ones((1, N), dtype=bool) if valid is None else valid[None]
    return NAMES[signal_state(raw, filtered, valid)[0]]


def test_the_names_are_those_of_the_protocol_in_the_order_of_the_codes():
    assert (NAMES[SIGNAL], NAMES[NOISY], NAMES[ABSENT]) == ("signal", "noisy", "absent")


def test_a_beat_is_signal_small_or_tall():
    for height in (0.1, 1, 3, 7):
        assert state(beat(height)) == "signal"


def test_a_flat_line_is_absent_at_any_level_and_so_is_one_that_is_flat_for_half_the_second():
    for level in (0, 1, -5, 300):
        assert state(np.full(N, level)) == "absent"
        assert state(np.full(N, level) + 0.005 * np.sign(np.sin(50 * T))) == "absent"
    for half in (slice(None, N // 2), slice(N // 2, None)):
        raw = beat()
        raw[half] = 0.4
        assert state(raw) == "absent"


@pytest.mark.parametrize(
    ("missing", "expected"), [(0, "signal"), (100, "signal"), (181, "absent"), (360, "absent")]
)
def test_a_second_that_was_not_measured_for_most_of_it_is_absent(missing, expected):
    valid = np.arange(N) >= missing
    assert state(beat(), valid=valid) == expected


def test_broad_band_noise_is_noisy_and_the_amplifiers_own_is_not():
    rng = np.random.default_rng(2)
    assert state(beat() + rng.normal(0, 0.5, N)) == "noisy"
    assert state(beat() + rng.normal(0, 0.01, N)) == "signal"


def test_a_swing_that_no_heart_makes_is_noisy():
    assert state(beat(), filtered=9 * beat()) == "noisy"
    assert state(beat(), filtered=7.5 * beat()) == "signal"


def test_absent_goes_before_noisy():
    raw = np.where(T < 0.5, 0, np.random.default_rng(2).normal(0, 5, N))
    assert state(raw) == "absent"


def test_each_row_is_judged_alone():
    rng = np.random.default_rng(2)
    raw = np.stack([beat(), np.zeros(N), beat() + rng.normal(0, 1, N), beat()]).astype(np.float32)
    valid = np.ones(raw.shape, dtype=bool)
    valid[3, :300] = False
    assert signal_state(raw, raw, valid).tolist() == [SIGNAL, ABSENT, NOISY, ABSENT]


@pytest.mark.parametrize("name", ["100", "203", "208"])
def test_the_first_ten_minutes_of_a_real_record_are_signal(mitdb, name):
    samples = read(Found(name, name, mitdb / name)).millivolts()[: 600 * RATE]
    states = process_record(samples, Geometry(0, 0, 120)).state
    assert (states == SIGNAL).mean() > 0.99


def counts(millivolts, gain=200):
    return np.rint(np.asarray(millivolts) * gain).astype(np.int16)


def test_a_second_cut_off_above_or_below_is_clipped_and_a_whole_one_is_not():
    for sign in (1, -1):
        second = counts(sign * beat())
        assert not clipped(second)
        assert clipped(np.clip(second, -100, 100))
        assert clipped(np.clip(second, -100, 100) + np.int16(500))  # wherever the range ends


def test_what_is_flat_coarse_or_not_measured_is_not_called_clipped():
    assert not clipped(np.full(N, 32767, dtype=np.int16))
    assert not clipped(np.full(N, NO_VALUE, dtype=np.int16))
    assert not clipped(np.zeros(0, dtype=np.int16))
    assert not clipped(np.clip(counts(beat(), gain=50), -30, 30))
    wave = counts(np.sin(2 * np.pi * T))
    assert not clipped(wave)
    wave[100:200] = NO_VALUE  # no step down to what is no value
    assert not clipped(wave)
    second = np.clip(counts(beat()), None, 100)
    second[:150] = NO_VALUE
    assert clipped(second)


@pytest.mark.parametrize("name", ["100", "203", "116"])
def test_real_seconds_are_hardly_ever_called_clipped_and_clipped_ones_are(mitdb, name):
    samples = read(Found(name, name, mitdb / name)).samples
    seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE)
    found = [clipped(second) for second in seconds]
    at_the_end_of_the_range = (seconds >= 1023).any(axis=1) | (seconds <= -1024).any(axis=1)
    assert sum(found & ~at_the_end_of_the_range) <= 2
    middle, highest = np.median(seconds, axis=1), seconds.max(axis=1)
    cut = np.minimum(seconds, (0.4 * middle + 0.6 * highest)[:, None].astype(np.int16))
    assert np.mean([clipped(second) for second in cut[::5]]) > 0.7
