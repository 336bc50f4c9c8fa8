import numpy as np
import pytest

from ecgmon.grid import RATE
from ecgmon.records.find import Found
from ecgmon.records.read import read
from ecgmon.signal import Geometry, process_record
from ecgmon.signal.quality import ABSENT, NAMES, NOISY, SIGNAL, signal_state

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
