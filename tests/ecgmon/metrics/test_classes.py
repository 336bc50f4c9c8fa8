import numpy as np
import pytest

from ecgmon.metrics.classes import Figures, confusion


def test_a_confusion_matrix_has_the_true_classes_in_its_rows():
    truth = np.array([0, 0, 0, 1, 2], dtype=np.int8)
    called = np.array([0, 0, 1, 1, 0])
    assert confusion(truth, called, 4).tolist() == [
        [2, 1, 0, 0],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_figures_are_those_of_a_case_worked_by_hand():
    figures = Figures(np.array([[90, 10], [2, 8]]))
    assert figures.precision == pytest.approx([90 / 92, 8 / 18])
    assert figures.recall == pytest.approx([0.9, 0.8])
    assert figures.f1 == pytest.approx([180 / 192, 16 / 28])


def test_at_equal_classes_a_rare_class_is_no_longer_drowned():
    # Rows as shares: .9 .1 and .2 .8.
    figures = Figures(np.array([[90, 10], [2, 8]])).at_equal_classes()
    assert figures.precision == pytest.approx([0.9 / 1.1, 0.8 / 0.9])
    assert figures.recall == pytest.approx([0.9, 0.8])
    assert figures.f1 == pytest.approx([1.8 / 2.1, 1.6 / 1.9])


def test_equal_classes_stay_as_they_are():
    own = Figures(np.array([[7, 2, 1], [1, 9, 0], [0, 3, 7]]))
    equal = own.at_equal_classes()
    assert equal.precision == pytest.approx(own.precision)
    assert equal.recall == pytest.approx(own.recall)
    assert equal.f1 == pytest.approx(own.f1)
    assert equal.accuracy == pytest.approx(own.accuracy) == 23 / 30
    assert own.mean_recall == pytest.approx(23 / 30)


@pytest.mark.parametrize("equal", [False, True])
def test_what_has_no_examples_or_is_never_called_has_no_figures(equal):
    # Class 2 has no examples but is called once; class 1 is never called.
    figures = Figures(np.array([[5, 0, 1], [2, 0, 0], [0, 0, 0]]))
    figures = figures.at_equal_classes() if equal else figures
    assert np.isnan(figures.precision).tolist() == [False, True, False]
    assert np.isnan(figures.recall).tolist() == [False, False, True]
    assert np.isnan(figures.f1).tolist() == [False, False, True]
    assert figures.f1[1] == 0
    assert figures.precision[2] == 0


def test_by_name_a_figure_that_is_not_there_is_null():
    named = Figures(np.array([[3, 1], [0, 0]])).as_builtins(("N", "V"))
    assert named["accuracy"] == 0.75
    assert named["per_class"]["V"] == {"precision": 0.0, "recall": None, "f1": None}
