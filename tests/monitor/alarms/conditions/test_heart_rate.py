"""The heart rate's limits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.signal import Second
from monitor.alarms.conditions.condition_set import WearerConditions
from tests.support.alarm_seconds import ABSENT, NOISY, Happening, push

CLEAR = 30
LATE_S = 7.0


def wearer(beats, seconds):
    """A wearer with beats at these indices."""
    return [
        Happening(beats=tuple(b - n * RATE for b in beats if b // RATE == n))
        for n in range(seconds)
    ]


def step(before, after, phase, n=20, then=40):
    """Beats at one rate per minute and from beat ``n`` on at another."""
    intervals = [60 * RATE / before] * n + [60 * RATE / after] * then
    at, beats = float(phase), [phase]
    for interval in intervals:
        at += interval
        beats.append(round(at))
    return beats, beats[n]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (80, 40, ["low-rate"]),
        (80, 130, ["high-rate"]),
        (60, 30, ["low-rate", "extreme-low-rate"]),
        (100, 180, ["high-rate", "extreme-high-rate"]),
    ],
)
def test_a_step_of_the_rate_is_alarmed_within_seven_seconds_at_every_phase(before, after, kinds):
    for phase in range(RATE):
        beats, turn = step(before, after, phase)
        happenings = wearer(beats, turn // RATE + 15)
        # The first beat that comes at the new rate, or that does not come at the old one.
        first = turn + 60 * RATE / max(before, after)
        begun = {
            pushed.condition.kind: (pushed.known - first) / RATE
            for pushed in push(WearerConditions(AlarmLimits()), happenings)
            if pushed.condition.holds
        }
        assert kinds[-1] in begun
        assert set(begun) <= set(kinds)
        assert all(0 <= late <= LATE_S for late in begun.values()), (phase, begun)


def test_a_slow_heart_is_noticed_before_its_next_beat():
    for phase in range(RATE):
        beats, turn = step(60, 40, phase, then=2)
        silent = [*beats, beats[-1] + 3 * RATE]
        pushed = push(WearerConditions(AlarmLimits()), wearer(silent, turn // RATE + 7))
        # Two intervals of 1.5 s and one of 1.2 s; it is sure 0.3 s later, and judged within 1 s.
        assert pushed[0].condition.kind == "low-rate"
        assert 4.2 < (pushed[0].known - turn) / RATE <= 5.5


def paused(pauses, phase, n=20):
    """Beats at 75/min, with pauses of these lengths in s in a row."""
    intervals = [288] * n + [round(s * RATE) for s in pauses] + [288] * n
    return [phase + sum(intervals[:i]) for i in range(len(intervals) + 1)]


@given(
    st.lists(st.floats(1.3, 3.9), min_size=1, max_size=2), st.integers(0, RATE - 1), st.booleans()
)
def test_one_or_two_pauses_are_no_slow_heart(pauses, phase, again):
    beats = paused(pauses, phase)
    if again:
        beats += [beats[-1] + beat for beat in paused(pauses, 0, n=1)[1:]]
    assert push(WearerConditions(AlarmLimits()), wearer(beats, beats[-1] // RATE)) == []


@given(st.lists(st.floats(1.3, 1.6), min_size=3, max_size=6), st.integers(0, RATE - 1))
def test_three_pauses_in_a_row_are(pauses, phase):
    beats = paused(pauses, phase)
    beats += [beats[-1] + 288 * n for n in range(1, 1 + CLEAR)]
    pushed = push(WearerConditions(AlarmLimits()), wearer(beats, beats[-1] // RATE))
    assert [t.condition.holds for t in pushed] == [True, False]
    assert {t.condition.kind for t in pushed} == {"low-rate"}


@pytest.mark.parametrize(("inside", "beyond"), [(60, 46), (100, 130)])
def test_a_rate_that_wanders_around_its_limit_is_one_alarm(inside, beyond):
    beats = [0]
    for _ in range(400):
        # Now 8 s of the one rate, now 8 s of the other.
        rate = beyond if beats[-1] // (8 * RATE) % 2 else inside
        beats.append(beats[-1] + 60 * RATE // rate)
    pushed = push(WearerConditions(AlarmLimits()), wearer(beats, beats[-1] // RATE))
    assert [t.condition.holds for t in pushed] == [True]


def test_four_short_intervals_are_no_fast_heart_and_eight_are():
    for short, kinds in ((4, set()), (8, {"high-rate"})):
        intervals = [*[280] * 20, *[160] * short, *[280] * 20]
        beats = [sum(intervals[:n]) for n in range(len(intervals))]
        pushed = push(WearerConditions(AlarmLimits()), wearer(beats, beats[-1] // RATE))
        assert {t.condition.kind for t in pushed} == kinds


def test_the_extreme_alarm_replaces_the_plain_one():
    beats, turn = step(60, 30, 100, then=10)
    at = beats[-1]
    while len(beats) < 80:
        at += RATE
        beats.append(at)
    pushed = [t.condition for t in push(WearerConditions(AlarmLimits()), wearer(beats, at // RATE))]
    assert [(c.kind, c.holds) for c in pushed] == [
        ("low-rate", True),
        ("extreme-low-rate", True),
        ("low-rate", False),
        ("extreme-low-rate", False),
    ]
    assert pushed[1].at == pushed[2].at > turn


def test_from_extreme_the_rate_may_fall_back_to_the_plain_limit():
    slow, at = [], 0
    for rate, n in ((80, 20), (30, 8), (43, 12), (80, 60)):
        for _ in range(n):
            at += round(60 * RATE / rate)
            slow.append(at)
    pushed = [t.condition for t in push(WearerConditions(AlarmLimits()), wearer(slow, at // RATE))]
    assert [(c.kind, c.holds) for c in pushed][-3:] == [
        ("low-rate", True),
        ("extreme-low-rate", False),
        ("low-rate", False),
    ]
    assert pushed[-2].at == pushed[-3].at


@given(st.lists(st.integers(181, 431), min_size=5, max_size=40), st.integers(0, RATE - 1))
def test_a_rhythm_with_every_interval_within_the_limits_raises_nothing(intervals, phase):
    beats = [phase]
    for interval in intervals:
        beats.append(beats[-1] + interval)
    assert push(WearerConditions(AlarmLimits()), wearer(beats, beats[-1] // RATE)) == []


@given(
    st.integers(15, 45) | st.integers(125, 290),
    st.integers(0, RATE - 1),
)
def test_a_steady_rate_beyond_a_limit_raises_one_alarm_that_stays(rate, phase):
    beats = [phase + round(n * 60 * RATE / rate) for n in range(40)]
    pushed = push(WearerConditions(AlarmLimits()), wearer(beats, min(beats[-1] // RATE, 40)))
    holds = {t.condition.kind for t in pushed if t.condition.holds} - {
        t.condition.kind for t in pushed if not t.condition.holds
    }
    side, extreme = ("low", rate < 35) if rate < 50 else ("high", rate > 150)
    if rate not in (15, 35, 150):  # at a limit rounding decides, and at 15/min each RR is 4 s
        assert holds == {f"extreme-{side}-rate" if extreme else f"{side}-rate"}


def test_it_clears_after_ten_seconds_well_inside_the_limit():
    slow, turn = step(40, 52, 0, n=20, then=40)  # inside, but not by 3/min
    pushed = push(WearerConditions(AlarmLimits()), wearer(slow, slow[-1] // RATE))
    assert [t.condition.holds for t in pushed] == [True]
    usual, turn = step(40, 54, 0, n=20, then=40)
    pushed = push(WearerConditions(AlarmLimits()), wearer(usual, usual[-1] // RATE))
    assert [t.condition.holds for t in pushed] == [True, False]
    assert pushed[1].condition.at >= turn + 10 * RATE


def test_a_gap_makes_no_interval_and_ends_no_alarm():
    conditions = WearerConditions(AlarmLimits())
    beats, _ = step(40, 40, 0)
    seconds = [[b for b in beats if b // RATE == n] for n in range(60)]
    pushed = []
    for n in range(10):
        pushed += conditions.second(Second(0, (n + 1) * RATE, "signal", tuple(seconds[n])))
    assert [(c.kind, c.holds) for c in pushed] == [("low-rate", True)]
    conditions.gap(50 * RATE)
    for n in range(50, 56):
        assert conditions.second(Second(0, (n + 1) * RATE, "signal", tuple(seconds[n]))) == []


def test_a_rate_from_before_a_gap_says_nothing_after_it():
    conditions = WearerConditions(AlarmLimits(), {"low-rate"})
    beats, _ = step(80, 80, 0)
    for n in range(6):  # the last three are well inside the limit
        inside = tuple(b for b in beats if b // RATE == n)
        assert conditions.second(Second(0, (n + 1) * RATE, "signal", inside)) == []
    conditions.gap(6 * RATE)
    for n in range(6, 10):
        assert conditions.second(Second(0, (n + 1) * RATE, "signal", ())) == []


def test_intervals_across_a_gap_are_none():
    beats, _ = step(80, 80, 0)
    happenings = [
        replace(happening, lost=355) if n % 10 in (8, 9) else happening
        for n, happening in enumerate(wearer(beats, 40))
    ]
    assert push(WearerConditions(AlarmLimits()), happenings) == []


def test_intervals_across_noise_are_none():
    # 80/min whose beats are not found in every other second: no 40/min.
    beats, _ = step(80, 80, 0)
    happenings = [
        happening if n % 2 else Happening("noisy", None, ())
        for n, happening in enumerate(wearer(beats, 40))
    ]
    pushed = push(WearerConditions(AlarmLimits()), happenings)
    assert {t.condition.kind for t in pushed} == {"noisy"}


def test_a_beat_found_in_noise_makes_no_interval():
    artefact = Happening("noisy", None, (350,))
    pushed = push(WearerConditions(AlarmLimits()), [artefact, Happening(beats=(100,))] * 20)
    assert {t.condition.kind for t in pushed} == {"noisy"}


def test_a_slow_heart_is_noticed_through_noise_now_and_then():
    beats, turn = step(80, 40, 0, n=40)
    happenings = [
        Happening("noisy", None, ()) if n % 5 == 0 else happening
        for n, happening in enumerate(wearer(beats, beats[-1] // RATE))
    ]
    pushed = push(WearerConditions(AlarmLimits()), happenings)
    assert [(t.condition.kind, t.condition.holds) for t in pushed] == [("low-rate", True)]
    assert pushed[0].known > turn


def test_noise_that_lasts_forgets_the_rate():
    slow = [Happening(beats=(0,)), Happening(beats=(180,)), Happening(beats=())]  # 40/min
    pushed = push(
        WearerConditions(AlarmLimits()),
        [*slow * 5, *[Happening("noisy", None, ())] * CLEAR, *slow * 5],
    )
    changes = [t.condition for t in pushed if t.condition.kind == "low-rate"]
    assert [c.holds for c in changes] == [True, False, True]
    assert changes[1].at == (15 + CLEAR) * RATE
    assert changes[2].at > (15 + CLEAR + 3 * 1.2) * RATE  # it takes three intervals again


def of_seconds(beats, weak=()):
    """Return the changes of conditions by a wearer's seconds of signal with some weak beats."""
    conditions, every = WearerConditions(AlarmLimits()), sorted([*beats, *weak])
    pushed = []
    for end in range(RATE, every[-1], RATE):
        inside = [tuple(b for b in one if end - RATE <= b < end) for one in (every, weak)]
        pushed += conditions.second(Second(0, end, "signal", *inside))
    return {(change.kind, change.holds) for change in pushed}


