"""The windows against a reference that is computed from the complete signal at once."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import signal

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal import Geometry, SignalChain, process_record
from ecgmon.signal.qrs import CONFIRMED_AFTER
from ecgmon.signal.quality import ABSENT, NAMES, NOISY, SIGNAL
from replay.simulator.simulation import simulate

SERVED = Geometry(3, 0.5, 120)
ROW = np.zeros(1, dtype=np.intp)


def band_passed(samples):
    """The study's band-pass, 0.4-30 Hz, as if the signal had always had its first value."""
    sos = signal.butter(4, (0.4, 30), btype="bandpass", fs=360, output="sos")
    return signal.sosfilt(sos, samples, zi=signal.sosfilt_zi(sos) * samples[0])[0]


def expected_inputs(samples, geometry):
    """Contexts of a signal whose every second is usable, at a whole fraction of 360 Hz."""
    filtered = band_passed(samples).astype(np.float32)
    history, late = round(geometry.history_s * 360), round(geometry.look_ahead_s * 360)
    padded = np.concatenate([np.zeros(history, dtype=np.float32), filtered])
    seconds = filtered[: len(samples) // 360 * 360].reshape(-1, 360)
    amplitude = seconds.max(axis=1) - seconds.min(axis=1)
    seconds = -(-(history + 360 + late) // 360)
    units = np.float32([usual(amplitude, last) for last in range(-seconds, len(amplitude))])
    inputs = []
    for k in range((len(samples) - late) // 360):
        context = padded[360 * k : 360 * k + history + 360 + late]
        # Of each sample of the context, the last whole second that was known when it was complete.
        known = np.full(len(context), k)
        if geometry.unit == "second":
            known -= np.arange(len(context))[::-1] // 360
        inputs.append((context / units[known + seconds])[:: 360 // geometry.rate])
    return np.array(inputs)


def usual(amplitude, last):
    """The median amplitude of a minute of seconds, 1 mV before there is one."""
    minute = amplitude[max(0, last - 59) : last + 1].astype(np.float64)
    return np.float32(np.median(minute)) if last >= 0 else 1.0


@pytest.mark.parametrize(
    "geometry",
    [
        SERVED,
        Geometry(0, 0, 360),
        Geometry(5, 0.25, 180),
        Geometry(1, 0.1, 120),
        Geometry(3, 0.5, 120, "second"),
        Geometry(0, 0, 360, "second"),
    ],
    ids=str,
)
def test_inputs_are_the_band_passed_context_over_the_median_amplitude_of_the_last_minute(
    ecg, geometry
):
    windows = process_record(ecg, geometry)
    assert len(ecg) > 100 * RATE
    assert windows.inputs.shape == (len(windows), geometry.inputs)
    np.testing.assert_allclose(windows.inputs, expected_inputs(ecg, geometry), rtol=1e-5, atol=1e-6)


def test_inputs_of_a_real_record_are_as_expected_too(real):
    np.testing.assert_allclose(
        process_record(real, SERVED).inputs, expected_inputs(real, SERVED), rtol=1e-5, atol=1e-6
    )


@given(
    first=st.sampled_from([0, 1, 180, 359, 360, 361, 2**40 + 5]) | st.integers(0, 5000),
    n=st.sampled_from([359, 360, 539, 540, 541, 719, 720]) | st.integers(1, 3000),
    geometry=st.sampled_from([SERVED, Geometry(0, 0, 120), Geometry(1, 0.25, 128)]),
)
@example(0, 539, SERVED)
@example(0, 540, SERVED)
@example(1, 899, SERVED)
@example(1, 898, SERVED)
def test_a_window_comes_as_soon_as_its_look_ahead_does_and_only_if_it_is_complete(
    ecg, first, n, geometry
):
    chain = SignalChain(geometry, 1)
    chain.reset(0, first)
    windows = chain.push(ROW, ecg[None, :n]).windows
    starts = range(-(-first // WINDOW) * WINDOW, first + n, WINDOW)
    expected = [at for at in starts if at + WINDOW + geometry.look_ahead <= first + n]
    assert windows.first.tolist() == expected
    assert chain.next[0] == first + n


@pytest.mark.thorough
@given(at=st.integers(1500, 6000), seed=st.integers(0, 2**32 - 1))
def test_what_comes_later_changes_no_window(ecg, at, seed):
    changed = ecg[:8000].copy()
    changed[at:] = np.random.default_rng(seed).normal(0, 3, 8000 - at)
    early = process_record(ecg[:at], SERVED)
    assert len(early) >= 3
    complete = process_record(changed, SERVED)
    for name in ("first", "inputs", "scale", "state", "heart_rate", "last_beat", "beats"):
        n = len(early)
        assert np.array_equal(
            getattr(complete, name)[:n], getattr(early, name), equal_nan=name == "heart_rate"
        ), name


def test_samples_without_a_value_repeat_the_last_value(ecg):
    gappy, held = ecg[:7200].copy(), ecg[:7200].copy()
    for start, stop in [(1000, 1100), (2000, 2001), (3600, 3720)]:
        gappy[start:stop] = np.nan
        held[start:stop] = ecg[start - 1]
    assert np.array_equal(process_record(gappy, SERVED).inputs, process_record(held, SERVED).inputs)


def test_infinite_samples_count_as_not_measured(streams, ecg):
    infinite, missing = ecg[:5000].copy(), ecg[:5000].copy()
    infinite[2000:2500] = np.inf
    infinite[2100] = -np.inf
    missing[2000:2500] = np.nan
    streams.assert_same(streams.in_one_call(infinite, SERVED), streams.in_one_call(missing, SERVED))


def test_each_window_carries_the_state_of_its_own_second(ecg):
    samples = ecg[: 20 * RATE].copy()
    samples[5 * RATE : 7 * RATE] = np.nan
    samples[11 * RATE : 13 * RATE] += np.random.default_rng(1).normal(0, 3, 2 * RATE)
    states = process_record(samples, SERVED).state
    assert states[5:7].tolist() == [ABSENT, ABSENT]
    assert states[11:13].tolist() == [NOISY, NOISY]
    clean = np.r_[states[:5], states[8:11], states[15:]]
    assert (clean == SIGNAL).all()


def test_seconds_that_are_not_usable_do_not_move_the_scale(ecg):
    samples = ecg[: 30 * RATE].copy()
    rng = np.random.default_rng(1)
    samples[10 * RATE : 20 * RATE] += rng.normal(0, 3, 10 * RATE)
    windows = process_record(samples, SERVED)
    noisy = windows.state == NOISY
    assert noisy.sum() >= 9
    assert len(set(windows.scale[10:20][noisy[10:20]].tolist())) == 1
    assert windows.scale[-1] < 2 * windows.scale[9]


def test_before_any_usable_second_the_scale_is_one_millivolt():
    flat = process_record(np.zeros(5 * RATE), SERVED)
    assert flat.scale.tolist() == [1.0] * 4
    assert flat.state.tolist() == [SIGNAL, SIGNAL, ABSENT, ABSENT]  # still, until it is lost
    assert not flat.inputs.any()


def test_no_window_holds_anything_but_numbers_whatever_comes(ecg):
    rng = np.random.default_rng(9)
    for samples in (np.full(3600, np.nan), rng.normal(0, 1e6, 3600), np.full(3600, 32767e3)):
        windows = process_record(np.concatenate([ecg[:3600], samples, ecg[:3600]]), SERVED)
        assert np.isfinite(windows.inputs).all()
        assert (windows.scale >= 0.1).all()


def test_recent_is_the_band_passed_signal_up_to_now(ecg):
    chain = SignalChain(SERVED, 1)
    chain.push(ROW, ecg[None, :4321])
    filtered = band_passed(ecg[:4321]).astype(np.float32)
    np.testing.assert_allclose(chain.recent(0, 100), filtered[-100:], atol=1e-6)
    assert len(chain.recent(0, 10**9)) == SERVED.context + WINDOW


def test_pushing_no_samples_gives_no_windows():
    pushed = SignalChain(SERVED, 2).push(np.arange(2), np.zeros((2, 0)))
    assert len(pushed.windows) == len(pushed.seconds) == len(pushed.rhythms) == 0
    assert pushed.windows.inputs.shape == (0, SERVED.inputs)


def test_an_electrode_that_comes_back_at_another_offset_does_not_ring():
    ecg = simulate("normal", seed=4).record.millivolts()
    off = np.full(2 * RATE + 77, np.nan)
    stream = np.concatenate([ecg[: 10 * RATE], off, ecg[10 * RATE : 30 * RATE] + 50.0])
    windows = process_record(stream, Geometry(3, 0.5, 120))
    back = windows.first >= 13 * RATE
    assert (windows.state[back] == SIGNAL).all()
    assert windows.scale[back].max() < 1.2 * windows.scale[windows.first < 9 * RATE].max()
    expected = len(ecg[13 * RATE : 30 * RATE]) / RATE / 0.83
    assert windows.beats[-1] - windows.beats[9] > 0.8 * expected


@given(
    first=st.sampled_from([0, 1, 359, 360, 2**40 + 5]) | st.integers(0, 5000),
    n=st.sampled_from([359, 360, 361, 719, 720]) | st.integers(1, 3000),
    geometry=st.sampled_from([SERVED, Geometry(0, 0, 120), Geometry(1, 0.25, 128)]),
)
def test_a_second_is_returned_with_its_last_sample_and_only_if_it_is_complete(
    ecg, first, n, geometry
):
    chain = SignalChain(geometry, 1)
    chain.reset(0, first)
    seconds = chain.push(ROW, ecg[None, :n]).seconds
    starts = range(-(-first // WINDOW) * WINDOW, first + n, WINDOW)
    expected = [at + WINDOW for at in starts if at + WINDOW <= first + n]
    assert [second.end for second in seconds] == expected
    assert {second.row for second in seconds} <= {0}


def test_a_second_holds_the_beats_confirmed_in_it_and_its_state_is_that_of_its_window(ecg):
    samples = ecg[: 40 * RATE].copy()
    samples[20 * RATE : 22 * RATE] = np.nan
    pushed = SignalChain(SERVED, 1).push(ROW, samples[None])
    windows, seconds = pushed.windows, pushed.seconds
    assert [NAMES[state] for state in windows.state] == [s.state for s in seconds][:-1]
    assert "absent" in {second.state for second in seconds}
    reported = [(second.end, beat) for second in seconds for beat in second.beats]
    assert all(end - WINDOW <= beat + CONFIRMED_AFTER < end for end, beat in reported)
    assert [beat for _, beat in reported] == sorted({beat for _, beat in reported})
    counts = [sum(end <= second.end for end, _ in reported) for second in seconds]
    assert counts[-1] > 35
    # By the end of a window half a second more has passed.
    assert all(0 <= n - before <= 2 for n, before in zip(windows.beats, counts, strict=False))


def test_a_confirmed_beat_is_pending_until_its_second_is_complete(ecg):
    chain, known, reported = SignalChain(SERVED, 1), {}, []
    chain.reset(0, 720)
    for at, sample in enumerate(ecg[: 10 * RATE], start=720):
        pushed = chain.push(ROW, np.full((1, 1), sample))
        strong = [beat for second in pushed.seconds for beat in second.strong]
        reported += strong
        for beat in (*strong, *chain.confirmed(0)):
            known.setdefault(beat, at)
    assert len(known) > 8
    assert {at - beat for beat, at in known.items()} == {CONFIRMED_AFTER}
    assert reported == list(known)
    assert chain.confirmed(0) == ()


@pytest.mark.thorough
def test_weak_beats_are_among_the_beats_of_a_second_but_not_of_the_running_one(ecg):
    chain, reported, running = SignalChain(SERVED, 1), [], set()
    for sample in np.r_[ecg[: 20 * RATE], 0.2 * ecg[20 * RATE : 28 * RATE]]:
        reported += chain.push(ROW, np.full((1, 1), sample)).seconds
        running.update(chain.confirmed(0))
    assert all(set(second.weak) <= set(second.beats) for second in reported)
    assert sum(len(second.weak) for second in reported) > 5
    assert all(beat > 20 * RATE for second in reported for beat in second.weak)
    assert running == {beat for second in reported for beat in second.strong}


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 800)), max_size=6),
    st.floats(0.001, 1000, allow_nan=False),
)
def test_no_network_is_ever_given_a_missing_sample(gaps, size):
    """A pooling layer would make a number of one, and its network be sure of it."""
    record = simulate("premature", seed=2, duration_s=8).record
    samples = size * record.millivolts()
    for first, n in gaps:
        samples[first : first + n] = np.nan
    assert np.isfinite(process_record(samples, SERVED).inputs).all()
