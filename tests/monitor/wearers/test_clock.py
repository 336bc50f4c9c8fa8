"""A device's clock, estimated from the arrival times of its frames over simulated links."""

import numpy as np
import pytest

from monitor.wearers.clock import BUCKET_S, JUMP_S, KEPT, Clock

RATE = 250
START = 86_400.0
"""Monotonic time of a device's first sample."""


def radio(duration_s, ppm=0.0, burst_s=0.5, jitter_s=0.1, seed=0, begin_s=0.0):
    """Arrivals of bursts in order: (samples counted, when the last of them arrived)."""
    rng = np.random.default_rng(seed)
    ends = round((begin_s + burst_s) * RATE) + round(burst_s * RATE) * np.arange(
        duration_s / burst_s
    )
    sent = ends / (RATE * (1 + ppm * 1e-6))
    arrivals = np.maximum.accumulate(START + sent + rng.uniform(0, jitter_s, len(sent)))
    return list(zip(ends.astype(int).tolist(), arrivals.tolist(), strict=True))


def followed(arrivals, clock=None):
    clock = clock or Clock(RATE * 1000)
    for end, arrival in arrivals:
        clock.observe(end, arrival)
    return clock


@pytest.mark.parametrize("ppm", [-300, -100, 0, 20, 100, 500])
def test_the_drift_is_known_within_a_few_ppm_after_five_minutes(ppm):
    errors = [followed(radio(300, ppm, seed=n)).drift_ppm - ppm for n in range(20)]
    assert np.sqrt(np.mean(np.square(errors))) < 8
    later = [followed(radio(900, ppm, seed=n)).drift_ppm - ppm for n in range(5)]
    assert np.abs(later).max() < 5


def test_drift_is_measured_from_bursts_of_ten_seconds_too():
    assert followed(radio(1200, 100, burst_s=10)).drift_ppm == pytest.approx(100, abs=20)


def test_no_drift_is_named_before_a_minute_was_seen():
    clock = Clock(RATE * 1000)
    for end, arrival in radio(90, 100):
        clock.observe(end, arrival)
        if arrival < START + 60:
            assert clock.drift_ppm is None
    assert clock.drift_ppm is not None


def test_lag_is_how_late_the_newest_sample_is_against_the_fastest_delivery():
    clock = Clock(360_000)
    assert clock.lag(5.0) == 0.0
    clock.observe(360, 101.2)
    assert clock.lag(101.2) == 0.0
    clock.observe(720, 102.0)  # earlier by 0.2 s
    assert clock.lag(102.0) == 0.0
    clock.observe(1080, 104.5)
    assert clock.lag(104.5) == pytest.approx(1.5)
    assert clock.lag(106.0) == pytest.approx(3.0)
    clock.observe(720, 107.0)  # a repeat is no news
    assert clock.lag(107.0) == pytest.approx(4.0)


@pytest.mark.parametrize("ppm", [-100, 100])
def test_drift_does_not_add_up_to_lag(ppm):
    """In six hours 100 ppm come to 2.2 s."""
    clock, lags = Clock(RATE * 1000), []
    for end, arrival in radio(6 * 3600, ppm):
        clock.observe(end, arrival)
        lags.append(clock.lag(arrival))
    assert max(lags[600:]) < 0.13
    assert clock.lag(arrival + 60) == pytest.approx(60, abs=0.13)
    assert clock.drift_ppm == pytest.approx(ppm, abs=2)


def test_memory_is_bounded():
    clock = followed(radio(2 * KEPT * BUCKET_S))
    assert len(clock._earliest) == KEPT


@pytest.mark.parametrize("pause_s", [10, 120, 3600])
def test_a_pause_and_its_backlog_change_neither_drift_nor_lag_for_long(pause_s):
    clock = followed(radio(400, 50, seed=1))
    back = START + 400 + pause_s
    assert clock.lag(back) == pytest.approx(pause_s, abs=0.3)
    for part in range(1, 101):  # all that was not sent, within a second
        counted = (400 + pause_s * part / 100) * RATE * (1 + 50e-6)
        clock.observe(int(counted), back + part / 100)
    assert clock.lag(back + 1) == pytest.approx(1.0, abs=0.3)
    followed(radio(30, 50, begin_s=400 + pause_s + 1), clock)
    assert clock.lag(back + 31) < 0.3
    assert clock.drift_ppm == pytest.approx(50, abs=15)


def test_a_stream_that_begins_with_a_backlog_is_late_by_nothing_in_the_end():
    clock = Clock(RATE * 1000)
    for part in range(1, 101):
        clock.observe(600 * RATE * part // 100, START + part / 100)
    assert clock.lag(START + 1) == 0.0
    after = [(600 * RATE + end, arrival + 1) for end, arrival in radio(120)]
    assert followed(after, clock).lag(after[-1][1]) < 0.15
    assert abs(clock.drift_ppm) < 200


@pytest.mark.parametrize("speed", [1.5, 2, 10, 1000])
def test_a_fast_replay_has_no_drift_and_no_lag(speed):
    clock = Clock(RATE * 1000)
    for end, arrival in radio(300):
        clock.observe(int(end * speed), arrival)
        assert clock.lag(arrival) < 0.2
        assert clock.drift_ppm is None


def test_a_link_that_is_too_slow_is_lag_and_not_drift():
    clock = Clock(RATE * 1000)
    for end, arrival in radio(300):
        clock.observe(int(end * 0.9), arrival)
        assert clock.drift_ppm is None
    assert clock.lag(arrival) == pytest.approx(30, abs=0.5)


def test_the_device_may_count_from_anywhere_and_jump():
    clock = followed([(2**61 + end, arrival) for end, arrival in radio(300, 100)])
    assert clock.drift_ppm == pytest.approx(100, abs=20)
    clock.observe(2**62, START + 301)
    assert clock.drift_ppm is None
    assert clock.lag(START + 303.5) == pytest.approx(2.5)


def test_a_step_of_a_device_clock_is_reported_with_its_size():
    clock, second = Clock(RATE * 1000), 1_000_000_000
    noon = 1_790_000_000 * second
    clock.observe_device(0, noon)
    clock.observe_device(10 * RATE, noon + 10 * second + second // 2)  # a clock that drifts badly
    clock.observe_device(5 * RATE, noon + 5 * second)  # overtaken on its way
    clock.observe_device(20 * RATE, 0)  # has lost its clock
    assert clock.jumped_s == 0
    clock.observe_device(30 * RATE, noon + 30 * second - 7200 * second)
    assert clock.jumped_s == pytest.approx(-7200)
    clock.jumped_s = 0.0
    clock.observe_device(31 * RATE, noon + 31 * second - 7200 * second)
    assert clock.jumped_s == 0
    clock.observe_device(2**62, noon)
    assert clock.jumped_s == pytest.approx(-(2**62) / RATE, rel=1e-6)
    assert JUMP_S == 1
