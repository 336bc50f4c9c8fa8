import numpy as np
import pytest
from scipy import signal

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, process_record
from ecgmon.signal.qrs import BeatDetector
from ecgmon.signal.quality import (
    ABSENT,
    NAMES,
    NOISY,
    SIGNAL,
    clipped,
    implausible_rr,
    returns,
    signal_state,
)

N = RATE
SECONDS = Geometry(0, 0, 120)
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
    noise = np.random.default_rng(2).normal(0, 5, N)
    assert state(noise) == "noisy"
    assert state(noise, valid=T >= 0.6) == "absent"


def test_each_row_is_judged_alone():
    rng = np.random.default_rng(2)
    raw = np.stack([beat(), beat() + rng.normal(0, 1, N), beat()]).astype(np.float32)
    valid = np.ones(raw.shape, dtype=bool)
    valid[2, :300] = False
    assert signal_state(raw, raw, valid).tolist() == [SIGNAL, NOISY, ABSENT]


@pytest.mark.parametrize("name", ["100", "203", "208"])
def test_the_first_ten_minutes_of_a_real_record_are_signal(mitdb, name):
    samples = read(Found(name, name, mitdb / name)).millivolts()[: 600 * RATE]
    states = process_record(samples, SECONDS).state
    assert (states == SIGNAL).mean() > 0.99


def counts(millivolts, gain=200):
    return np.rint(np.asarray(millivolts) * gain).astype(np.int16)


def is_clipped(samples):
    return clipped(samples[None].astype(np.float32), samples[None] != NO_VALUE)[0]


def test_a_second_cut_off_above_or_below_is_clipped_and_a_complete_one_is_not():
    for sign in (1, -1):
        second = counts(sign * beat())
        assert not is_clipped(second)
        assert is_clipped(np.clip(second, -100, 100))
        assert is_clipped(np.clip(second, -100, 100) + np.int16(500))  # wherever the range ends


def test_what_is_flat_coarse_or_not_measured_is_not_called_clipped():
    assert not is_clipped(np.full(N, 32767, dtype=np.int16))
    assert not is_clipped(np.full(N, NO_VALUE, dtype=np.int16))
    assert not is_clipped(np.clip(counts(beat(), gain=50), -30, 30))
    slow = counts(np.sin(2 * np.pi * T))
    assert not is_clipped(slow)
    slow[100:200] = NO_VALUE  # no step down to what is no value
    assert not is_clipped(slow)
    second = np.clip(counts(beat()), None, 100)
    second[:150] = NO_VALUE
    assert is_clipped(second)


def test_being_clipped_does_not_depend_on_the_unit_nor_on_who_else_is_asked():
    seconds = np.stack([counts(beat()), np.clip(counts(beat()), None, 100), counts(beat(0.1))])
    for gain in (1, 200, 1234.5):
        valid = np.ones(seconds.shape, dtype=bool)
        assert clipped((seconds / gain).astype(np.float32), valid).tolist() == [False, True, False]


def test_a_clipped_second_is_noisy():
    raw = counts(np.clip(beat(), None, 0.5)) / 200
    assert state(raw) == "noisy"
    assert state(counts(beat()) / 200) == "signal"


@pytest.mark.parametrize("name", ["100", "203", "116"])
def test_real_seconds_are_hardly_ever_called_clipped_and_clipped_ones_are(mitdb, name):
    samples = read(Found(name, name, mitdb / name)).samples
    seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE)
    valid = np.ones(seconds.shape, dtype=bool)
    found = clipped(seconds.astype(np.float32), valid)
    at_the_end_of_the_range = (seconds >= 1023).any(axis=1) | (seconds <= -1024).any(axis=1)
    assert sum(found & ~at_the_end_of_the_range) <= 2
    middle, highest = np.median(seconds, axis=1), seconds.max(axis=1)
    cut = np.minimum(seconds, (0.4 * middle + 0.6 * highest)[:, None].astype(np.int16))
    assert clipped(cut.astype(np.float32), valid).mean() > 0.7


def test_beats_are_doubted_only_if_they_are_both_faster_and_less_even_than_a_heart_s():
    for rr in (120, 200, 300):
        assert not implausible_rr(range(0, 3 * RATE, rr))
    assert not implausible_rr([0, 130, 400, 530, 800])  # every other one is early
    assert not implausible_rr([0, 100])
    assert not implausible_rr([])
    assert implausible_rr([0, 100, 350, 450, 700])
    assert implausible_rr([0, 90, 320, 400, 500, 750])


