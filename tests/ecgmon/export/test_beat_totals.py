"""Totals of the beats in a journal: within the times asked for, by the hour of the day."""

import numpy as np

from ecgmon.export import journal_reader
from ecgmon.export.beat_totals import beat_totals
from ecgmon.wire import messages
from ecgmon.wire.beat_rows import Beats
from tests.ecgmon.export.stored import OTHER, STREAM, T0, window


def keep(stored, labels, stream=STREAM, rr=360, began=T0):
    """Write a beat a second as a monitor does, and its seconds."""
    for second in range(len(labels)):
        stored.say(window(second, stream=stream), stream_began=began)
    for start in range(0, len(labels), 5):
        beats = [
            messages.Beat(
                wearer="ann", stream=stream, at=180 + i * rr, label=label, probability=0.9, rr=rr
            )
            for i, label in enumerate(labels[start : start + 5], start)
        ]
        stored.row(messages.encode(Beats.of(beats)).decode(), began + start)


def totals(stored, start=-np.inf, stop=np.inf):
    beats = journal_reader.read_beats(stored.journal, "ann")
    return beat_totals(beats, stored.streams(start, stop))


def test_what_was_written_down_is_counted(stored):
    keep(stored, "NNNVVNNNVVVNNS")
    stored.say(messages.BeatWithdrawn(wearer="ann", stream=STREAM, at=180 + 13 * 360))
    found = totals(stored)
    assert (found["beats"], found["classes"]["V"]["beats"], found["withdrawn"]) == (13, 5, 1)
    assert found["ventricular"]["couplets"] == found["ventricular"]["runs"] == 1
    assert found["supraventricular"]["beats"] == 0
    assert (found["signal_s"], found["analysed_s"]) == (14, 12.0)
    assert [hour["hour"] for hour in found["hours"]] == ["2026-01-02T03:00Z"]


def test_only_the_times_asked_for_count(stored):
    keep(stored, "V" * 20)
    found = totals(stored, T0 + 5, T0 + 9)
    assert (found["beats"], found["signal_s"]) == (4, 4)
    assert found["ventricular"]["longest_run"] == 4


def test_streams_follow_each_other_and_hours_are_those_of_the_day(stored):
    keep(stored, "NVVN")
    keep(stored, "VVVN", stream=OTHER, began=T0 + 3600)
    found = totals(stored)
    assert (found["ventricular"]["couplets"], found["ventricular"]["runs"]) == (1, 1)
    hours = [(hour["hour"][11:], hour["beats"]) for hour in found["hours"]]
    assert hours == [("03:00Z", 4), ("04:00Z", 4)]


def test_a_wearer_whose_beats_nobody_judges_has_no_totals(stored):
    stored.say(window(0))
    assert totals(stored) is None


def test_damaged_rows_are_passed_over(stored):
    keep(stored, "NNNN")
    stored.row(b"{}")
    stored.row('{"type":"beats","v":1,"wearer":"ann"}')
    assert totals(stored)["beats"] == 4


def test_an_episode_that_began_before_the_times_asked_for_counts_within_them(stored):
    keep(stored, "N" * 20)
    stored.say(
        messages.Alarm(
            wearer="ann",
            stream=STREAM,
            alarm=1,
            kind="atrial-fibrillation",
            priority="low",
            category="physiological",
            state="raised",
            at=2 * 360,
            time=T0 + 2,
            text="atrial fibrillation",
        )
    )
    assert totals(stored)["atrial_fibrillation"] == {"episodes": 1, "seconds": 18, "burden": 0.9}
    part = totals(stored, T0 + 5, T0 + 9)["atrial_fibrillation"]
    assert part == {"episodes": 1, "seconds": 4, "burden": 1}
