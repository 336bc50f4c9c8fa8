import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain, process_record
from ecgmon.signal.qrs import CONFIRMED_AFTER, BeatDetector
from ecgmon.signal.row_beats import REFRACTORY
from replay.simulator.simulation import simulate

ROW = np.zeros(1, dtype=np.intp)
MATCH = round(0.15 * RATE)
SECONDS = Geometry(0, 0, 120)


def detect(samples, chunk=RATE):
    detector, found = BeatDetector(1), []
    for at in range(0, len(samples), chunk):
        found += detector(ROW, samples[None, at : at + chunk], np.array([at]))[0]
    return np.array(found)


def rhythm(beats, n, height=1.0):
    """Narrow QRS-like bumps with a little noise, so that the lead is seen to be on."""
    samples = np.random.default_rng(4).normal(0, 0.01, n)
    for at, tall in zip(beats, np.broadcast_to(height, len(beats)), strict=True):
        samples += tall * np.exp(-(((np.arange(n) - at) / 5.0) ** 2))
    return samples


@pytest.mark.parametrize("scenario", ["normal", "premature", "runs", "pauses", "asystole"])
@pytest.mark.parametrize("seed", range(1, 6))
def test_every_beat_of_a_simulated_wearer_is_found_within_150_ms_and_nothing_else(scenario, seed):
    record = simulate(scenario, seed=seed).record
    # A beat near the end is still waiting to be confirmed.
    truth = record.annotations.samples
    truth = truth[truth < len(record.samples) - MATCH - REFRACTORY]
    found = detect(record.millivolts())
    assert len(truth) > 50
    assert (np.abs(truth[:, None] - found).min(axis=1) <= MATCH).all()
    assert (np.abs(record.annotations.samples[:, None] - found).min(axis=0) <= MATCH).all()
    assert (np.diff(found) > 0).all()


def test_a_beat_is_reported_297_ms_after_it_happened():
    assert round(1000 * CONFIRMED_AFTER / RATE) == 297
    record = simulate("premature", seed=2).record
    detector, samples = BeatDetector(1), record.millivolts()
    for at in range(0, len(samples), 18):
        for beat in detector(ROW, samples[None, at : at + 18], np.array([at]))[0]:
            assert at <= beat + CONFIRMED_AFTER < at + 18


def test_a_rhythm_that_turns_small_costs_two_beats_at_most():
    beats = np.arange(200, 30 * RATE, 300)
    heights = np.where(np.arange(len(beats)) < 15, 2.0, 0.6)
    found = detect(rhythm(beats, 30 * RATE, heights))
    missed = np.abs(beats[:-1, None] - found).min(axis=1) > MATCH
    assert missed.sum() <= 2
    assert not missed[:15].any()


def test_a_t_wave_as_tall_as_the_r_wave_is_no_beat():
    beats = np.arange(200, 30 * RATE, 300)
    t_waves = sum(np.exp(-(((np.arange(30 * RATE) - at - 110) / 30.0) ** 2)) for at in beats)
    found = detect(rhythm(beats, 30 * RATE) + t_waves)
    assert len(found) == len(beats) - 1
    assert (np.abs(beats[:-1] - found) <= MATCH).all()


def test_wherever_a_stream_begins_t_waves_are_no_beats():
    record = simulate("normal", seed=2).record
    samples, truth = record.millivolts(), record.annotations.samples
    for start in range(0, 10 * RATE, 17):
        found = start + detect(samples[start : start + 8 * RATE])
        false = np.abs(truth[:, None] - found).min(axis=0) > MATCH
        assert not false[found > start + 2 * RATE].any(), start


def test_there_is_no_beat_in_a_flat_line_drift_or_the_amplifiers_noise():
    t = np.arange(30 * RATE) / RATE
    for samples in (
        np.full(len(t), 3.0),
        3 * np.cos(2 * np.pi * 0.3 * t),
        np.random.default_rng(1).normal(0, 0.005, len(t)),
    ):
        assert len(detect(samples)) == 0


def test_an_asystole_on_a_drifting_baseline_has_no_beats():
    t = np.arange(60 * RATE) / RATE
    beats = np.arange(200, 20 * RATE, 300)
    found = detect(rhythm(beats, len(t)) + 3 * np.cos(2 * np.pi * 0.3 * t))
    assert len(found) == len(beats)
    assert found[-1] < 20 * RATE


def test_no_two_beats_are_within_the_refractory_period_even_in_noise():
    for scale in (0.1, 1, 10):
        found = detect(np.random.default_rng(3).normal(0, scale, 60 * RATE))
        assert len(found) > 10
        assert np.diff(found).min() > REFRACTORY // 2
        assert len(found) < 60 * RATE / REFRACTORY


def weak(samples):
    """The beats confirmed while there was signal, and which of them are weak."""
    seconds = SignalChain(SECONDS, 1).push(ROW, samples[None]).seconds
    beats = [beat for second in seconds for beat in second.beats]
    return np.array(beats), np.isin(beats, [beat for s in seconds for beat in s.weak])


