"""The table of named rhythms against a plain reading of its rules, on any beats."""

from dataclasses import fields
from typing import get_args

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.rhythm_limits import Level, RhythmLimits
from monitor.alarms.conditions.base import SETTLED
from monitor.alarms.conditions.rhythms import NamedRhythms
from tests.support import rhythm_oracle
from tests.support.named_beats import LATENCY, NamedBeat, by_kind, push

MOTIFS = ("N", "N" * 10, "V", "VV", "VVV", "VVVVV", "NVNVNV", "NNVNNVNNV", "SSS", "FV", "Q", "S")
INTERVALS = (100, 135, 140, 179, 180, 200, 216, 217, 300, 360, 525, 900, 1439, 1440, 2000)
levels = {
    field.name: st.sampled_from(get_args(Level))
    for field in fields(RhythmLimits)
    if isinstance(field.default, str)
}
numbers = {
    "ventricular_tachycardia_beats": st.integers(3, 7),
    "ventricular_tachycardia_rate": st.sampled_from([60.0, 100.0, 150.0]),
    "supraventricular_run_beats": st.integers(3, 5),
    "ectopics_minute_beats": st.integers(1, 6),
    "ectopics_hour_beats": st.integers(1, 12),
}
limits = st.just(RhythmLimits()) | st.builds(RhythmLimits, **levels, **numbers)
motifs = st.tuples(
    st.sampled_from(MOTIFS),
    st.sampled_from(INTERVALS[:10]),  # within the motif
    st.sampled_from(INTERVALS),  # before it
    st.sampled_from(["beat"] * 12 + ["withdrawn", "noise", "gap", "unknown"]),
)
sequences = st.lists(motifs, min_size=1, max_size=16)


def stream(sequence):
    """Return the beats, the ends of noisy seconds and of gaps, and the events for the oracle."""
    given_beats, noisy, gaps, events, at = [], [], [], [], 1000
    for letters, rr, before, what in sequence:
        if what == "noise":
            end = (at // 360 + 2) * 360
            noisy.append(end)
            events += [(end - 360, None, None), (end, None, None)]
            at = end
        elif what == "gap":
            at += 50
            gaps.append(at)
            events.append((at, None, None))
        for place, letter in enumerate(letters):
            interval = rr if place else before
            at += interval
            unknown = what == "unknown" and not place
            one = NamedBeat(
                at, letter, None if unknown else interval, what == "withdrawn" and not place
            )
            given_beats.append(one)
            events.append((at, None, None) if one.withdrawn else one[:3])
    return given_beats, noisy, gaps, events


@settings(max_examples=100)
@given(
    sequences,
    limits,
    st.lists(st.integers(0, LATENCY), min_size=1, max_size=5),
    st.lists(st.integers(0, 80_000), max_size=10),
    st.booleans(),
)
@example(
    [("N" * 10, 300, 300, "beat"), ("VVV", 140, 135, "noise")], RhythmLimits(), [216], [], True
)
def test_what_is_announced_follows_the_rules_however_the_stream_is_cut(
    sequence, rule, delays, cuts, often
):
    given_beats, noisy, gaps, events = stream(sequence)
    until = given_beats[-1].at + 8000
    named = NamedRhythms(AlarmLimits(rhythms=rule))
    found = push(
        named, given_beats, noisy, gaps, until, [cut for cut in cuts if cut < until], delays, often
    )
    assert by_kind(found) == rhythm_oracle.announced(rule, events, until - SETTLED)


@settings(max_examples=60)
@given(sequences, st.builds(RhythmLimits, **levels))
def test_no_high_alarm_is_hidden_but_by_a_high_one(sequence, rule):
    given_beats, noisy, gaps, events = stream(sequence)
    until = given_beats[-1].at + 2000
    changes = push(NamedRhythms(AlarmLimits(rhythms=rule)), given_beats, noisy, gaps, until)

    def high_at(at):
        active = {}
        for change in changes:
            if change.at < at or (change.holds and change.at == at):
                active[change.kind] = change.holds
        return any(
            holds and rhythm_oracle.priority(rule, kind) == "high" for kind, holds in active.items()
        )

    for at, kinds in rhythm_oracle.fulfilled(rule, events, until - SETTLED):
        if any(rhythm_oracle.priority(rule, kind) == "high" for kind in kinds):
            assert high_at(at)


@settings(max_examples=40)
@given(sequences, st.just(RhythmLimits()) | st.builds(RhythmLimits, **levels))
def test_only_the_worst_is_announced_among_those_of_its_priority(sequence, rule):
    given_beats, noisy, gaps, _ = stream(sequence)
    active = set()
    for change in push(NamedRhythms(AlarmLimits(rhythms=rule)), given_beats, noisy, gaps):
        own = rhythm_oracle.priority(rule, change.kind)
        rank = rhythm_oracle.WORST_FIRST.index(change.kind)
        if change.holds and own != "high":
            worse = {
                kind
                for kind in active
                if rhythm_oracle.WORST_FIRST.index(kind) < rank
                and rhythm_oracle.ORDER.index(rhythm_oracle.priority(rule, kind))
                >= rhythm_oracle.ORDER.index(own)
            }
            assert not worse, f"{change} while {worse}"
        active ^= {change.kind}
