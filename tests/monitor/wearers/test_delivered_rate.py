"""Whether a device delivers the rate that it declared: simulated arrivals, by the second."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.wearers.delivered_rate import FASTEST, LIMIT, DeliveredRate

START = 86_400.0
"""Monotonic time of a device's first sample."""


def arrivals(hz, duration_s, burst_s=0.5, jitter_s=0.1, seed=0, holes=()):
    """Frames of a link that makes samples late in every way and none of them early.

    Returns (samples counted, when the last of them arrived). What is measured in a hole, a
    (from, to) in seconds, comes at its end, all at once.
    """
    rng = np.random.default_rng(seed)
    frames, free = [], 0.0
    for number in range(1, int(duration_s / burst_s) + 1):
        at = number * burst_s + rng.uniform(0, jitter_s)
        at = max([free, at, *(stop for start, stop in holes if start <= at < stop)])
        parts = max(1, round(burst_s / 0.2))
        for part in range(1, parts + 1):
            counted = (number - 1 + part / parts) * burst_s * hz
            free = at + 0.001 * part
            frames.append((int(counted), START + free))
    return frames


def judged(frames, declared):
    """Return what is found after each frame: (seconds since the start, wrong, Hz)."""
    delivered, found = DeliveredRate(declared * 1000), []
    for end, arrival in frames:
        delivered.observe(end, arrival)
        found.append((arrival - START, delivered.wrong, delivered.hz))
    return found


def raised_at(found):
    return next((at for at, wrong, _ in found if wrong), None)


@pytest.mark.parametrize(
    ("declared", "hz"),
    [(360, 500), (250, 256), (250, 500), (250, 1000), (256, 250), (500, 250), (500, 360)],
)
@given(burst_s=st.sampled_from([0.1, 0.5, 1.0, 5.0]), seed=st.integers(0, 2**32 - 1))
def test_another_rate_than_declared_is_found_within_a_minute(declared, hz, burst_s, seed):
    found = judged(arrivals(hz, 90, burst_s=burst_s, seed=seed), declared)
    assert 25 <= raised_at(found) <= (60 if burst_s <= 1 else 75)
    assert found[-1][1]
    assert found[-1][2] == pytest.approx(hz, rel=0.005)


@given(
    ppm=st.integers(-5000, 5000),
    burst_s=st.sampled_from([0.1, 0.5, 1.0, 5.0, 10.0]),
    jitter_s=st.floats(0, 0.5),
    holes=st.lists(st.tuples(st.floats(0, 290), st.floats(0.1, 60)), max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_clock_that_drifts_behind_any_link_is_no_wrong_rate(ppm, burst_s, jitter_s, holes, seed):
    hz = 250 * (1 + ppm * 1e-6)
    holes = [(start, start + length) for start, length in holes]
    frames = arrivals(hz, 300, burst_s, jitter_s, seed, holes)
    assert raised_at(judged(frames, 250)) is None


@given(
    outage_s=st.floats(5, 600),
    speed=st.floats(1.1, 30),
    before_s=st.integers(0, 200),
    hz=st.sampled_from([249.5, 250, 250.5]),
)
def test_a_device_that_catches_up_is_not_fast(outage_s, speed, before_s, hz):
    """A backlog from an outage is sent at a steady speed; a stream may begin with it."""
    if before_s < 60:
        outage_s = min(outage_s, 15 * (speed - 1))  # else nobody could know
    back, now, at = before_s + outage_s, 0.0, float(before_s)
    frames = arrivals(hz, before_s)
    while now < back + 300:
        now = back + (at - before_s) / speed if at < now + 0.2 else max(now, at)
        at += 0.2
        frames.append((int(at * hz), START + max(now, at)))
    assert raised_at(judged(frames, 250)) is None


@given(lost=st.lists(st.booleans(), min_size=40, max_size=40), hz=st.sampled_from([250, 350]))
def test_samples_that_are_lost_and_counted_change_nothing(lost, hz):
    frames = arrivals(hz, 120, burst_s=0.2, jitter_s=0.05)
    delivered = [frame for number, frame in enumerate(frames) if not lost[number // 15 % len(lost)]]
    assert (raised_at(judged([*delivered, *frames[-60:]], 250)) is not None) <= (hz == 350)


def test_a_device_that_counts_on_from_another_time_is_not_fast():
    for jump_s in (0.5, 3, 15, 30, 2**50):
        jump = int(jump_s * 250)
        frames = [(end + jump * (at > START + 100), at) for end, at in arrivals(250, 200)]
        assert raised_at(judged(frames, 250)) is None


def test_a_rate_that_is_set_right_is_right_again():
    wrong, right = arrivals(256, 100), arrivals(250, 400)
    frames = [*wrong, *((end + 25_600, at + 100) for end, at in right)]
    found = judged(frames, 250)
    assert raised_at(found) < 60
    assert found[-1][1] is False


@pytest.mark.parametrize("speed", [FASTEST * 1.1, 8, 1000])
def test_a_recording_at_many_times_its_speed_is_no_device(speed):
    assert raised_at(judged(arrivals(250 * speed, 120), 250)) is None


def test_the_limit_is_two_percent():
    assert LIMIT == 0.02
    assert raised_at(judged(arrivals(250 * 1.018, 600, jitter_s=0.02), 250)) is None
    assert raised_at(judged(arrivals(250 * 1.022, 600, jitter_s=0.02), 250)) < 60


def test_memory_is_bounded():
    delivered = DeliveredRate(250_000)
    for end, arrival in arrivals(250, 3600):
        delivered.observe(end, arrival)
    assert len(delivered._points) <= 25
