"""The second lead is judged while it is clearly the better one, and that is told."""

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import GENERIC_BEATS, built_in
from ecgmon.wire import messages
from tests.support.rig import GENERIC, assert_same
from tests.support.two_leads import (
    FIRST,
    GAIN,
    HEART,
    SECOND,
    SECONDS,
    STOPS,
    alarms,
    frame,
    judged_leads,
    open_stream,
    play,
    registry,
    spoilt,
    windows,
)

X = HEART.samples
OTHER = -X // 2
"""The same heart as another lead sees it."""


def played(first, second, **how):
    at = registry()
    return play(at, open_stream(at), first, second, **how)


@pytest.mark.parametrize(("how", "within_s"), [("noise", 4), ("off", 3), ("faded", 4)])
def test_the_other_lead_is_judged_while_the_first_cannot_be(how, within_s):
    published = played(spoilt(X, how, 30, 60), OTHER)
    leads = judged_leads(published)
    changed, back = leads.index(SECOND), len(leads) - leads[::-1].index(SECOND)
    assert 30 <= changed <= 30 + within_s
    assert 60 < back <= 60 + 40  # half a minute in which the first is good again
    assert set(leads[changed:back]) == {SECOND}
    assert set(leads[:changed] + leads[back:]) == {FIRST}
    assert alarms(published) == [("second-lead", "raised"), ("second-lead", "cleared")]
    told = [one.text for one in published if isinstance(one, messages.Event)]
    assert told == [
        "lead V1 is judged in place of II: it is the better one",
        "lead II is judged in place of V1: it is the better one",
    ]
    ordered = [window.first for window in windows(published)]
    assert ordered == [i * RATE for i in range(len(ordered))]
    assert len(ordered) >= SECONDS - 1
    rates = [window.heart_rate for window in windows(published)[changed + 5 : back]]
    assert all(rate is not None for rate in rates)


@pytest.mark.parametrize("how", ["noise", "off", "faded"])
def test_without_a_second_lead_that_is_an_alarm_or_unknown(how):
    at = registry()
    published = play(at, open_stream(at, [FIRST]), spoilt(X, how, 30, 60), OTHER)
    assert set(judged_leads(published)) == {FIRST}
    assert alarms(published)[0][0] in {"noisy", "no-signal", "asystole", "flat-line"}


def test_a_heart_that_stands_still_in_both_leads_is_told_as_soon_as_in_one():
    alone = registry()
    one = play(alone, open_stream(alone, [FIRST]), STOPS.samples, STOPS.samples)
    both = played(STOPS.samples, -STOPS.samples)
    assert alarms(both, "asystole") == alarms(one, "asystole") != []
    assert set(judged_leads(both)) == {FIRST}
    at = [a.at for a in both if isinstance(a, messages.Alarm) and a.kind == "asystole"]
    assert at[0] == next(
        a.at for a in one if isinstance(a, messages.Alarm) and a.kind == "asystole"
    )


