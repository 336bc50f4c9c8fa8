from itertools import groupby

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import UsageError
from replay.simulator.scenarios import SCENARIOS
from replay.simulator.simulation import simulate

RATE = 360
CLEAN = ["normal", "premature", "runs", "pauses", "bradycardia", "tachycardia", "extreme"]

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS)
every_seed = pytest.mark.parametrize("seed", range(1, 6))


def test_the_scenarios_are_known_and_described():
    names = """
        normal premature runs pauses bradycardia tachycardia extreme asystole noise lead-off gaps
    """
    assert list(SCENARIOS) == names.split()
    for name, scenario in SCENARIOS.items():
        assert scenario.name == name
        assert 60 <= scenario.duration_s <= 180
        assert scenario.summary
        assert "\n" not in scenario.summary


@every_scenario
def test_equal_arguments_give_equal_arrays_and_another_seed_others(scenario):
    one, same, other = (simulate(scenario, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.record.samples, same.record.samples)
    assert np.array_equal(one.record.annotations.samples, same.record.annotations.samples)
    assert one.record.annotations.symbols == same.record.annotations.symbols
    assert one.record.missing == same.record.missing
    assert one.expected == same.expected
    assert not np.array_equal(one.record.samples, other.record.samples)
    assert not np.array_equal(one.record.annotations.samples, other.record.annotations.samples)


@every_scenario
def test_a_record_is_named_and_scaled_as_promised(scenario):
    record = simulate(scenario).record
    assert (record.name, record.wearer) == (f"simulated/{scenario}", f"simulated-{scenario}")
    assert (record.rate, record.gain, record.lead) == (360.0, 200.0, "MLII")
    assert record.samples.dtype == np.int16
    assert len(record.samples) == SCENARIOS[scenario].duration_s * RATE
    limit_mv = 30 if scenario == "noise" else 3
    values = record.samples[record.samples != NO_VALUE] / record.gain
    assert 1 < np.abs(values).max() < limit_mv
    assert simulate(scenario, wearer="bed-7").record.wearer == "bed-7"


@pytest.mark.parametrize("scenario", CLEAN)
@every_seed
def test_annotations_mark_the_r_peaks(scenario, seed):
    record = simulate(scenario, seed=seed).record
    for at, symbol in zip(record.annotations.samples, record.annotations.symbols, strict=True):
        first = max(at - 18, 0)
        highest = first + np.argmax(record.samples[first : at + 19])
        # Noise of 2 counts moves the flat top of a wide R wave a little.
        if at + 19 <= len(record.samples):
            assert abs(highest - at) <= (1 if symbol == "N" else 4)
            assert np.ptp(record.samples[first : at + 19]) > 0.8 * record.gain


@every_scenario
@pytest.mark.parametrize("duration_s", [1, 12.9, 22.2, 33.3, 44.4])
def test_a_longer_simulation_begins_with_the_shorter(scenario, duration_s):
    short, long = (simulate(scenario, duration_s=d).record for d in (duration_s, 200))
    n = len(short.samples)
    assert np.array_equal(short.samples, long.samples[:n])
    beats = len(short.annotations.samples)
    assert np.array_equal(short.annotations.samples, long.annotations.samples[:beats])
    assert short.annotations.symbols == long.annotations.symbols[:beats]
    assert long.annotations.samples[beats] >= n or long.samples[n - 1] == NO_VALUE


@every_seed
def test_a_premature_beat_is_early_and_its_pause_compensatory(seed):
    annotations = simulate("premature", seed=seed).record.annotations
    at, symbols = annotations.samples, "".join(annotations.symbols)
    premature = [i for i in range(1, len(symbols) - 1) if symbols[i] == "V"]
    assert len(premature) > 15
    for i in premature:
        assert symbols[i - 1] == symbols[i + 1] == "N"
        coupling = (at[i] - at[i - 1]) / ((at[i + 1] - at[i - 1]) / 2)
        assert 0.49 < coupling < 0.66
    for stretch in ("NVNVNV", "NNVNNVNNV", "NNNVNNNVNNNV"):
        assert stretch in symbols


@every_seed
def test_runs_have_the_promised_lengths_and_rate(seed):
    annotations = simulate("runs", seed=seed).record.annotations
    lengths, at = [], 0
    for symbol, group in groupby(annotations.symbols):
        length = len(list(group))
        if symbol == "V":
            lengths.append(length)
            rr = np.diff(annotations.samples[at : at + length])
            assert ((rr >= 60 * RATE / 180 - 1) & (rr <= 60 * RATE / 150 + 1)).all()
        at += length
    assert lengths == [4, 12, 6, 10, 8]


@every_scenario
@every_seed
def test_rr_intervals(scenario, seed):
    record = simulate(scenario, seed=seed).record
    rr = np.diff(record.annotations.samples) / RATE
    long = rr[rr > 1.8]
    if scenario == "pauses":
        assert len(long) >= 5
        assert ((long >= 1.99) & (long <= 3.21)).all()
    elif scenario == "extreme":
        assert 10 <= len(long) <= 13
        assert ((long > 1.88) & (long < 2.12)).all()
    elif scenario in ("asystole", "lead-off"):
        assert len(long) == 1
        assert 11 < long[0] < 17
    else:
        assert len(long) == 0
    if scenario == "normal":
        assert 0.8 < rr.mean() < 0.86
        assert 0.01 < rr.std() < 0.05
        assert rr.max() < 1


@every_seed
def test_the_baseline_lives_through_asystole(seed):
    record = simulate("asystole", seed=seed).record
    at = record.annotations.samples
    longest = int(np.argmax(np.diff(at)))
    still = record.samples[at[longest] + RATE : at[longest + 1] - RATE] / record.gain
    halves = still[: len(still) // 180 * 180].reshape(-1, 180)
    assert (np.ptp(halves, axis=1) > 0.03).all()
    assert np.ptp(still) < 0.5


@every_seed
def test_noise_drowns_the_ecg_for_25_s_only(seed):
    record = simulate("noise", seed=seed).record
    rms = (record.samples.reshape(-1, RATE) / record.gain).std(axis=1)
    assert (rms[21:44] > 1.5).all()
    assert (np.delete(rms, range(20, 45)) < 0.5).all()


@every_scenario
def test_only_lead_off_has_no_values_and_only_gaps_lose_samples(scenario):
    record = simulate(scenario).record
    off = np.flatnonzero(record.samples == NO_VALUE)
    if scenario == "lead-off":
        assert off.tolist() == list(range(20 * RATE, 35 * RATE))
        assert not set(off) & set(record.annotations.samples)
    else:
        assert len(off) == 0
    seconds = [(stop - start) / RATE for start, stop in record.missing]
    assert seconds == ([0.2, 0.5, 1, 1.4, 8] if scenario == "gaps" else [])


def test_an_unknown_scenario_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refusal:
        simulate("asistole")
    assert str(refusal.value) == (
        "There is no scenario 'asistole' (did you mean 'asystole'?): choose one of "
        "normal, premature, runs, pauses, bradycardia, tachycardia, extreme, asystole, noise, "
        "lead-off, gaps."
    )
    with pytest.raises(UsageError, match=r"no scenario 'xyz': choose one of normal, "):
        simulate("xyz")


@pytest.mark.parametrize("duration_s", [0, -5, 0.99, 3601, float("inf"), float("nan")])
def test_a_duration_out_of_range_is_refused(duration_s):
    with pytest.raises(UsageError, match="lasts from 1 to 3600 seconds, not"):
        simulate("normal", duration_s=duration_s)


@pytest.mark.parametrize(
    ("scenario", "rates"),
    [("bradycardia", (80, 40)), ("tachycardia", (80, 135)), ("extreme", (80, 30, 180))],
)
@every_seed
def test_the_heart_beats_as_fast_as_promised(scenario, rates, seed):
    at = simulate(scenario, seed=seed).record.annotations.samples
    found = 60 * RATE / np.diff(at)
    near = [np.abs(found / rate - 1) < 0.08 for rate in rates]
    assert np.any(near, axis=0).all()
    assert all(np.count_nonzero(one) >= 10 for one in near)
