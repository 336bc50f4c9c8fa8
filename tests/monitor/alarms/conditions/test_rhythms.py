"""Each row of the table of named rhythms, with the beats at its limits."""

import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.rhythm_limits import RhythmLimits
from monitor.alarms.conditions.base import Condition
from monitor.alarms.conditions.rhythms import NamedRhythms
from tests.support.named_beats import NamedBeat, beats, begun, by_kind, push

STEADY = "N300 " * 12
"""The usual RR interval is known: 300 samples, 72 a minute."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STEADY + "V200 " * 2 + "N300", [("couplet", 15)]),
        (STEADY + "V200 " * 3 + "N300", [("ventricular-run", 16)]),
        (STEADY + "V200 " * 4 + "N300", [("ventricular-run", 17)]),
        (STEADY + "V216 " * 5 + "N300", [("ventricular-tachycardia", 17)]),  # 100 a minute
        (STEADY + "V217 " * 5 + "N300", [("idioventricular-rhythm", 17)]),
        (STEADY + "V200 F200 V200 F200 V200", [("ventricular-tachycardia", 17)]),
        (STEADY + "V200 V200 N300 V200 V200 N300", [("couplet", 15)]),  # one goes on in the other
        (STEADY + "S216 " * 3, [("supraventricular-run", 15)]),
        (STEADY + "S217 " * 3, []),
        ("N200 " * 12 + "S180 " * 3, [("supraventricular-run", 15)]),  # it begins at 90 % of 200
        ("N200 " * 12 + "S181 S150 S150 S150", []),  # a faster sinus rhythm
        (STEADY + "S200 " * 2 + "N300", []),
        (STEADY + "V200 N400 " * 2 + "V200", [("bigeminy", 17)]),
        (STEADY + "V200 Q400 " * 2 + "V200", [("bigeminy", 17)]),
        (STEADY + "V200 S400 " * 2 + "V200", []),
        (STEADY + "V200 N400 N300 " * 2 + "V200", [("trigeminy", 19)]),
        (STEADY + "V200 N400 N300 N300 " * 2 + "V200", []),
        (STEADY + "V135", []),  # what follows is not known yet
        (STEADY + "V135 N240", [("r-on-t", 14)]),  # 45 % of 300, and 1.25 times 300 in all
        (STEADY + "V135 N239", []),  # a T wave, or between two beats in time
        (STEADY + "V135 V170", [("r-on-t", 14)]),  # a couplet begins
        (STEADY + "V136 N400", []),
        (STEADY + "S135 N400", []),
        ("N400 " * 12 + "V140 N400", [("r-on-t", 14)]),  # 0.39 s, which is less than 180 samples
        ("N400 " * 12 + "V141 N400", []),
        ("N300 " * 8 + "V135 N400", []),  # the usual interval takes nine normal beats
        ("N300 " * 9 + "V135 N400", [("r-on-t", 11)]),
        (STEADY + "N525", [("heart-pause", 13)]),  # 1.75 times 300
        (STEADY + "N524", []),
        (STEADY + "N1440", []),  # an asystole
        ("N179 " * 12 + "N360", [("heart-pause", 13)]),  # 1 s above 120 a minute
        ("N179 " * 12 + "N359", []),
        ("N180 " * 12 + "N315", [("heart-pause", 13)]),
        ("N180 " * 12 + "N314", []),
    ],
)
def test_a_row_holds_from_its_limit_on(text, expected):
    assert begun(text) == expected


def test_a_run_that_becomes_slower_or_faster_has_both_names():
    faster = STEADY + "V250 " * 5 + "V100 " * 4
    assert begun(faster) == [
        ("idioventricular-rhythm", 17),
        ("ventricular-tachycardia", 18),  # the last four intervals are 250, 250, 250 and 100
    ]
    slower = STEADY + "V200 " * 5 + "V300 " * 4
    assert begun(slower) == [("ventricular-tachycardia", 17)]  # it hides the slower rhythm


def test_ectopic_beats_are_counted_once_a_wearer_is_learnt():
    normal = "N300 " * 29
    often = "S250 N350 N300 N300 N300 "  # one in 1500 samples: 14 a minute
    (first, *_) = begun(normal + often * 12)
    assert first == ("ectopics-minute", 29 + 5 * 10 + 1)  # the eleventh
    seldom = "S250 N350 " + "N300 " * 6  # one in 2400 samples: 9 a minute
    assert begun(normal + seldom * 12) == []
    assert begun(normal + seldom * 31, RhythmLimits(ectopics_minute_beats=200)) == [
        ("ectopics-hour", 29 + 8 * 30 + 1)
    ]
    early = often * 6  # thirty beats
    assert begun(early + often * 11) == [("ectopics-minute", 30 + 5 * 10 + 1)]
    slow = "S600 " * 36  # 60 s after the first beat is 36 intervals
    assert begun(slow + "S600 " * 11, RhythmLimits(ectopics_minute_beats=3))[0] == (
        "ectopics-minute",
        30 + 3,  # thirty beats come first, 600 samples apart
    )
    slower = "S1200 " * 30  # 60 s after the first beat come first, after 18 intervals
    assert begun(slower, RhythmLimits(ectopics_minute_beats=3))[0] == ("ectopics-minute", 19 + 3)


def test_a_tachycardia_does_not_wait_until_a_wearer_is_learnt():
    assert begun("V200 " * 5) == [("ventricular-tachycardia", 5)]


def test_it_is_raised_when_beats_are_certain_and_ends_ten_seconds_after_the_last():
    given_beats = beats("V200 " * 7 + "N300")
    named = NamedRhythms(AlarmLimits())
    for one in given_beats:
        named.beat(one.at, one.label, 0.9, one.rr)
    fifth, last = given_beats[4].at, given_beats[6].at
    assert named.elapsed(fifth + 539, (), None) == []
    assert named.elapsed(fifth + 540, (), None) == [
        Condition("ventricular-tachycardia", True, fifth)
    ]
    assert named.elapsed(last + 3600 + 539, (), None) == []
    assert named.elapsed(last + 3600 + 540, (), None) == [
        Condition("ventricular-tachycardia", False, last + 3600)
    ]


def test_nothing_reaches_across_noise_a_gap_silence_or_what_was_no_beat():
    run = "V200 " * 3
    one_run = [("ventricular-tachycardia", 5)]
    assert begun(run + run) == one_run
    given_beats = beats(run + run)
    middle = given_beats[2].at + 1
    halves = [("ventricular-run", middle)]
    assert begun(given_beats, gaps=[middle]) == halves
    assert begun(run + "V1440 " + "V200 " * 2) == [("ventricular-run", 4)]
    assert begun(run + "V720 " + "V200 " * 4, noisy=[1800])[0] == ("ventricular-run", 1440)
    artefact = [one._replace(withdrawn=one.at == given_beats[3].at) for one in given_beats]
    assert begun(artefact) == [("ventricular-run", 4)]  # and a couplet, which it hides
    unknown = [NamedBeat(1000, "V", None), *beats(run, 1200)]
    assert begun(unknown, until=9000) == [("ventricular-run", 1600 + 1440)]


def test_without_beats_nothing_begins():
    named = NamedRhythms(AlarmLimits())
    assert push(named, [], noisy=range(720, 36_000, 720), gaps=[100, 40_000], until=99_999) == []


def test_each_may_be_off_or_of_another_priority():
    tachycardia = "V200 " * 5 + "N300"
    off = RhythmLimits(ventricular_tachycardia="off")
    assert begun(tachycardia, off) == []
    limits = RhythmLimits(couplet="high", ventricular_run="low")
    named = NamedRhythms(AlarmLimits(rhythms=limits))
    assert named.priority("couplet") == "high"
    assert named.priority("ventricular-tachycardia") == "high"
    run_and_couplet = "V200 V200 V200 N300 V200 V200 N300"
    assert begun(run_and_couplet) == [("ventricular-run", 4)]
    assert begun(run_and_couplet, limits) == [("ventricular-run", 4), ("couplet", 7)]
    assert begun(run_and_couplet, RhythmLimits(couplet="medium", ventricular_run="low")) == [
        ("ventricular-run", 4),
        ("couplet", 7),
    ]


def test_limits_are_those_of_the_wearer():
    limits = RhythmLimits(ventricular_tachycardia_beats=8, ventricular_tachycardia_rate=150)
    assert begun("V144 " * 7 + "N300", limits) == [("ventricular-run", 8)]
    assert begun("V144 " * 8, limits) == [("ventricular-tachycardia", 8)]
    assert begun("V145 " * 8, limits) == [("idioventricular-rhythm", 8)]
    text = NamedRhythms(AlarmLimits(rhythms=limits)).text("ventricular-tachycardia")
    assert text == "ventricular tachycardia: 8 or more beats at 150 or more a minute"
    atrial = RhythmLimits(supraventricular_run_beats=5, supraventricular_run_rate=180)
    assert begun("S120 " * 5, atrial) == [("supraventricular-run", 5)]
    assert begun("S121 " * 5, atrial) == []


def test_what_held_before_ends_ten_seconds_into_the_stream_even_if_it_is_off_now():
    limits = RhythmLimits(couplet="off")
    held = {"couplet", "ventricular-tachycardia", "asystole"}
    named = NamedRhythms(AlarmLimits(rhythms=limits), held)
    named.gap(5000)
    assert by_kind(named.elapsed(20_000, (), None)) == {
        "couplet": [(False, 8600)],
        "ventricular-tachycardia": [(False, 8600)],
    }
