"""Ventricular rhythms by the shape of the signal, against a plain reading of the rule."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.signal import Second
from monitor.alarms.conditions.base import Condition
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.conditions.rhythms import NamedRhythms
from monitor.alarms.conditions.waveform import VentricularWaveform

VF, VT = "ventricular-fibrillation", "ventricular-tachycardia"
SINUS, FAST, WILD = (0.01, 0.01), (0.97, 0.01), (0.02, 0.96)
SLOW = (0.8, 0.02)
pieces = st.tuples(
    st.sampled_from([SINUS, SINUS, FAST, WILD, SLOW, (0.4, 0.4), (0.3, 0.05), (0.0, 1.0), None]),
    st.sampled_from([1, 1, 2, 5, 22]),
)
verdicts = st.lists(pieces, max_size=20).map(lambda some: [v for v, n in some for _ in range(n)])


def plainly(given_verdicts):
    """Yield the rhythm after each second, from all seconds since the last that was not judged."""
    seen, before = [], None
    for one in given_verdicts:
        if one is None:
            seen, before = [], None
            continue
        seen.append([min(max(p, 0.018), 0.982) for p in (sum(one), *one)])
        odds = [log(p / (1 - p)) for p, _, _ in seen[-5:]]
        names = [log(vf / vt) for _, vt, vf in seen[-6:]]
        name, mean = sum(names) / len(names) + 0.5, sum(odds) / 5
        longer = [log(p / (1 - p)) for p, _, _ in seen[-20:]]
        sustained = len(longer) == 20 and min(sum(longer) / 20, mean) >= 1.5 - 1e-9
        goes_on = before and mean >= -1e-9
        if len(odds) < 5 or not (goes_on or mean >= 2.5 - 1e-9 or (not before and sustained)):
            before = None
        elif before is None or abs(name) > 0.5 + 1e-9:
            before = VF if name >= 0 else VT
        yield before


@given(verdicts)
def test_a_rhythm_begins_ends_and_has_a_name_by_the_rule(given_verdicts):
    waveform, found = VentricularWaveform(), []
    for one in given_verdicts:
        if one is None:
            waveform.interrupt()
        else:
            found.append(waveform.add(*one))
    assert found == list(plainly(given_verdicts))


def play(named, given_verdicts, first=1):
    """Return what changes, a verdict at the end of each second."""
    changes = []
    for number, one in enumerate(given_verdicts, first):
        end = number * 360
        changes += named.second(Second(0, end, "signal", ()))
        changes += named.rhythm(end, one and RhythmVerdict(end, *one))
    return changes


def of_shape(changes):
    return [one for one in changes if one.kind in (VF, VT)]


def test_fibrillation_is_announced_in_its_fifth_second_and_ends_ten_seconds_after_its_last():
    conditions = WearerConditions(AlarmLimits())
    changes = of_shape(play(conditions, [SINUS] * 5 + [WILD] * 20 + [SINUS] * 30))
    began, ended = changes
    assert began == Condition(VF, True, 10 * 360)
    assert ended.kind == VF
    assert not ended.holds
    assert 35 * 360 <= ended.at <= 39 * 360
    assert conditions.text(VF) == "ventricular fibrillation: by the shape of the signal"
    assert conditions.priority(VF) == "high"


def test_a_rhythm_that_is_less_sure_is_announced_after_twenty_seconds():
    changes = of_shape(play(WearerConditions(AlarmLimits()), [SINUS] * 5 + [SLOW] * 40))
    (began,) = changes
    assert began.kind == VT
    assert 20 * 360 < began.at <= 26 * 360
    assert of_shape(play(WearerConditions(AlarmLimits()), [SLOW] * 15 + [SINUS] * 9)) == []


def test_a_tachycardia_that_turns_into_fibrillation_is_announced_as_both():
    changes = of_shape(play(WearerConditions(AlarmLimits()), [FAST] * 20 + [WILD] * 20))
    assert [(one.kind, one.holds) for one in changes] == [(VT, True), (VF, True), (VT, False)]


@pytest.mark.parametrize("standing", ["asystole", "extreme-high-rate", "couplet", "noisy"])
def test_fibrillation_and_tachycardia_are_announced_whatever_else_stands(standing):
    for one, kind in ((WILD, VF), (FAST, VT)):
        conditions = WearerConditions(AlarmLimits(), {standing})
        assert Condition(kind, True, 5 * 360) in play(conditions, [one] * 8)


def test_what_a_wearer_s_limits_leave_out_is_not_announced():
    limits = AlarmLimits(rhythms=RhythmLimits(ventricular_tachycardia="off"))
    assert of_shape(play(WearerConditions(limits), [FAST] * 20)) == []


def test_noise_that_hides_the_signal_or_a_gap_interrupts_it():
    conditions = WearerConditions(AlarmLimits())
    assert of_shape(play(conditions, [WILD] * 4 + [None] + [WILD] * 4)) == []
    conditions.gap(9 * 360 + 17)
    assert of_shape(play(conditions, [WILD] * 4, 11)) == []
    assert of_shape(play(conditions, [WILD], 15)) == [Condition(VF, True, 15 * 360)]


def test_of_a_tachycardia_that_beats_and_shape_show_the_text_says_what_it_began_by():
    named = NamedRhythms(AlarmLimits())
    for number in range(8):
        named.beat(1000 + 150 * number, "V", 0.9, 150 if number else None)
    assert any(one.kind == VT and one.holds for one in named.elapsed(4000, (), None))
    for number in range(12, 18):
        named.rhythm(number * 360, RhythmVerdict(number * 360, *FAST))
    assert named.text(VT) == ("ventricular tachycardia: 5 or more beats at 100 or more a minute")
