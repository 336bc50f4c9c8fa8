"""The intervals in the page's tables."""

import numpy as np

from trainer.evaluation.studies.run import SystemResult
from trainer.evaluation.studies.tables import interval, mean_recall


def test_an_interval_by_class_draws_as_many_wearers_of_each():
    """Nine healthy wearers, nine tenths right, and one who is ill and called right."""
    healthy = {f"h{n}": [[9, 1], [0, 0]] for n in range(9)}
    judged = SystemResult("mlp", "trained", ("healthy", "ill"), healthy | {"i": [[0, 0], [0, 20]]})
    assert interval(judged, mean_recall, by_class=True) == "0.950 to 0.950"
    # Without the one who is ill there is but one class to take the mean over.
    assert interval(judged, mean_recall) == "0.900 to 0.950"


def test_an_interval_is_as_wide_as_wearers_differ():
    half = {str(n): [[10 * (n % 2), 10 * (1 - n % 2)], [0, 0]] for n in range(100)}
    judged = SystemResult("mlp", "trained", ("healthy", "ill"), half)
    low, high = map(float, interval(judged, lambda c: c[0, 0] / c.sum()).split(" to "))
    # A mean of 100 that are 0 or 1: 0.5 with a standard error of 0.05.
    np.testing.assert_allclose([low, high], [0.402, 0.598], atol=0.02)
