"""The conditions against a plain reading of their rules, however the stream is cut."""

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits, Hysteresis
from ecgmon.core.constants import RATE
from ecgmon.signal import Second
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.kinds import OF_SIGNAL
from tests.support.alarm_seconds import (
    ABNORMAL,
    ABSENT,
    GAP,
    NOISY,
    NORMAL,
    STILL,
    Happening,
    by_kind,
    push,
    stretches,
)

CLEAR = 30
hysteresis = st.integers(1, 12).flatmap(
    lambda n: st.builds(Hysteresis, st.integers(1, n), st.just(n), st.integers(1, 40))
)
limits = st.just(AlarmLimits()) | st.builds(AlarmLimits, hysteresis, hysteresis, hysteresis)


def cuts_of(happenings):
    return st.lists(st.integers(1, max(1, len(happenings) * RATE)), max_size=40)


def k_of_n(flags, rule):
    """Begin where k of the last n hold, none from before it last ended."""
    changes, since, holds = [], 0, False
    for second in range(len(flags)):
        if not holds:
            if sum(flags[max(since, second - rule.n + 1) : second + 1]) >= rule.k:
                changes.append((True, (second + 1) * RATE))
                holds = True
        elif second + 1 >= rule.clear and not any(flags[second + 1 - rule.clear : second + 1]):
            changes.append((False, (second + 1) * RATE))
            holds, since = False, second + 1
    return changes


@settings(max_examples=100)
@given(stretches, limits)
@example([ABNORMAL] * 3 + [NORMAL] * 40 + [ABNORMAL] * 3, AlarmLimits())
@example([ABNORMAL, NORMAL] * 3, AlarmLimits(abnormal=Hysteresis(3, 10, 1)))
def test_seconds_add_up_to_conditions_by_the_rules(happenings, rule):
    happenings = [replace(happening, lost=0) for happening in happenings]
    found = by_kind(push(WearerConditions(rule), [*happenings, NORMAL]))  # the last is never judged
    states = [*(h.state for h in happenings), "signal"]
    assert found.get("no-signal", []) == k_of_n([s == "absent" for s in states], rule.no_signal)
    assert found.get("noisy", []) == k_of_n([s == "noisy" for s in states], rule.noisy)
    verdicts = [h.abnormal is True for h in happenings]
    assert found.get("abnormal", []) == k_of_n(verdicts, rule.abnormal)


@settings(max_examples=60)
@given(st.data(), stretches)
@example(None, [*[NORMAL] * 5, *[STILL] * 6, NORMAL, *[STILL] * 6, ABSENT, *[STILL] * 6])
@example(None, [*[NORMAL] * 9, *[STILL] * 6, GAP, *[NORMAL] * 6])
def test_each_kind_is_the_same_however_the_stream_is_cut(data, happenings):
    once = by_kind(push(WearerConditions(AlarmLimits()), happenings))
    cuts = data.draw(cuts_of(happenings)) if data else ()
    for cut in (cuts, range(1, len(happenings) * RATE, 7)):
        assert by_kind(push(WearerConditions(AlarmLimits()), happenings, cut)) == once


@settings(max_examples=60)
@given(st.data(), stretches)
@example(None, [*[NORMAL] * 5, *[STILL] * 6, NORMAL, *[STILL] * 6, GAP, *[STILL] * 6])
def test_nothing_is_told_later_if_they_are_asked_only_when_due(data, happenings):
    cuts = data.draw(cuts_of(happenings)) if data else range(1, len(happenings) * RATE, 7)
    told = push(WearerConditions(AlarmLimits()), happenings, cuts)
    assert push(WearerConditions(AlarmLimits()), happenings, cuts, when_due=True) == told


@settings(max_examples=60)
@given(stretches, stretches, limits)
def test_the_past_decides_alone(happenings, more, rule):
    once = push(WearerConditions(rule), happenings)
    assert push(WearerConditions(rule), happenings + more)[: len(once)] == once


NOISE_ENDS_AS_A_RATE_TURNS = [
    *[Happening(beats=(0, 1, 2))] * 3,
    *[NOISY] * 5,
    *[ABSENT] * 3,
    *[NORMAL] * 3,
    *[Happening(beats=(0, 1))] * 4,
]


