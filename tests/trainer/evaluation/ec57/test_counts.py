"""Beats, episodes and the cells of the confusion matrix, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.ec57.counts import BEATS, LABELS, Counts, average, pairs
from trainer.evaluation.ec57.marks import inside, marks

UNREADABLE, READABLE = -1, 0
END = 100_000
SYMBOLS = st.sampled_from("NLRejnAaJSVEF/fQ?+|!")
EVENTS = st.lists(st.tuples(st.integers(1, 5_000), SYMBOLS), max_size=40).map(sorted)


def annotations(*events):
    """Marks of (sample, symbol) or (sample, symbol, subtype)."""
    return marks([(*event, 0)[:3] for event in events], END)


def counted(reference, test):
    """Cells that are not empty."""
    counts = Counts.compare(annotations(*reference), annotations(*test), 0, END)
    return {
        LABELS[row] + LABELS[column].lower(): int(counts.matrix[row, column])
        for row, column in np.argwhere(counts.matrix)
    }


def test_beats_have_the_classes_of_bxb():
    symbols = "NLRBejnAaJSVErF/fQ?"
    assert annotations(*enumerate(symbols, 1)).classes == "NNNNSSSSSSSVVVFQQQQ"
    assert annotations(*enumerate('+~|!sT*D"=p^tu@x() ', 1)).classes == ""


@pytest.mark.parametrize("true", "NSVFQ")
@pytest.mark.parametrize("called", "NSVFQ")
def test_a_beat_of_each_class_may_be_called_any(true, called):
    assert counted([(1000, true)], [(1010, called)]) == {true + called.lower(): 1}


def test_missed_and_extra_beats_are_o():
    assert counted([(1000, "V")], []) == {"Vo": 1}
    assert counted([], [(1000, "S")]) == {"Os": 1}
    assert counted([(1000, "N")], [(1055, "V")]) == {"No": 1, "Ov": 1}


def test_nothing_is_compared_in_ventricular_flutter():
    flutter = [(1000, "N"), (1100, "["), (1200, "!"), (1250, "V"), (1900, "]"), (2500, "N")]
    assert annotations(*flutter).flutter == [(1100, 1900)]
    assert counted(flutter, [(1000, "N"), (2500, "N")]) == {"Nn": 2}
    within = [(sample, "V") for sample in (1100, 1250, 1500, 1900)]
    assert counted(flutter, [(1000, "N"), *within, (2500, "N")]) == {"Nn": 2}
    # Outside by a sample; and within, but of a beat before it.
    assert counted(flutter, [(1000, "N"), (1901, "V"), (2500, "N")]) == {"Nn": 2, "Ov": 1}
    assert counted([(1090, "N"), *flutter[1:]], [(1110, "N"), (2500, "N")]) == {"Nn": 2}


def test_flutter_without_an_end_lasts_to_the_record_s_end():
    assert annotations((1000, "N"), (1100, "["), (1200, "V")).flutter == [(1100, END)]
    assert counted([(1000, "N"), (1100, "[")], [(1000, "N"), (90_000, "V")]) == {"Nn": 1}


def test_beats_missed_in_what_the_tested_one_calls_flutter_are_missed():
    tested = [(1000, "N"), (1100, "["), (1500, "N"), (1900, "]")]
    assert counted([(1000, "N"), (1500, "N")], tested) == {"Nn": 1, "No": 1}


def test_a_shutdown_of_either_side_is_x():
    off = [(2000, "~", UNREADABLE), (3000, "~", READABLE)]
    beats = [(sample, "V") for sample in (1000, 2000, 2500, 3000, 4000)]
    assert counted(beats, [beats[0], *off, beats[4]]) == {"Vv": 2, "Vx": 3}
    assert counted([beats[0], *off, beats[4]], beats) == {"Vv": 2, "Xv": 3}


@pytest.mark.parametrize(
    ("events", "shutdown"),
    [
        ([(500, "~", 0x30), (1000, "~", 0x1F)], [(500, 1000)]),
        ([(500, "~", 0x10), (1000, "~", 0x20)], []),
        ([(500, "N"), (2000, "~", -1)], [(2000, END)]),
        # One mark in its middle: from the beat or the flutter before it to the next.
        ([(500, "N"), (2000, "~", -1), (4000, "N")], [(554, 3946)]),
        ([(2000, "~", -1), (4000, "+"), (5000, "~", 0)], [(54, 3946)]),
        ([(500, "["), (900, "]"), (2000, "~", -1), (4000, "N")], [(954, 3946)]),
        ([(500, "N"), (550, "~", -1), (600, "N")], [(546, 546)]),
        ([(500, "~", -1), (700, "~", -1), (900, "~", 0)], [(54, 646), (700, 900)]),
    ],
)
def test_a_shutdown_lasts(events, shutdown):
    assert annotations(*events).shutdown == shutdown


def test_the_seconds_of_shutdown_are_summed_wherever_they_are():
    tested = annotations((360, "~", -1), (1080, "~", 0), (50_000, "~", -1), (50_180, "~", 0))
    assert Counts.compare(annotations(), tested, 40_000, END).shutdown_s == 2.5


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple), max_size=6)
)
def test_samples_inside_episodes_are_found_however_the_episodes_overlap(spans):
    flags = inside(spans, np.arange(70))
    assert flags.tolist() == [any(a <= n <= b for a, b in spans) for n in range(70)]


def counts(**cells):
    matrix = np.zeros((7, 7), dtype=np.int64)
    for cell, n in cells.items():
        matrix[LABELS.index(cell[0]), LABELS.lower().index(cell[1])] = n
    return Counts(matrix)


def confusion(cells):
    return cells.tp, cells.fp, cells.fn, cells.tn


EVERY = counts(  # every cell another number, so that none can be confused with another
    **{
        row + column: 7 * r + c + 1
        for r, row in enumerate(LABELS)
        for c, column in enumerate(LABELS.lower())
        if not (row in "OX" and column in "ox")
    }
)


def cell(name):
    return int(EVERY.matrix[LABELS.index(name[0]), LABELS.lower().index(name[1])])


def total(cells):
    return sum(cell(name) for name in cells.split())


def test_figures_are_made_of_the_cells_that_bxb_takes():
    assert confusion(EVERY.ectopic("V")) == (
        cell("Vv"),
        total("Nv Sv Ov Xv"),
        total("Vn Vs Vf Vq Vo Vx"),
        total("Nn Ns Nf Nq Sn Ss Sf Sq Fn Fs Ff Fq Qn Qs Qf Qq On Os Of Oq Xn Xs Xf Xq"),
    )
    assert confusion(EVERY.ectopic("S")) == (
        cell("Ss"),
        total("Ns Vs Fs Os Xs"),
        total("Sn Sv Sf Sq So Sx"),
        total("Nn Nv Nf Nq Vn Vv Vf Vq Fn Fv Ff Fq Qn Qv Qf Qq On Ov Of Oq Xn Xv Xf Xq"),
    )
    found = sum(cell(row + column) for row in "NSVFQ" for column in "nsvfq")
    extra = total("On Os Ov Of Oq Xn Xs Xv Xf Xq")
    missed = total("No So Vo Fo Qo Nx Sx Vx Fx Qx")
    assert confusion(EVERY.qrs) == (found, extra, missed, 0)
    assert EVERY.beats() == found + missed
    assert EVERY.beats("F") == total("Fn Fs Fv Ff Fq Fo Fx")


def test_a_fusion_beat_called_v_is_neither_right_nor_wrong():
    figures = counts(Vv=8, Vn=2, Fv=50, Qv=50, Nv=2, Nn=98).figures()
    assert figures["V"] == {
        "sensitivity": 0.8,
        "ppv": 0.8,
        "false_positive_rate": 0.02,
        "f1": 0.8,
    }
    assert figures["QRS"] == {"sensitivity": 1, "ppv": 1}
    # Called S it is wrong, for S; an unclassifiable beat is not.
    assert counts(Ss=3, Fs=1, Qs=5).figures()["S"]["ppv"] == 0.75


def test_a_class_without_beats_has_no_f1_whatever_was_called_so():
    figures = counts(Nv=1, Nn=9).figures()
    assert figures["V"]["f1"] is None
    assert figures["V"]["ppv"] == 0


def test_gross_figures_are_of_sums_and_average_ones_of_records_that_have_them():
    records = {"100": counts(Vv=9, Vo=1, Nn=90), "101": counts(Vv=1, Vn=1), "103": counts(Nn=5)}
    assert sum(records.values(), Counts()).figures()["V"]["sensitivity"] == 10 / 12
    assert average(records)["V"]["sensitivity"] == pytest.approx(0.7)
    assert average(records)["V"]["sensitivity_records"] == 2
    assert average(records)["S"]["sensitivity"] is None


@given(EVENTS, EVENTS, st.integers(0, 3_000))
def test_rows_sum_to_the_reference_s_beats(reference, test, start):
    counts = Counts.of(pairs(annotations(*reference), annotations(*test), start))
    true = annotations(*reference)
    for label in BEATS:
        of_class = np.array([c == label for c in true.classes], dtype=bool)
        assert counts.beats(label) == np.sum(of_class & (true.beats >= start))
    if not start:
        assert counts.matrix[:, :5].sum() == len(annotations(*test).beats)
