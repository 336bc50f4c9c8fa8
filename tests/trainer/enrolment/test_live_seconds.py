"""Usable seconds, and how often the others are reported."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from trainer.enrolment.live_seconds import AGAIN_S, APART_S, REMARKS, SILENT_S, LiveSeconds

states = st.lists(st.sampled_from([s for s in REMARKS if s != "silent"]), max_size=120)


@given(states)
def test_seconds_are_counted_and_the_good_ones_lie_between_start_and_stop(course):
    counted = LiveSeconds(now=100.0)
    for number, state in enumerate(course):
        counted.add(360 * (number + 7), state, now=100.0)
    good = [number + 7 for number, state in enumerate(course) if state == "signal"]
    assert counted.usable == len(good)
    assert (counted.start, counted.stop) == (
        (360 * good[0], 360 * good[-1] + 360) if good else (0, 0)
    )
    assert counted.elapsed(now=100.0) == len(course)
    assert counted.elapsed(now=300.0) == 200.0
    assert f"{len(good)} of {len(course)} seconds were usable" in counted.summary()
    for state in {*course} - {"signal"}:
        assert f"{course.count(state)} {state}" in counted.summary()


@given(states)
def test_problems_are_reported_at_once_and_never_every_second(course):
    counted, reported = LiveSeconds(now=0.0), []
    for second, state in enumerate(course, start=1):
        line = counted.add(360 * second, state, now=0.0)
        assert line in (None, REMARKS[state])
        if line:
            reported.append((second, state))
    wrong = [second for second, state in enumerate(course, start=1) if state != "signal"]
    assert [second for second, _ in reported[:1]] == wrong[:1]
    for (before, old), (after, new) in itertools.pairwise(reported):
        assert after - before >= (AGAIN_S if old == new else APART_S)
        assert (old, new) != ("signal", "signal")


def test_a_persistent_problem_is_reported_again_now_and_then():
    counted = LiveSeconds(now=0.0)
    lines = [counted.add(360 * n, "noisy", now=0.0) for n in range(61)]
    assert [n for n, line in enumerate(lines) if line] == [0, AGAIN_S, 2 * AGAIN_S, 3 * AGAIN_S]
    assert counted.add(0, "signal", now=0.0) is None  # too soon after
    lines = [counted.add(0, "signal", now=0.0) for _ in range(60)]
    assert [line for line in lines if line] == [REMARKS["signal"]]


def test_silence_is_reported_too():
    counted = LiveSeconds(now=0.0)
    counted.add(0, "signal", now=1.0)
    assert counted.idle(now=SILENT_S) is None
    assert counted.idle(now=SILENT_S + 1) == REMARKS["silent"]
    assert counted.state == "silent"
    assert counted.idle(now=SILENT_S + 2) is None
    assert counted.add(360, "signal", now=SILENT_S + 10) == REMARKS["signal"]


def test_bad_seconds_count_against_the_span_from_the_first_good_one_on():
    counted = LiveSeconds(0.0)
    for second, state in enumerate(("absent", "absent", "signal", "noisy", "signal", "absent")):
        counted.add(360 * second, state, float(second))
    assert (counted.usable, counted.since) == (2, 4)
