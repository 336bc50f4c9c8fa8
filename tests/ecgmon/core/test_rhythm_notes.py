"""Annotated rhythms become spans of one set of names."""

import numpy as np
import pytest

from ecgmon.core.annotations import Annotations
from ecgmon.core.rhythm_notes import RhythmSpan, noise_spans, rhythm_spans
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read

VF, VT, AF = "ventricular-fibrillation", "ventricular-tachycardia", "atrial-fibrillation"


def marks(*given):
    samples, symbols, notes = zip(*given, strict=True)
    return Annotations(np.array(samples, dtype=np.int64), symbols, notes)


@pytest.mark.parametrize(
    ("given", "spans"),
    [
        ([(0, "+", "(N"), (50, "+", "(VFL"), (90, "+", "(N")], [(50, 90, VF)]),
        ([(0, "+", "(VF"), (40, "+", "(VFIB"), (60, "+", "(VT")], [(0, 60, VF), (60, 100, VT)]),
        ([(10, "[", ""), (20, "!", ""), (30, "]", "")], [(10, 30, VF)]),
        ([(10, "[", ""), (20, "[", "")], [(10, 100, VF)]),
        ([(5, "]", ""), (7, "N", "")], []),
        ([(0, "+", "(AFIB"), (30, "N", "(VT"), (60, "+", "MISSB")], [(0, 100, AF)]),
        ([(0, "+", "(VT"), (30, "+", "(NOISE"), (50, "+", "(N")], [(0, 50, VT)]),
        ([(40, "+", "(VT"), (40, "+", "(N")], []),
        (
            [(0, "+", "(VFL"), (10, "[", ""), (30, "]", ""), (40, "+", "(N")],
            [(0, 40, VF), (10, 30, VF)],
        ),
    ],
)
def test_rhythms_last_until_the_next_note(given, spans):
    assert rhythm_spans(marks(*given), 100) == [RhythmSpan(*one) for one in spans]


def test_noise_lasts_until_the_next_note_of_a_rhythm():
    given = [(0, "+", "(VT"), (30, "+", "(NOISE"), (50, "+", "(VT"), (80, "+", "(NOISE")]
    assert noise_spans(marks(*given), 100) == [(30, 50), (80, 100)]
    assert rhythm_spans(marks(*given), 100) == [RhythmSpan(0, 100, VT)]


def test_annotations_without_notes_have_no_rhythms_but_marked_flutter():
    bare = Annotations(np.array([3, 9], dtype=np.int64), ("[", "]"))
    assert rhythm_spans(bare, 20) == [RhythmSpan(3, 9, VF)]
    assert noise_spans(bare, 20) == []
    assert bare.between(0, 5).symbols == ("[",)


def test_of_real_records(mitdb):
    """The flutter of 207 is marked and noted as well; mitdb's directory has 2:24 of it."""
    flutter = read(obtain("mitdb/207", data=mitdb.parent))
    spans = rhythm_spans(flutter.annotations, len(flutter.samples))
    inside = np.zeros(len(flutter.samples), dtype=bool)
    for start, stop, rhythm in spans:
        inside[start:stop] |= rhythm == VF
    assert inside.sum() / 360 == pytest.approx(144, abs=2)
    assert len(flutter.annotations.notes) == len(flutter.annotations.symbols)