def test_weak_beats_do_not_cut_the_intervals_of_a_slow_heart():
    slow, _ = step(30, 30, 0)
    between = [beat + RATE for beat in slow]
    assert of_seconds(slow, between) == {("extreme-low-rate", True)}
    assert of_seconds(sorted(slow + between)) == set()


def test_weak_beats_make_no_fast_heart():
    fast, _ = step(140, 140, 0)
    assert of_seconds(fast) == {("high-rate", True)}
    assert of_seconds(fast[::2], fast[1::2]) == set()


@pytest.mark.parametrize("lost", [ABSENT, NOISY])
def test_a_second_without_signal_forgets_a_fast_heart_for_eight_intervals(lost):
    beats, _ = step(130, 130, 0, n=5)
    happenings = wearer(beats, 20)
    for second in (3, 6, 9, 12):  # five intervals fit between them
        happenings[second] = lost
    pushed = push(WearerConditions(AlarmLimits()), happenings)
    begun = [t.condition.at // RATE for t in pushed if t.condition.kind == "high-rate"]
    assert begun == [18]


def test_a_long_pause_is_asystole_and_no_extreme_rate():
    beats, turn = step(80, 80, 0)
    beats = [b if b <= turn else b + 6 * RATE for b in beats]
    pushed = push(WearerConditions(AlarmLimits()), wearer(beats, beats[-1] // RATE))
    assert [t.condition.holds for t in pushed] == [True, False]
    assert {t.condition.kind for t in pushed} == {"asystole"}


def test_limits_that_are_off_raise_nothing():
    off = AlarmLimits(low_rate=None, high_rate=None, extreme_low_rate=None, extreme_high_rate=None)
    for rate in (20, 200):
        beats, _ = step(80, rate, 0)
        assert push(WearerConditions(off), wearer(beats, 30)) == []