@pytest.mark.parametrize("scenario", ["normal", "premature", "runs", "pauses", "extreme"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_no_beat_of_a_simulated_wearer_is_weak(scenario, seed):
    beats, are_weak = weak(simulate(scenario, seed=seed).record.millivolts())
    assert len(beats) > 50
    assert not are_weak.any()


@pytest.mark.parametrize("per_minute", [40, 59, 75, 100, 140, 200])
def test_beats_that_turn_small_for_good_are_weak_for_15_to_30_seconds(per_minute):
    at = np.arange(200, 120 * RATE, 60 * RATE / per_minute)
    turn = 60 * RATE
    beats, are_weak = weak(rhythm(at, 120 * RATE, np.where(at < turn, 1.0, 0.2)))
    assert len(beats) >= len(at) - 8
    assert not are_weak[beats < turn].any()
    ends = beats[are_weak].max()
    assert are_weak[(beats > turn) & (beats <= ends)].all()
    assert 14 < (ends - turn) / RATE < 30


def test_after_artefacts_far_taller_than_the_beats_these_are_not_weak():
    at = np.arange(200, 120 * RATE, 290)
    samples, spell = rhythm(at, 120 * RATE), np.arange(60 * RATE, 80 * RATE)
    samples[spell] += np.random.default_rng(1).normal(0, 2.0, len(spell))
    beats, are_weak = weak(samples)
    assert np.sum(beats > 81 * RATE) > 40
    assert not are_weak[beats > 81 * RATE].any()


def test_a_tall_beat_now_and_then_does_not_keep_the_others_weak():
    at = np.arange(200, 120 * RATE, 290)
    for every in (3, 4, 5):
        tall = (at < 60 * RATE) | (np.arange(len(at)) % every == 0)
        beats, are_weak = weak(rhythm(at, 120 * RATE, np.where(tall, 1.0, 0.3)))
        assert len(beats) >= len(at) - 4
        assert not are_weak[beats > 100 * RATE].any()


def heart_rates(samples):
    windows = process_record(samples, SECONDS)
    return windows.first + RATE, windows.heart_rate, windows.last_beat


@pytest.mark.parametrize("per_minute", [35, 60, 75, 120, 180, 210, 240])
def test_the_heart_rate_of_a_regular_rhythm_is_its_rate(per_minute):
    beats = np.arange(100, 40 * RATE, 60 * RATE / per_minute)
    _, rates, _ = heart_rates(rhythm(beats, 40 * RATE))
    assert np.isnan(rates[0])
    np.testing.assert_allclose(rates[10:], per_minute, rtol=0.01)


@pytest.mark.parametrize(("noise_mv", "rmssd_ms"), [(0.01, 0.5), (0.03, 5.0)])
def test_beats_like_a_clock_have_no_variability(noise_mv, rmssd_ms):
    n = 120 * RATE
    samples = np.random.default_rng(1).normal(0, noise_mv, n)
    for beat in np.arange(RATE, n - RATE, 300):
        for mv, at, width in ((0.12, -65, 9), (1, 0, 4), (-0.2, 11, 3.6), (0.3, 101, 18)):
            samples += mv * np.exp(-(((np.arange(n) - beat - at) / width) ** 2) / 2)
    intervals = np.diff(detect(samples)[5:-5]) / RATE * 1000
    assert len(intervals) > 120
    assert np.sqrt(np.mean(np.diff(intervals) ** 2)) < rmssd_ms


def test_the_heart_rate_is_not_known_before_the_third_beat_nor_after_four_silent_seconds():
    beats = np.arange(RATE, 20 * RATE, RATE)
    silence = rhythm(np.r_[beats, beats[-1] + 14 * RATE + RATE * np.arange(10)], 44 * RATE)
    ends, rates, last = heart_rates(silence)
    assert np.isnan(rates[:3]).all()
    np.testing.assert_allclose(rates[5:20], 60, rtol=0.01)
    silent = ends - last > 4 * RATE
    assert silent.sum() >= 9
    assert np.isnan(rates[silent]).all()
    # The silence itself is no RR interval: afterwards the rate is the new rhythm's or unknown.
    after = rates[34:]
    assert np.isnan(after[0])
    np.testing.assert_allclose(after[~np.isnan(after)], 60, rtol=0.01)
    assert not np.isnan(after[-1])


@pytest.mark.parametrize("gap_s", [1.0, 1.7, 2.5, 3.5, 30])
def test_no_rr_interval_reaches_across_a_gap(ecg, gap_s):
    chain, gap = SignalChain(SECONDS, 1), round(gap_s * RATE)
    before = rhythm(np.arange(100, 15 * RATE, 300), 15 * RATE)
    chain.push(ROW, before[None])
    first = len(before) + gap
    chain.reset(0, first)
    windows = chain.push(ROW, before[None]).windows
    assert (windows.last_beat >= first).all()
    assert np.isnan(windows.heart_rate[0])
    known = ~np.isnan(windows.heart_rate)
    assert known[4:].all()
    np.testing.assert_allclose(windows.heart_rate[known], 72, rtol=0.01)
    assert windows.beats[-1] == pytest.approx(15 * RATE / 300, abs=1)


@pytest.mark.parametrize("at_s", [4.0, 15.02, 29.9])
def test_ten_missing_samples_hide_no_beat_elsewhere(at_s):
    samples = rhythm(np.arange(100, 40 * RATE, 300), 40 * RATE)
    whole = process_record(samples, SECONDS).beats[-1]
    gap = round(at_s * RATE)
    samples[gap : gap + 10] = np.nan
    assert whole > 45
    assert process_record(samples, SECONDS).beats[-1] >= whole - 1


@pytest.mark.parametrize("off_s", [2.0, 2.5, 3.5, 10])
def test_no_rr_interval_reaches_across_a_second_without_signal(off_s):
    samples = rhythm(np.arange(100, 40 * RATE, 300), 40 * RATE)
    samples[15 * RATE : 15 * RATE + round(off_s * RATE)] = np.nan
    _, rates, _ = heart_rates(samples)
    known = rates[~np.isnan(rates)]
    np.testing.assert_allclose(known, 72, rtol=0.03)
    assert np.isnan(rates[15 + int(off_s) - 1])
    assert not np.isnan(rates[-1])
