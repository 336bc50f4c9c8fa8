from collections import deque

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from replay.simulator.scenarios import SCENARIOS
from replay.simulator.simulation import simulate

RATE = 360
KINDS = {
    "normal": [],
    "premature": ["abnormal"],
    "runs": ["abnormal"],
    "pauses": [],
    "bradycardia": ["low-rate"],
    "tachycardia": ["high-rate"],
    "extreme": ["extreme-low-rate", "extreme-high-rate"],
    "asystole": ["asystole"],
    "noise": ["noisy"],
    "lead-off": ["no-signal"],
    "gaps": ["no-signal"],
}

every_scenario = pytest.mark.parametrize("scenario", KINDS)
every_seed = pytest.mark.parametrize("seed", range(1, 6))


def seconds_rule(flags, need, of, clear):
    """Raise when ``need`` of the last ``of`` seconds are flagged, clear after ``clear`` not."""
    alarms, last, raised = [], deque(maxlen=of), False
    quiet = 0
    for second, flag in enumerate(flags, 1):
        last.append(flag)
        quiet = 0 if flag else quiet + 1
        if not raised and sum(last) >= need:
            alarms.append([second * RATE, None])
            raised = True
        elif raised and quiet >= clear:
            alarms[-1][1] = second * RATE
            raised = False
            last.clear()
    return alarms


def absent_samples(record):
    absent = record.samples == NO_VALUE
    for start, stop in record.missing:
        absent[start:stop] = True
    return absent


def ideal_no_signal(record):
    absent = absent_samples(record)
    seconds = [absent[at : at + RATE].mean() > 0.5 for at in range(0, len(absent) - RATE + 1, RATE)]
    return seconds_rule(seconds, 2, 2, 3)


def ideal_rate(record, *, low, limit):
    """Judge at the ends of seconds, all beats known at once."""
    absent, alarms, inside = absent_samples(record), [], 0
    beats = record.annotations.samples
    for now in range(RATE, len(absent) + 1, RATE):
        known = beats[: np.searchsorted(beats, now)][-9:]
        rr = np.diff(known)
        running = now - known[-1] if len(known) else 0
        if max([running, *rr]) > 4 * RATE or absent[max(0, now - 20 * RATE) : now].any():
            continue  # no scenario changes its rate there
        last = {
            n: np.array([max(rr[-n], running), *rr[len(rr) - n + 1 :]])
            for n in (3, 4, 8)
            if n <= len(rr)
        }
        bound = 60 * RATE / limit
        if low:
            begins = 3 in last and last[3].min() > bound
            ends = 4 in last and 60 * RATE / last[4].mean() >= limit + 3
        else:
            begins = 8 in last and last[8].mean() < bound
            ends = 8 in last and 60 * RATE / last[8].mean() <= limit - 3
        inside = inside + 1 if ends else 0
        active = bool(alarms) and alarms[-1][1] is None
        if begins and not active:
            alarms.append([now, None])
        elif active and inside >= 10:
            alarms[-1][1] = now
    return alarms


def ideal_asystole(record):
    """Count the present samples since the last beat, or since the signal came back."""
    alarms, since, again = [], 0, None
    beats = set(record.annotations.samples.tolist())
    for at, absent in enumerate(absent_samples(record)):
        since = 0 if absent or at in beats else since + 1
        if since == 4 * RATE:
            alarms.append([at, None])
            again = 0
        if at in beats and again is not None:
            again += 1
            if again == 2:
                alarms[-1][1] = at
                again = None
    return alarms


