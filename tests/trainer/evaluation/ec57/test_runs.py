"""Runs as rxr counts them, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.records.formats.wfdb.annotations import Annotation
from trainer.evaluation.ec57.runs import KINDS, LONGEST, RunCounts, events

CODES = {"N": 1, "A": 8, "V": 5, "F": 6, "Q": 13, "e": 34, "[": 32, "]": 33, "!": 31, "S": 9}
END = 10**6
LETTERS = st.lists(st.sampled_from("NNNVVVFAAQ"), max_size=30).map("".join)


def beats(letters, at=1000, step=250):
    """Annotations of letters in equal steps; a space is a step without one."""
    return [
        Annotation(at + step * n, CODES[letter])
        for n, letter in enumerate(letters)
        if letter != " "
    ]


def compared(reference, test, kind="V", start=0, stop=END):
    return RunCounts.compare(KINDS[kind], events(reference), events(test), start, stop)


def cells(matrix):
    return {
        (int(row), int(column)): int(matrix[row, column]) for row, column in np.argwhere(matrix)
    }


def test_runs_have_the_lengths_of_their_beats():
    reference = beats("NVN VVN VFVN VVVVVVVVN")
    runs = compared(reference, reference)
    assert cells(runs.sought) == cells(runs.told) == {(1, 1): 1, (2, 2): 1, (3, 3): 1, (6, 6): 1}


def test_a_run_is_found_or_true_only_by_a_run_that_is_at_least_as_long():
    reference, test = beats("NVVVVNNVVNNVVVN"), beats("NVVNVNNVVVNNVVN")
    runs = compared(reference, test)
    assert cells(runs.sought) == {(4, 2): 1, (2, 2): 1, (3, 2): 1}
    assert cells(runs.told) == {(2, 2): 2, (1, 1): 1, (2, 3): 1}
    figures = runs.figures()
    assert figures["couplet"]["sensitivity"] == 1
    assert (figures["short run"]["runs"], figures["short run"]["found"]) == (2, 0)
    assert figures["long run"] == dict.fromkeys(("runs", "found", "told", "true"), 0) | {
        "sensitivity": None,
        "ppv": None,
    }


def test_a_run_of_the_test_is_true_if_the_reference_has_one_as_long():
    figures = compared(beats("NVVVVNNNNN"), beats("NVVNNNNVVN")).figures()
    assert (figures["couplet"]["told"], figures["couplet"]["true"]) == (2, 1)
    assert figures["couplet"]["ppv"] == 0.5


def test_supraventricular_beats_end_ventricular_runs_and_have_runs_of_their_own():
    reference = beats("NVVAAVVN")
    assert cells(compared(reference, reference).sought) == {(2, 2): 2}
    assert cells(compared(reference, reference, "S").sought) == {(2, 2): 1}
    escape = beats("NeeeN")
    assert cells(compared(escape, escape, "S").sought) == {(3, 3): 1}


def test_flutter_is_a_long_ventricular_run():
    reference = beats("NN[!!!]NN")
    assert cells(compared(reference, beats("NNVVVVVNN")).sought) == {(6, 5): 1}
    assert cells(compared(reference, beats("NNVVVVVNN")).told) == {(6, 5): 1}
    assert cells(compared(reference, reference).sought) == {(6, 6): 1}


def test_normal_beats_in_atrial_fibrillation_are_one_long_supraventricular_run():
    note = Annotation(1400, 28, 0, "(AFIB")
    over = Annotation(2900, 28, 0, "(N")
    plain = beats("NNNNNNNNNNN")
    reference = sorted([*plain, note, over])
    assert cells(compared(reference, plain, "S").sought) == {(6, 0): 1}
    assert cells(compared(reference, beats("NNAAAAAAANN"), "S").sought) == {(6, 6): 1}


def test_a_shutdown_ends_a_run():
    cut = sorted([*beats("NVVVVN"), Annotation(1600, 14, -1), Annotation(1650, 14, 0)])
    assert cells(compared(beats("NVVVVN"), cut).sought) == {(4, 2): 1}


def test_only_runs_after_the_learning_time_count_and_only_ended_ones():
    reference = beats("NVVVVNNVVN")
    assert cells(compared(reference, reference, start=1600).sought) == {(2, 2): 2}
    assert cells(compared(reference, reference, stop=2800).sought) == {(4, 4): 1}
    assert cells(compared(beats("NVVV"), beats("NVVV")).sought) == {}


@pytest.mark.parametrize(("late", "length"), [(54, 2), (55, 1)])
def test_a_run_is_looked_for_150_ms_around_it(late, length):
    test = beats("NVVN")
    test[2] = test[2]._replace(sample=test[2].sample + late)
    assert cells(compared(beats("NVVN"), test).sought) == {(2, length): 1}


@given(LETTERS, LETTERS)
def test_sums_are_the_numbers_of_runs_whatever_the_other_says(first, second):
    for kind, runs_of in (("V", "VF"), ("S", "A")):
        runs = compared(beats(first), beats(second), kind)
        for letters, lengths in ((first, runs.sought.sum(1)), (second, runs.told.sum(0))):
            same = "".join("x" if letter in runs_of else " " for letter in letters)
            ended = same.rstrip("x").split()
            wanted = np.bincount([min(len(p), LONGEST) for p in ended], minlength=LONGEST + 1)
            assert lengths.tolist() == wanted.tolist()


@given(LETTERS)
def test_who_agrees_finds_all(letters):
    for kind in KINDS:
        runs = compared(beats(letters), beats(letters), kind)
        assert np.array_equal(runs.sought, np.diag(np.diag(runs.sought)))
        assert np.array_equal(runs.told, runs.sought)