def wave(kind, seed):
    """A minute of what a heart does when it no longer beats, in mV."""
    rng, t = np.random.default_rng(seed), np.arange(60 * RATE) / RATE
    low_pass = signal.butter(1, 0.4, fs=RATE)

    def wander(noise):
        slow = signal.filtfilt(*low_pass, noise)
        return np.clip(slow / slow.std() / 2, -0.9, 0.9)

    match kind:
        case "flutter":
            return np.sin(2 * np.pi * 4.5 * t)
        case "tachycardia":
            return signal.sawtooth(2 * np.pi * 3.3 * t, 0.3) * (1 + 0.3 * np.sign(np.sin(20.7 * t)))
        case "torsades":
            return (1 + 0.8 * np.sin(2.5 * t)) * np.sin(2 * np.pi * 3.8 * t)
        case "fibrillation":
            hz = 5.5 + 2.5 * wander(rng.normal(size=len(t)))
            size = 0.5 + 0.4 * wander(rng.normal(size=len(t)))
            return size * np.sin(2 * np.pi * np.cumsum(hz) / RATE)
        case "coarse":
            band = signal.butter(2, (2.5, 8), "bandpass", fs=RATE, output="sos")
            return signal.sosfilt(band, rng.normal(size=len(t)))
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["flutter", "tachycardia", "torsades", "fibrillation", "coarse"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_heart_that_only_waves_is_never_noise(kind, seed):
    t = np.arange(60 * RATE) / RATE
    breathing = 0.5 * np.sin(2 * np.pi * 0.3 * t)
    amplifier = np.random.default_rng(seed).normal(0, 0.01, len(t))
    states = process_record(wave(kind, seed) + breathing + amplifier, SECONDS).state
    assert (states[3:] == SIGNAL).all()


def test_ventricular_flutter_of_a_real_record_is_never_noise(mitdb):
    record = read(Found("207", "207", mitdb / "207"))
    states = process_record(record.millivolts(), SECONDS).state
    marks = zip(record.annotations.samples, record.annotations.symbols, strict=True)
    episodes = [int(sample) // RATE for sample, symbol in marks if symbol in "[]"]
    seconds = [
        k for a, b in zip(episodes[::2], episodes[1::2], strict=True) for k in range(a, b + 1)
    ]
    assert len(seconds) == 149
    assert (states[seconds] == SIGNAL).all()


def test_fast_atrial_fibrillation_is_never_noise(ecg):
    rng = np.random.default_rng(2)
    (at,) = BeatDetector(1)(np.zeros(1, dtype=np.intp), ecg[None], np.zeros(1, dtype=np.int64))
    shapes = [ecg[beat - 36 : beat + 60] for beat in at[2:40]]
    fast = np.zeros(61 * RATE)
    where = RATE
    while where < 60 * RATE:
        fast[where : where + 96] += shapes[rng.integers(len(shapes))] * np.hanning(96)
        where += int(RATE * max(0.25, rng.normal(0.36, 0.09)))
    states = process_record(fast + rng.normal(0, 0.01, len(fast)), SECONDS).state
    assert (states[3:] == SIGNAL).all()


def test_the_motion_of_electrodes_that_hides_the_beats_is_mostly_noise(mitdb):
    name = mitdb.parent / "nstdb" / "em"
    if not name.with_suffix(".hea").is_file():
        pytest.skip("needs nstdb beside mitdb")
    clean = read(Found("100", "100", mitdb / "100")).millivolts()[: 300 * RATE]
    motion = read(Found("em", "em", name)).millivolts()[: 300 * RATE]
    assert (process_record(clean, SECONDS).state == SIGNAL).all()
    assert (process_record(clean + 2 * motion, SECONDS).state == NOISY).mean() > 0.5


def test_a_baseline_that_returns_from_a_jump_is_known_and_wander_is_not():
    t = np.arange(2 * RATE) / RATE
    back = [height * np.exp(-t / tau) for height in (-5, 3) for tau in (0.8, 1.5, 3.0)]
    others = [
        0.3 * np.exp(-t),  # too small
        np.exp(t / 2),  # ever faster
        -2 + 0 * t,
        t * 2,
        *(2 * np.sin(2 * np.pi * (hz * t + phase / 8)) for hz in (0.3, 0.5) for phase in range(8)),
    ]
    beats = np.tile(beat(1.0), 2)
    found = returns(np.array([*back, *(one + beats for one in others)], dtype=np.float32))
    assert found[: len(back)].all()
    assert not found[len(back) :].any()
