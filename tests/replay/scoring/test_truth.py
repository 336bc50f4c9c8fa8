"""What annotations say of windows: rhythms without beats, and beats without classes."""

import numpy as np
import pytest

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from ecgmon.records import Record
from replay.scoring.truth import has_beat_classes, in_ventricular_rhythm, truth_of_windows


def record(name, *marks):
    samples, symbols, notes = zip(*marks, strict=True)
    annotations = Annotations(np.array(samples, dtype=np.int64), symbols, notes)
    return Record(name, "x", float(RATE), 200.0, "II", np.zeros(8 * RATE, np.int16), annotations)


BEATS = [(100, "N", ""), (400, "N", ""), (4 * RATE + 10, "N", "")]
FLUTTER = [(2 * RATE - 9, "[", ""), (4 * RATE, "]", "")]


@pytest.mark.parametrize(
    ("name", "marks", "wanted"),
    [
        ("mitdb/207", BEATS, [NORMAL, NORMAL, UNLABELLED, UNLABELLED, NORMAL]),
        ("mitdb/207", BEATS + FLUTTER, [NORMAL, UNLABELLED, ABNORMAL, ABNORMAL, UNLABELLED]),
        ("cudb/cu01", BEATS + FLUTTER, [UNLABELLED, UNLABELLED, ABNORMAL, ABNORMAL, UNLABELLED]),
        ("/data/cudb/cu01", BEATS, [UNLABELLED] * 5),
        ("vfdb/418", [(0, "+", "(N"), (720, "+", "(VT")], [UNLABELLED] * 2 + [ABNORMAL] * 3),
    ],
)
def test_a_window_in_fibrillation_or_tachycardia_is_abnormal(name, marks, wanted):
    assert truth_of_windows(record(name, *sorted(marks)))[:5].tolist() == wanted


def test_who_has_no_classes_of_beats_is_not_scored_by_beats():
    assert has_beat_classes(record("mitdb/100", *BEATS))
    assert not has_beat_classes(record("cudb/cu01", *BEATS))
    assert not has_beat_classes(record("vfdb/418", (0, "+", "(N")))
    nothing = Record("x", "x", float(RATE), 200.0, "II", np.zeros(RATE, np.int16))
    assert truth_of_windows(nothing) is None
    assert not has_beat_classes(nothing)


def test_an_alarm_in_such_a_rhythm_is_no_false_one():
    one = record("mitdb/207", *sorted(BEATS + FLUTTER))
    assert in_ventricular_rhythm(one, 3 * RATE, 9 * RATE)
    assert not in_ventricular_rhythm(one, 4 * RATE, 9 * RATE)
