import io
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ecgmon.core import labels
from ecgmon.terminal.canvas import HATCH, Look
from ecgmon.terminal.paper import CELLS_PER_SECOND, GUTTER
from tests.support.reviewed_wearer import BEATS, signal
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.picture import Scene, picture
from trainer.enrolment.review.vocabulary import VOCABULARIES, Judgement

ANSWERS = {4: Judgement.NORMAL, 9: Judgement.ABNORMAL}
GIVEN = np.where(np.arange(len(BEATS)) < 20, labels.NORMAL, labels.ABNORMAL).astype(np.int8)
GIVEN[40:] = labels.UNLABELLED


def scene(beat=30, given=None, answers=ANSWERS, lead=None):
    lead = lead or Lead(signal(), BEATS)
    return Scene(
        lead, VOCABULARIES["window"], "203", "question 3 of at most 20", answers, beat, given
    )


def printed(scene, width=80, height=24, encoding="utf-8", **options):
    """Return what a terminal of this size is sent, row by row."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    console = Console(file=out, width=width, height=height, force_terminal=True, **options)
    console.print(picture(scene, width, height), end="")
    out.flush()
    return out.buffer.getvalue().decode(encoding).split("\n")[:height]


def rows(*arguments, **options):
    return printed(*arguments, color_system=None, **options)


SCENES = [scene(), scene(beat=9), scene(given=GIVEN), scene(beat=0), scene(beat=71), scene(None)]


@given(st.sampled_from(SCENES), st.integers(1, 200), st.integers(1, 70))
def test_a_picture_is_as_large_as_its_terminal(scene, width, height):
    shown = rows(scene, width, height)
    assert [len(row) for row in shown] == [width] * height


@pytest.mark.parametrize(("width", "height"), [(79, 24), (80, 23), (40, 10), (26, 3)])
def test_too_small_a_terminal_shows_a_notice(width, height):
    shown = "\n".join(rows(scene(), width, height))
    assert f"Too small: {width} x {height}" in shown
    assert "Enlarge it to 80 x 24." in shown
    assert "q stop, answers are kept" in shown
    assert "normal" not in shown


@pytest.mark.parametrize("shown", SCENES)
def test_nothing_is_cut_on_the_smallest_terminal(shown):
    last = rows(shown)
    for row in last[-2:]:
        assert row[-1] == " "
    assert last[-1].rstrip().endswith(("answers are kept", "without accepting"))
    if shown.beat is not None:
        words = next(row for row in last if "RR ms: " in row)
        assert "  RR ms: " in words  # nothing runs into it


def column_of_box(shown):
    top = next(row for row in shown if "▼" in row)
    return top.index("▼")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (121, 36), (200, 60)])
def test_the_beat_in_question_is_in_the_middle_of_a_box_of_one_second(width, height):
    shown = rows(scene(), width, height)
    top, bottom = (next(row for row in shown if mark in row) for mark in "▼┘")
    middle = column_of_box(shown)
    left, right = top.index("┌"), top.index("┐")
    assert middle - left == right - middle
    assert right - left - 1 == CELLS_PER_SECOND
    assert abs(middle - (GUTTER + (width - GUTTER) / 2)) <= 1
    assert [bottom.index(mark) for mark in "└▲┘"] == [left, middle, right]
    # The peak is right below the mark.
    paper = shown[shown.index(top) + 1 : shown.index(bottom)]
    peak = next(row for row in paper if any(ord(cell) > 0x2800 for cell in row[left + 1 : right]))
    assert abs(next(c for c in range(left, right) if ord(peak[c]) > 0x2800) - middle) <= 1


def test_the_beat_is_marked_without_colour_and_in_ascii():
    shown = printed(scene(), no_color=True, color_system="256", legacy_windows=False)
    boxed = next(row for row in shown if "▼" in row)
    assert "\x1b[1m┌" in boxed  # bold
    assert not any("38;5" in row for row in shown)
    ascii_rows = rows(scene(), encoding="ascii")
    assert any("+-------v-------+" in row for row in ascii_rows)
    assert any("+-------^-------+" in row for row in ascii_rows)
    assert not any("?" in row for row in ascii_rows[:-2])


def test_only_the_beat_itself_is_highlighted_in_its_box():
    beats = np.sort(np.append(BEATS, BEATS[30] + 100))  # a neighbour in the box
    canvas = picture(scene(lead=Lead(signal(), beats)), 80, 24)
    looks = canvas.looks[3:16, GUTTER:]
    strong = np.flatnonzero((looks == Look.STRONG).any(axis=0))
    middle = int(beats[30]) // 24 - (int(beats[30]) // 24 - (80 - GUTTER) // 2)
    assert middle in strong
    assert strong.max() <= middle + 3


def test_intervals_are_shown_in_milliseconds():
    beats = np.array([1000, 1360, 1540, 2000])
    shown = rows(scene(beat=2, lead=Lead(np.zeros(4000, np.float32), beats), answers={}))
    assert "RR ms: 500 before, 1278 after" in shown[-2]
    intervals = next(row for row in shown if row.startswith(" RR ms"))
    assert re.search(r"╵─+ 1000 ─+╵ ?─* ?500 ?─* ?╵─+ 1278 ─+╵", intervals)


def test_labels_and_answers_are_shown_differently():
    answers = {19: Judgement.ABNORMAL, 20: Judgement.UNSURE}
    shown = rows(scene(beat=20, given=GIVEN, answers=answers), 120)
    (row,) = (row for row in shown if row.startswith(" label"))
    assert row.split() == ["label", "N", "N", "N", "[A]", "[S]", "A", "A", "A", "A"]
    assert "You said UNSURE" in shown[-3]
    shown = rows(scene(beat=45, given=GIVEN))
    assert " NO LABEL  was not asked" in shown[-3]


@pytest.mark.thorough
def test_the_time_axis_and_the_scale_do_not_change_from_beat_to_beat():
    for beat in (20, 33):
        shown = rows(scene(beat), 120)
        axis = next(row for row in shown if row.startswith(" time"))
        ticks = [column for column, cell in enumerate(axis) if cell == "╵"]
        assert {after - before for before, after in pairwise(ticks)} == {CELLS_PER_SECOND}
    pulses = {tuple(row[:4] for row in rows(scene(beat), 120)[3:14]) for beat in range(10, 60)}
    assert len(pulses) == 1


def test_a_tall_terminal_shows_more_seconds_below():
    assert not any("s around it" in row for row in rows(scene(), 80, 28))
    shown = rows(scene(), 120, 40)
    assert any(row.startswith("28 s around it") for row in shown)


def test_there_is_nothing_beyond_the_ends_of_the_record():
    first, last = rows(scene(beat=0)), rows(scene(beat=71))
    paper = slice(3, 15)
    assert all(row[GUTTER] == HATCH and row[-1] != HATCH for row in first[paper])
    assert all(row[-1] == HATCH and row[GUTTER] != HATCH for row in last[paper])


def test_a_signal_that_was_never_measured_is_drawn():
    lead = Lead(np.full(5000, np.nan, np.float32), np.array([2000]))
    assert all(len(row) == 80 for row in rows(scene(beat=0, lead=lead)))