@settings(max_examples=60)
@given(stretches, stretches, limits)
@example([], NOISE_ENDS_AS_A_RATE_TURNS, AlarmLimits())
def test_a_condition_begins_and_ends_in_turn_and_outlives_its_stream(happenings, more, rule):
    held = set()
    turned = {"low": -1, "high": -1}
    for stream in (happenings, more):
        for pushed in push(WearerConditions(rule, held), stream):
            assert pushed.condition.holds == (pushed.condition.kind not in held), pushed
            assert pushed.condition.kind in OF_SIGNAL
            held ^= {pushed.condition.kind}
            for side in turned:
                # At the sample where one turns into the other both may hold: never none.
                rates = {f"{side}-rate", f"extreme-{side}-rate"}
                if pushed.condition.kind in rates:
                    turned[side] = pushed.condition.at
                assert not rates <= held or pushed.condition.at == turned[side]


def test_a_lead_off_is_reported_within_three_seconds():
    for off in range(RATE):
        # The chain calls a second absent if one of its halves is flat.
        first = ABSENT if off <= RATE // 2 else Happening()
        happenings = [*[NORMAL] * 3, first, *[ABSENT] * 4]
        pushed = next(
            t for t in push(WearerConditions(AlarmLimits()), happenings) if t.condition.holds
        )
        assert pushed.condition.kind == "no-signal"
        assert pushed.known - (3 * RATE + off) <= 3 * RATE


def test_what_held_before_the_stream_ends_in_it_by_the_same_rules():
    held = {"asystole", "extreme-low-rate", "abnormal", "no-signal", "noisy"}
    steady = [Happening(beats=(0, 180))] * 60
    pushed = push(WearerConditions(AlarmLimits(), held), steady)
    ends = {t.condition.kind: t.condition.at // RATE for t in pushed if not t.condition.holds}
    assert ends == {
        "asystole": 0,
        "no-signal": 3,
        "noisy": 10,
        "extreme-low-rate": 12,  # five beats, and then ten seconds
        "abnormal": 30,
    }
    assert len(pushed) == len(ends)
    assert by_kind(pushed)["asystole"] == [(False, 180)]  # at the second beat


def test_what_is_switched_off_while_it_holds_ends():
    off = AlarmLimits(low_rate=None, extreme_low_rate=None)
    slow = [Happening(beats=(0,) if n % 2 else ()) for n in range(20)]
    pushed = push(WearerConditions(off, {"extreme-low-rate"}), slow)
    assert by_kind(pushed) == {"extreme-low-rate": [(False, 10 * RATE)]}


def test_what_turns_into_something_worse_never_seems_over_meanwhile():
    conditions = WearerConditions(
        AlarmLimits(noisy=Hysteresis(1, 1, 1), no_signal=Hysteresis(1, 1, 1))
    )
    conditions.second(Second(0, RATE, "noisy", ()))
    changes = conditions.second(Second(0, 2 * RATE, "absent", ()))
    assert [(c.kind, c.holds) for c in changes] == [("no-signal", True), ("noisy", False)]


def test_a_condition_never_flaps_when_it_ends_faster_than_it_begins():
    rule = AlarmLimits(abnormal=Hysteresis(3, 60, 2))
    pushed = push(WearerConditions(rule), [*[ABNORMAL] * 3, *[NORMAL] * 57])
    assert by_kind(pushed) == {"abnormal": [(True, 3 * RATE), (False, 5 * RATE)]}


def test_noise_hides_a_rate_alarm_only_if_it_lasts():
    slow = [Happening(beats=(0,)), Happening(beats=(180,)), Happening(beats=())]  # 40/min
    for seconds, count in ((CLEAR - 1, 1), (CLEAR, 3)):
        kinds = {"low-rate": count, "noisy": 1}
        pushed = push(WearerConditions(AlarmLimits()), [*slow * 5, *[NOISY] * seconds, *slow * 3])
        assert {kind: len(changes) for kind, changes in by_kind(pushed).items()} == kinds