def abnormal_windows(record):
    windows = np.zeros(len(record.samples) // RATE, dtype=bool)
    for at, symbol in zip(record.annotations.samples, record.annotations.symbols, strict=True):
        if symbol != "N" and at // RATE < len(windows):
            windows[at // RATE] = True
    return windows


def noisy_seconds(record):
    blocks = record.samples[: len(record.samples) // RATE * RATE].reshape(-1, RATE) / record.gain
    return np.median(np.abs(np.diff(blocks, n=2, axis=1)), axis=1) > 0.5


def ideal_alarms(record, missed=()):
    """Alarms of a monitor without any delay; its classifier misses some abnormal windows."""
    abnormal = abnormal_windows(record)
    abnormal[list(missed)] = False
    return {
        "abnormal": seconds_rule(abnormal, 3, 10, 30),
        "noisy": seconds_rule(noisy_seconds(record), 5, 10, 10),
        "no-signal": ideal_no_signal(record),
        "asystole": ideal_asystole(record),
        "extreme-low-rate": ideal_rate(record, low=True, limit=35),
        "extreme-high-rate": ideal_rate(record, low=False, limit=150),
    }


def check(simulation, alarms, delay=0):
    """Hold a monitor's alarms against the expected ones."""
    n = len(simulation.record.samples)
    for kind, raised_and_cleared in alarms.items():
        alarmed = [[r + delay, c and c + delay] for r, c in raised_and_cleared if r + delay < n]
        maybe = [e for e in simulation.expected if e.kind == kind and not e.sure]
        due = [e for e in simulation.expected if e.kind == kind and e.sure]
        alarmed = [one for one in alarmed if not any(e.after <= one[0] <= e.before for e in maybe)]
        assert len(alarmed) <= len(due)
        for expected, (raised, cleared) in zip(due, alarmed, strict=False):
            assert expected.after <= raised <= expected.before
            if cleared is not None and cleared < n:
                assert expected.ended is not None
                assert expected.ended[0] <= cleared <= expected.ended[1]
            else:
                assert expected.ended is None or expected.ended[1] >= n
        assert all(expected.before >= n for expected in due[len(alarmed) :])


@every_scenario
@every_seed
def test_every_alarm_is_decided_within_the_script_and_narrowly(scenario, seed):
    simulation = simulate(scenario, seed=seed)
    sure = [expected for expected in simulation.expected if expected.sure]
    extreme = ["extreme-high-rate"] * (len(sure) - 1) if scenario == "runs" else []
    assert [expected.kind for expected in sure] == KINDS[scenario] + extreme
    for expected in sure:
        assert 0 < expected.after < expected.before <= expected.after + 15 * RATE
        first, last = expected.ended
        assert expected.after < first < last <= first + 15 * RATE
        assert last < len(simulation.record.samples)


@every_scenario
@every_seed
@pytest.mark.parametrize("delay_s", [0, 0.5, 2])
def test_a_monitor_that_keeps_the_rules_meets_what_is_expected(scenario, seed, delay_s):
    simulation = simulate(scenario, seed=seed)
    check(simulation, ideal_alarms(simulation.record), round(delay_s * RATE))


@pytest.mark.parametrize("scenario", ["premature", "runs"])
@every_seed
@pytest.mark.parametrize("missed", [slice(2), slice(-2, None)])
def test_a_classifier_may_miss_the_first_or_last_two_windows(scenario, seed, missed):
    simulation = simulate(scenario, seed=seed)
    abnormal = np.flatnonzero(abnormal_windows(simulation.record))
    check(simulation, ideal_alarms(simulation.record, abnormal[missed]))


@pytest.mark.parametrize("duration_s", [43, 44, 46, 48, 60])
def test_a_gap_counts_from_its_first_sample_even_if_the_stream_ends_in_it(duration_s):
    expected = simulate("gaps", duration_s=duration_s).expected
    assert [alarm.after for alarm in expected] == [44 * RATE] * (duration_s >= 44)


@every_seed
def test_one_beat_does_not_clear_asystole(seed):
    simulation = simulate("asystole", seed=seed)
    (expected,) = simulation.expected
    beats = simulation.record.annotations.samples
    first = beats[np.argmax(np.diff(beats)) + 1]
    assert first + 0.5 * RATE < expected.ended[0]


@settings(deadline=None, max_examples=60)
@given(
    scenario=st.sampled_from(list(KINDS)),
    seed=st.integers(0, 2**63),
    duration_s=st.integers(1, 600),
    delay=st.integers(0, 2 * RATE),
)
@example("gaps", 1, 45, 0)
@example("lead-off", 1, 22.5, 0)
@example("noise", 1, 30, 0)
@example("asystole", 1, 31, 0)
@example("asystole", 1, 43, 0)
@example("asystole", 1, 43.6, 0)
@example("premature", 1, 15.5, 0)
@example("premature", 1, 13, 0)
@example("tachycardia", 0, 383, 0)
def test_any_duration_gives_a_whole_simulation(scenario, seed, duration_s, delay):
    simulation = simulate(scenario, seed=seed, duration_s=duration_s)
    record = simulation.record
    n = len(record.samples)
    assert n == round(duration_s * RATE)
    assert len(record.annotations.samples) == len(record.annotations.symbols) > 0
    assert (np.diff([-1, *record.annotations.samples, n]) > 0).all()
    assert all(0 <= start < stop <= n for start, stop in record.missing)
    # The last second of a stream decides at its end, which is the index after its last sample.
    assert all(0 < expected.after <= n for expected in simulation.expected)
    check(simulation, ideal_alarms(record), delay)


@every_scenario
def test_a_long_simulation_repeats_its_alarms(scenario):
    twice = simulate(scenario, duration_s=2 * SCENARIOS[scenario].duration_s)
    kinds = [expected.kind for expected in twice.expected if expected.sure]
    assert [kind for kind in kinds if kind in KINDS[scenario]] == 2 * KINDS[scenario]