def test_a_heart_that_stands_still_while_the_second_is_judged_is_told():
    x = np.concatenate([X[: 40 * RATE], STOPS.samples])
    first, other = spoilt(x, "off", 20, len(x) // RATE), -x
    published = played(first, other)
    raised = [a for a in published if isinstance(a, messages.Alarm) and a.kind == "asystole"]
    alone = registry()
    expected = play(alone, open_stream(alone, [FIRST]), other, other)
    told = [a for a in expected if isinstance(a, messages.Alarm) and a.kind == "asystole"]
    assert raised[0].at == told[0].at


@pytest.mark.thorough
@given(
    sizes=st.lists(st.integers(1, 800), min_size=1, max_size=6),
    late=st.integers(0, RATE - 1),
    how=st.sampled_from(["noise", "off", "faded"]),
)
@settings(max_examples=10)
def test_how_the_leads_were_cut_and_who_came_first_makes_no_difference(sizes, late, how):
    first, second = spoilt(X, how, 20, 35)[: 80 * RATE], OTHER[: 80 * RATE]
    one = played(first, second, sizes=(360,))
    other = played(first, second, sizes=sizes, late=late)
    assert_same(map(told, windows(other)), map(told, windows(one)))
    timeless = [replace_time(a) for a in one if isinstance(a, messages.Alarm)]
    assert [replace_time(a) for a in other if isinstance(a, messages.Alarm)] == timeless


def told(window):
    return msgspec.structs.asdict(window)


def replace_time(alarm):
    return (alarm.kind, alarm.state, alarm.at, alarm.text)


def test_a_second_lead_that_comes_no_more_is_left_and_nothing_is_lost():
    first = spoilt(X, "noise", 20, 100)
    published = played(first, OTHER, stops=60 * RATE + 17)
    leads = judged_leads(published)
    assert leads.index(SECOND) < 35
    assert SECOND not in leads[61:]
    ordered = [window.first for window in windows(published)]
    assert ordered == [i * RATE for i in range(len(ordered))]
    assert len(ordered) >= SECONDS - 1
    assert not [one for one in published if isinstance(one, messages.Gap)]
    assert alarms(published, "second-lead")[-1] == ("second-lead", "cleared")


def test_a_gap_of_the_second_lead_is_none_of_the_record():
    at = registry()
    stream = open_stream(at)
    first = spoilt(X, "off", 20, 100)
    published = play(at, stream, first[: 50 * RATE], OTHER)
    other = at.hear(stream, SECOND)
    other.lose(52 * RATE)
    published += play(at, stream, first, OTHER, start=50 * RATE)
    assert not [one for one in published if isinstance(one, messages.Gap)]
    ordered = [window.first for window in windows(published)]
    assert ordered == sorted(set(ordered))


@pytest.mark.thorough
@given(
    lost=st.tuples(*[st.sets(st.integers(0, 260), max_size=25)] * 2),
    burst=st.tuples(st.integers(0, 1), st.integers(20, 200), st.integers(1, 40)),
    how=st.sampled_from(["noise", "off", "faded"]),
)
@example(lost=(set(), set()), burst=(0, 100, 30), how="faded")
@settings(max_examples=15)
def test_whatever_is_lost_of_both_leads_each_second_is_told_once(lost, burst, how):
    lead, start, n = burst
    lost[lead].update(range(start, start + n))
    at = registry()
    stream = open_stream(at)
    first = spoilt(X, how, 20, 40)[: 70 * RATE]
    published = play(at, stream, first, OTHER[: 70 * RATE], lost=lost)
    assert sum(len(part) for segment in stream.pending for part in segment.parts) <= RATE
    published += at.close(stream)
    told = [window.first for window in windows(published)]
    assert told == [i * RATE for i in range(len(told))]
    assert len(told) >= (stream.end if stream.end % RATE else stream.end - 1) // RATE
    assert not stream.pending


def test_a_configured_lead_is_the_only_one():
    at = registry(lead=lambda _: FIRST)
    published = play(at, open_stream(at), spoilt(X, "off", 30, 60), OTHER)
    assert set(judged_leads(published)) == {FIRST}


def test_only_the_first_other_lead_that_was_named_is_heard():
    at = registry()
    stream = open_stream(at, [FIRST, SECOND, "V5"])
    assert at.hear(stream, "V5") is None
    assert at.hear(stream, "aVR") is None
    second = at.hear(stream, SECOND)
    assert second is at.hear(stream, SECOND)
    assert second.row != stream.row


def test_a_model_of_a_wearer_is_not_asked_of_a_lead_that_it_does_not_know():
    model = Model.load(GENERIC)
    model.card = msgspec.structs.replace(model.card, wearer="203")
    at = registry()
    stream = open_stream(at)
    at._wearers.stream("203").model = model
    published = play(at, stream, spoilt(X, "off", 30, 60), OTHER)
    of_second = [window for window in windows(published) if window.lead]
    assert {window.reason for window in of_second[5:]} == {"lead"}
    assert {window.abnormal for window in of_second} == {None}
    assert windows(published)[-1].reason is None


def test_it_goes_on_elsewhere_bit_by_bit():
    first = spoilt(X, "noise", 15, 90)
    for moved_s in (10.4, 40.0, 70.3):
        at = round(moved_s * RATE)
        whole = registry()
        expected = play(whole, open_stream(whole), first, OTHER)
        here, there = registry(), registry()
        stream = open_stream(here)
        published = play(here, stream, first[:at], OTHER[:at])
        there.load(here.save("203"))
        published += play(there, there.streams[0], first, OTHER, start=at)
        assert windows(published) == windows(expected)
        assert alarms(published) == alarms(expected)


@pytest.mark.parametrize("judged", [FIRST, SECOND])
def test_what_is_remembered_of_the_lead_that_is_not_judged_is_bounded(judged):
    """Spikes and gaps are those of the seconds that are not reported, in either lead."""
    at = registry()
    stream = open_stream(at)
    first = spoilt(X, "off", 10, SECONDS) if judged == SECOND else X
    spiked = [lead.copy() for lead in (first, OTHER)]
    for lead in spiked:
        lead[50::180] += round(3 * HEART.gain)
    lost = set(range(200, 450, 9))
    play(at, stream, *spiked, lost=(lost, lost))
    second = at.hear(stream, SECOND)
    for lead in (stream, second):
        assert len(lead.converted.spikes) <= 12
        assert len(lead.gaps) <= 4


def test_its_memory_is_bounded_if_only_it_comes():
    at = registry()
    stream = open_stream(at)
    for first in range(0, 1_000_000, 10_000):
        second = at.hear(stream, SECOND)
        second.accept(frame(first, np.zeros(10_000, dtype=np.int16), SECOND), 0.0)
        at.advance(lambda _: False)
    assert sum(len(part) for segment in second.pending for part in segment.parts) < 200_000


def test_a_spike_that_may_begin_where_a_quarter_ends_holds_nothing_up():
    """All that has come of the judged lead waits for what follows: there is nothing to process."""
    at = registry()
    stream = open_stream(at)
    counts = np.zeros(90, dtype=np.int16)
    counts[88:] = round(3 * GAIN)
    for start, stop in ((0, 88), (88, 90)):
        stream.accept(frame(start, counts[start:stop], FIRST), 0.0)
        at.hear(stream, SECOND).accept(frame(start, counts[start:stop], SECOND), 0.0)
        assert not at.behind
        at.advance(lambda _: False)


@pytest.mark.parametrize("how", ["noise", "faded"])
def test_beats_are_judged_on_whichever_lead_is(how):
    at = registry(resolve_beats=lambda _: built_in()[GENERIC_BEATS])
    published = play(at, open_stream(at), spoilt(X, how, 30, 60), OTHER, sizes=(36,))
    assert set(judged_leads(published)) == {FIRST, SECOND}
    beats = [m.at for m in published if isinstance(m, messages.Beat)]
    assert beats == sorted(beats)
    assert {at // RATE // 10 for at in beats} >= {0, 1, 4, 5, 8, 9, 10}
