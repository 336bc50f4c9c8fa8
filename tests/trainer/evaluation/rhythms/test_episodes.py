"""Episodes counted as epicmp does, against a reading sample by sample."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.annotations import Annotations
from ecgmon.records import Record
from ecgmon.records.formats.wfdb.annotations import Annotation
from trainer.evaluation.rhythms.episodes import EpisodeCounts, delays, joined, touched, without
from trainer.evaluation.rhythms.page import asystoles, burdens, counts
from trainer.evaluation.rhythms.record import (
    ASYSTOLE,
    ATRIAL,
    FIBRILLATION,
    TACHYCARDIA,
    rhythm_record,
)

N = 60
edges = st.lists(st.integers(0, N), unique=True, max_size=10).map(sorted)
spans = edges.map(lambda at: list(zip(at[::2], at[1::2], strict=False)))


def inside(of):
    line = np.zeros(N, dtype=bool)
    for start, stop in of:
        line[start:stop] = True
    return line


@given(spans, spans, spans)
def test_counts_are_those_of_a_reading_sample_by_sample(annotated, announced, allowed):
    truth, excused = inside(annotated), inside(allowed)
    asked = [one for one in announced if truth[slice(*one)].any() or not excused[slice(*one)].any()]
    said = inside(asked)
    counts = EpisodeCounts.of(annotated, announced, allowed)
    assert counts.found == sum(said[slice(*one)].any() for one in annotated)
    assert counts.found + counts.missed == len(annotated)
    assert counts.true == sum(truth[slice(*one)].any() for one in asked)
    assert counts.true + counts.false == len(asked)
    assert counts.annotated == truth.sum()
    assert counts.announced == said.sum()
    assert counts.both == (truth & said).sum()


@given(spans, st.integers(0, 10))
def test_joined_episodes_cover_the_same_and_the_gaps_between_them(of, gap):
    found = joined(reversed(of), gap)
    line, wanted = inside(found), inside(of)
    assert (line >= wanted).all()
    assert all(b[0] - a[1] > gap for a, b in pairwise(found))
    assert (line & ~wanted).sum() <= gap * max(len(of) - 1, 0)


@given(spans, spans)
def test_what_is_left_outside_of_others_is_all_that_is_not_in_them(of, taken):
    left = without(of, taken)
    assert (inside(left) == (inside(of) & ~inside(taken))).all()
    assert left == sorted(left)


def test_shares_are_not_known_where_there_is_nothing():
    nothing = EpisodeCounts.of([], [])
    assert nothing.sensitivity is nothing.predictivity is None
    assert nothing.duration_sensitivity is nothing.duration_predictivity is None
    both = EpisodeCounts.of([(0, 10)], [(5, 15)]) + EpisodeCounts.of([(0, 10)], [])
    assert (both.sensitivity, both.predictivity) == (0.5, 1)
    assert (both.duration_sensitivity, both.duration_predictivity) == (0.25, 0.5)


def test_delays_are_of_the_first_announcement_that_reaches_into_an_episode():
    announced = [(100, 500), (1000, 1080), (5000, 5400)]
    assert delays([(200, 300), (720, 2000), (3000, 4000)], announced) == [0, 280 / 360]


def test_a_record_s_alarms_are_those_that_its_annotations_name():
    notes = [(0, "(unnamed"), (10, "(ventricular-fibrillation"), (40, "(asystole")]
    notes += [(50, "(asystole,ventricular-tachycardia"), (70, "(ventricular-tachycardia")]
    published = [Annotation(at, 28, 0, note) for at, note in notes]
    marks = Annotations(np.array([5, 45], dtype=np.int64), ("+", "+"), ("(VFL", "(N"))
    record = Record("x", "x", 360.0, 200.0, "II", np.zeros(100, dtype=np.int16), marks)
    of = rhythm_record(record, published)
    assert of.announced.pop(ASYSTOLE) == [(40, 70)]
    assert of.announced == {FIBRILLATION: [(10, 40)], TACHYCARDIA: [(50, 100)], ATRIAL: []}
    assert of.annotated.pop(ASYSTOLE) == []
    assert of.annotated == {FIBRILLATION: [(5, 45)], TACHYCARDIA: [], ATRIAL: []}
    assert of.alarms == [(10, 100)]  # gaps of two seconds are closed
    assert of.false == []
    assert of.outside_hours == pytest.approx(60 / 360 / 3600)
    assert touched((0, 6), of.ventricular)


def test_atrial_fibrillation_has_a_burden_and_what_is_announced_in_flutter_is_left_out():
    notes = [(0, "(unnamed"), (30, "(atrial-fibrillation"), (90, "(unnamed")]
    published = [Annotation(at, 28, 0, note) for at, note in notes]
    at = np.array([0, 20, 50, 80], dtype=np.int64)
    marks = Annotations(at, ("+",) * 4, ("(N", "(AFIB", "(AFL", "(N"))
    record = Record("x", "x", 360.0, 200.0, "II", np.zeros(100, dtype=np.int16), marks)
    of = rhythm_record(record, published)
    assert (of.annotated[ATRIAL], of.flutter) == ([(20, 50)], [(50, 80)])
    assert of.atrial == [(30, 50), (80, 90)]
    found = counts(of, ATRIAL)
    assert (found.found, found.missed, found.true, found.false) == (1, 0, 1, 1)
    (cells,) = burdens([of])
    assert cells[-2:] == ["30.0", "30.0"]
    assert of.ventricular == of.alarms == []


def test_asystoles_are_told_one_by_one_and_a_flat_line_is_one():
    notes = [(0, "(unnamed"), (1440, "(flat-line"), (1800, "(asystole"), (2160, "(unnamed")]
    published = [Annotation(at, 28, 0, note) for at, note in notes]
    at = np.array([0, 720, 2160, 3600], dtype=np.int64)
    marks = Annotations(at, ("+",) * 4, ("(ASYS", "(N", "(ASYS", "(N"))
    record = Record("x", "x", 360.0, 200.0, "II", np.zeros(4000, dtype=np.int16), marks)
    of = rhythm_record(record, published)
    assert of.announced[ASYSTOLE] == [(1440, 2160)]
    assert asystoles([of]) == [["x", "0", "2", "-"], ["x", "6", "4", "-"]]
    marks = Annotations(at[:2], ("+",) * 2, ("(ASYS", "(ASYS"))
    record = Record("x", "x", 360.0, 200.0, "II", np.zeros(4000, dtype=np.int16), marks)
    assert asystoles([rhythm_record(record, published)]) == [["x", "0", "11", "4.0"]]
