"""Limits of one connection: bursts, rates, streams, and the memory used for it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import RefusedError
from monitor.network.rate_limits import IDLE_S, RateLimit, RateLimiter

RATES = RateLimit(
    messages=2, message_burst=5, samples=100, sample_burst=400, streams=2, connections=3
)
steps = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.floats(0, 5) | st.sampled_from([0.0, 30.0, IDLE_S + 1]),
        st.integers(0, 500) | st.just(0),
        st.integers(1, 8),
    ),
    max_size=20,
).map(lambda runs: [(who, wait * (i == 0), n) for who, wait, n, k in runs for i in range(k)])
"""Requests (sender, seconds since the last one, samples); some come at once."""


@given(steps)
def test_nobody_gets_more_than_a_burst_and_the_rate_in_any_stretch_of_time(requests):
    limits = RateLimiter(RateLimit(2, 5, 100, 400, 2, 5))  # nobody is pushed out
    accepted = {}
    now = 0.0
    for who, wait, samples in requests:
        now += wait
        if limits.take(who, now, samples) == 0:
            accepted.setdefault(who, []).append((now, samples))
    for messages in accepted.values():
        for i, (start, _) in enumerate(messages):
            for j in range(i, len(messages)):
                long = messages[j][0] - start
                assert j - i + 1 <= 5 + 2 * long + 1e-3
                assert sum(n for _, n in messages[i : j + 1]) <= 400 + 100 * long + 1e-3


@given(steps)
def test_a_device_that_waits_as_asked_is_served_and_a_refusal_costs_nothing(requests):
    limits = RateLimiter(RATES)
    now = 0.0
    for who, wait, samples in requests:
        now += wait
        wait_s = limits.take(who, now, samples)
        if samples > 400:
            assert wait_s == math.inf
        elif wait_s > 0:
            assert limits.take(who, now + wait_s / 2, samples) > 0
            now += wait_s
            assert limits.take(who, now, samples) == 0


def test_one_connection_s_flood_is_not_another_s():
    limits = RateLimiter(RATES)
    wait_s = [limits.take("flood", 0.0, 10) for _ in range(100)]
    assert wait_s.count(0.0) == 5
    assert limits.take("other", 0.0, 400) == 0


@pytest.mark.parametrize(
    "rates", [RATES, RateLimit(), RateLimit(9, 9, 1, 1_000), RateLimit(1, 1_000, 9, 9)]
)
def test_silence_gains_nobody_a_second_burst(rates):
    limits = RateLimiter(rates)
    now = IDLE_S + 1
    burst = int(rates.message_burst), int(rates.sample_burst)
    assert limits.take("a", 0.0, burst[1]) == 0
    assert not any(limits.take("a", 0.0) for _ in range(burst[0] - 1))
    limits.take("b", now)  # whoever can be forgotten is, now
    refilled = now * rates.messages >= burst[0], now * rates.samples >= burst[1]
    assert (limits.take("a", now, burst[1]) == 0) == refilled[1]
    assert (not any(limits.take("a", now) for _ in range(burst[0] - 1))) == refilled[0]


@given(steps)
def test_only_so_many_connections_are_known_and_none_long_silent(requests):
    limits = RateLimiter(RATES)
    last_used = {}
    now = 0.0
    for who, wait, samples in requests:
        now += wait
        limits.take(who, now, samples)
        last_used[who] = now
        recent = [time for time in last_used.values() if now - time <= IDLE_S]
        assert len(limits) == min(3, len(recent))


def test_only_so_many_streams_are_open_and_a_closed_one_makes_room():
    limits = RateLimiter(RATES)
    assert [limits.open("a", stream, 0.0) for stream in (1, 2, 3, 1)] == [True, True, False, True]
    assert limits.open("b", 3, 0.0)
    limits.close("a", 1)
    limits.close("nobody", 1)
    assert limits.open("a", 3, 0.0)
    assert not limits.open("a", 1, 0.0)


def test_what_is_left_out_costs_as_much_as_if_it_came_up_to_half_a_burst():
    limits = RateLimiter(RATES)
    for _ in range(2):
        limits.charge_missing("a", 0.0, 10**9)
    with pytest.raises(RefusedError) as refused:
        limits.charge_missing("a", 0.0, 150)
    assert refused.value.retry_s == 2
    limits.charge_missing("a", 0.0, 0)
    limits.charge_missing("a", 2.0, 150)
