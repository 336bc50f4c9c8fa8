"""Asystole, to the sample."""

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.qrs import CONFIRMED_AFTER, BeatDetector
from monitor.alarms.conditions.asystole import PAUSE
from monitor.alarms.conditions.condition_set import WearerConditions
from replay.simulator.simulation import simulate
from tests.support.alarm_seconds import (
    ABSENT,
    GAP,
    NOISY,
    NORMAL,
    STILL,
    Happening,
    by_kind,
    push,
)

ROW = np.zeros(1, dtype=np.intp)
OFF = AlarmLimits(low_rate=None, extreme_low_rate=None)


def beating(n, phase):
    return [Happening(beats=(phase,))] * n


def asystole(happenings, cuts=()):
    return by_kind(push(WearerConditions(OFF), happenings, cuts)).get("asystole", [])


def test_the_detector_confirms_every_beat_exactly_so_late():
    samples = np.random.default_rng(4).normal(0, 0.01, 10 * RATE)
    for at in range(200, len(samples), 250):
        samples += np.exp(-(((np.arange(len(samples)) - at) / 5.0) ** 2))
    detector, row, delays = BeatDetector(1), np.zeros(1, dtype=np.intp), []
    for at, sample in enumerate(samples):
        found = detector(row, np.array([[sample]]), np.array([at]))[0]
        delays += [at - beat for beat in found]
    assert len(delays) > 10
    assert set(delays) == {CONFIRMED_AFTER}


@pytest.mark.parametrize("step", [1, 90, 10**6])
def test_it_begins_four_seconds_after_the_last_beat_and_is_raised_within_five(step):
    for phase in range(0, RATE, 1 if step > 1 else 23):
        happenings = [*beating(3, phase), *[STILL] * 6]
        last = 2 * RATE + phase
        pushed = push(WearerConditions(OFF), happenings, range(step, 9 * RATE, step))
        assert by_kind(pushed) == {"asystole": [(True, last + PAUSE)]}
        assert pushed[0].known >= last + PAUSE + CONFIRMED_AFTER
        if step < 10**6:
            assert pushed[0].known < last + PAUSE + CONFIRMED_AFTER + step
            assert pushed[0].known - last <= 5 * RATE


def test_a_pause_just_short_of_it_is_none():
    for phase in range(RATE):
        happenings = [*beating(2, phase), *[STILL] * 3]
        before = [*happenings, *beating(2, phase - 1), STILL] if phase else []
        exactly = [*happenings, *beating(2, phase), STILL]
        at = RATE + phase + PAUSE
        for cuts in ((), range(1, 7 * RATE, 90)):
            assert asystole(before, cuts) == []
            assert asystole(exactly, cuts) == [(True, at), (False, at + RATE)]


def test_one_beat_does_not_end_it_and_two_do():
    one = [*beating(3, 50), *[STILL] * 6, NORMAL, *[STILL] * 9]
    assert asystole(one) == [(True, 2 * RATE + 50 + PAUSE)]
    assert asystole([*one, NORMAL, NORMAL])[1:] == [(False, 20 * RATE + 180)]


def test_two_escape_beats_five_seconds_apart_do_not_end_it():
    escape = [NORMAL, *[STILL] * 4]
    assert asystole([NORMAL, NORMAL, *[STILL] * 6, *escape * 6]) == [(True, RATE + 180 + PAUSE)]


@pytest.mark.parametrize("lost", [ABSENT, NOISY])
def test_it_needs_four_seconds_of_signal(lost):
    for silent in range(1, 3):
        happenings = [*[NORMAL] * 3, *[STILL] * silent, lost, *[STILL] * 5]
        assert asystole(happenings) == [(True, (3 + silent + 5) * RATE)]
        assert asystole(happenings[:-2]) == []


def test_a_beat_found_in_noise_does_not_shorten_them():
    noisy = Happening("noisy", None, (320,))  # confirmed in the next second
    assert asystole([*[NORMAL] * 3, noisy, *[STILL] * 5]) == [(True, 4 * RATE + PAUSE)]


@pytest.mark.parametrize("lost", [ABSENT, NOISY])
def test_losing_the_signal_ends_it(lost):
    happenings = [*[NORMAL] * 3, *[STILL] * 6, lost, *[STILL] * 5]
    assert asystole(happenings) == [
        (True, 2 * RATE + 180 + PAUSE),
        (False, 10 * RATE),
        (True, 14 * RATE),
    ]


def test_a_gap_is_no_asystole():
    long = [Happening("absent", None, (), 0, RATE)] * 60
    assert asystole([*[NORMAL] * 3, *long, *[NORMAL] * 5]) == []
    assert asystole([*[NORMAL] * 3, STILL, GAP, STILL, STILL, STILL, *[NORMAL] * 3]) == []
    # After it the four seconds are counted from its first sample.
    resumed = 4 * RATE + 200
    assert asystole([*[NORMAL] * 4, GAP, *[STILL] * 6]) == [(True, resumed + PAUSE)]


def test_a_gap_during_it_does_not_keep_it_active_for_ever():
    happenings = [*[NORMAL] * 500, *[STILL] * 8, GAP, *[NORMAL] * 3]
    began = 499 * RATE + 180 + PAUSE
    assert asystole(happenings) == [(True, began), (False, (500 + 8 + 1 + 1) * RATE + 180)]


def test_there_is_asystole_before_the_first_beat():
    assert asystole([STILL] * 5) == [(True, PAUSE)]


def of_signal(millivolts):
    """When asystole begins and ends in a signal."""
    chain, conditions = SignalChain(Geometry(0, 0, 120), 1), WearerConditions(OFF)
    pushed = [c for s in chain.push(ROW, millivolts[None]).seconds for c in conditions.second(s)]
    return [(c.holds, c.at) for c in pushed if c.kind == "asystole"]


@pytest.mark.parametrize("per_minute", [45, 60, 75, 110])
def test_a_heart_whose_beats_turn_small_ends_it_by_beating_on(per_minute):
    samples = np.random.default_rng(4).normal(0, 0.01, 120 * RATE)
    for at in range(200, len(samples), 60 * RATE // per_minute):
        height = 0.2 if at > 60 * RATE else 1.0
        samples += height * np.exp(-(((np.arange(len(samples)) - at) / 5.0) ** 2))
    (begins, at), (ends, until) = of_signal(samples)
    assert begins
    assert not ends
    assert 63 < at / RATE < 66
    assert until / RATE < 90


def test_it_is_seen_through_the_motion_of_electrodes(mitdb):
    name = mitdb.parent / "nstdb" / "em"
    if not name.with_suffix(".hea").is_file():
        pytest.skip("needs nstdb beside mitdb")
    noise = read(Found("em", "em", name)).millivolts()
    noise /= np.median(noise[: 300 * RATE].reshape(300, RATE).std(axis=1))
    for seed in range(8):
        simulation = simulate("asystole", seed=seed)
        clean = simulation.record.millivolts()
        # Peak to peak about 1.5 mV: 18 dB as nst counts it.
        piece = 1.5 / 8**0.5 / 10 ** (18 / 20) * noise[seed * 90 * RATE :][: len(clean)]
        due = [e for e in simulation.expected if e.kind == "asystole"]
        pushed = [at for holds, at in of_signal(clean + piece) if holds]
        assert len(due) == len(pushed)
        assert all(e.after <= at < e.before + RATE for e, at in zip(due, pushed, strict=True))
