"""Beats in the view of one wearer: their classes, ectopic ones counted, the rhythm's name."""

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Look
from ecgmon.terminal.paper import GUTTER, SAMPLES_PER_CELL
from viewer.terminal.ecg import BEATS
from viewer.terminal.render import Caption, render

WAVE = 180
"""Sample of each second at which the wave of `Monitor.seconds` is highest."""


def labelled(monitor, fold, labels, *more):
    """A beat each second."""
    beats = [monitor.beat(second * RATE + WAVE, label) for second, label in enumerate(labels)]
    return fold([*monitor.seconds(0, len(labels)), *beats, *more])


def row_of_counts(rows):
    (row,) = (row.strip() for row in rows if "/min" in row and "HR" not in row)
    return row


def test_each_beat_has_its_letter_above_its_wave(monitor, fold):
    state = labelled(monitor, fold, "NSVFQN")
    canvas = render(state, Caption(), 120, 40)
    first = -(-state.clock // SAMPLES_PER_CELL) - (118 - GUTTER)
    for second, label in enumerate("NSVFQN"):
        column = (second * RATE + WAVE) // SAMPLES_PER_CELL - first + GUTTER + 1
        mark, look = BEATS[label]
        assert (chr(canvas.codes[1, column]), canvas.looks[1, column]) == (mark, look)
        wave = [row for row in range(2, 25) if canvas.codes[row, column] > 0x2800]
        assert min(wave) < 12
    assert BEATS["V"][1] is Look.ABNORMAL


def test_a_beat_that_is_withdrawn_vanishes(monitor, fold, text):
    rows = text(labelled(monitor, fold, "NNVN", monitor.withdrawn(2 * RATE + WAVE)))
    assert rows[1].split() == ["·", "·", "·"]
    assert row_of_counts(rows).startswith("ventricular 0 /min  0 in 0:03 ")


def test_a_wearer_whose_beats_nobody_judges_looks_as_before(monitor, fold, text):
    gone = [monitor.beat(5 * RATE), monitor.withdrawn(5 * RATE)]
    seconds = list(monitor.seconds(0, 20))
    for width, height in ((120, 40), (80, 24), (40, 10)):
        without = text(fold(seconds), width, height)
        assert without == text(fold([*seconds, *gone]), width, height)
        assert not any("/min" in row.replace("HR /min", "") for row in without)


def test_ectopic_beats_are_counted_of_the_minute_and_the_hour(monitor, fold, text):
    state = labelled(monitor, fold, "NVNFSQ" * 20)
    counted = "ventricular 20 /min  40 in 1:59   supraventricular 10 /min  20 in 1:59"
    assert row_of_counts(text(state)) == counted
    assert row_of_counts(text(state, 60, 24)) == "V 20 /min  40 in 1:59   S 10 /min  20 in 1:59"
    state.apply(monitor.window(3720))
    assert row_of_counts(text(state)) == "ventricular 0 /min  0 /h   supraventricular 0 /min  0 /h"


def test_the_current_rhythm_has_its_name_on_wide_and_narrow_terminals(monitor, fold, text):
    called = "ventricular bigeminy: one beat of 2 is ventricular"
    alarm = monitor.alarm(1, kind="bigeminy", priority="low", text=called)
    state = labelled(monitor, fold, "NV" * 30, alarm)
    for width in (120, 80, 50):
        assert row_of_counts(text(state, width, 24)).endswith("ventricular bigeminy")
    assert any(row.endswith("ventricular bigeminy  ") for row in text(state, 30, 24))
    state.apply(monitor.alarm(1, "cleared", kind="bigeminy", priority="low", text=called))
    assert row_of_counts(text(state)).endswith(" in 0:59")


def test_a_small_terminal_keeps_the_trace_and_the_alarms(monitor, fold, text):
    rows = text(labelled(monitor, fold, "NVNN" * 5), 80, 9, Caption())
    assert not any("ventricular" in row for row in rows)
    assert any("╵" in row for row in rows)
    assert any("alarms:" in row for row in rows)
