"""Every window goes to its wearer's model, however many models there are."""

from types import SimpleNamespace

import numpy as np
import pytest

from ecgmon.signal import Geometry, Windows
from ecgmon.signal.quality import NOISY, SIGNAL
from monitor.inference.engine import classify
from monitor.inference.incremental import IncrementalWindows

GEOMETRY = Geometry(0, 0, 120)
NONE = IncrementalWindows()
"""No model here has weights that it knows."""


class Personal:
    """Says who it is, and notes how many windows it was asked about at once."""

    weights = None

    def __init__(self, number):
        self.number, self.asked = number, []

    def probability(self, inputs):
        self.asked.append(len(inputs))
        return self.number + inputs[:, 0]


class Counted(dict):
    """Counts how often a model is looked up."""

    looked_up = 0

    def __getitem__(self, row):
        self.looked_up += 1
        return super().__getitem__(row)

    def get(self, row):
        self.looked_up += 1
        return super().get(row)


def windows(rows, state=SIGNAL, settled=True):
    n = len(rows)
    columns = {name: np.zeros(n) for name in Windows.__slots__}
    columns["rows"] = np.asarray(rows, dtype=np.intp)
    columns["inputs"] = np.zeros((n, GEOMETRY.inputs), dtype=np.float32)
    columns["inputs"][:, 0] = np.arange(n) / 2**14
    columns["state"] = np.broadcast_to(np.asarray(state, dtype=np.int8), n)
    columns["settled"] = np.broadcast_to(settled, n)
    return Windows(**columns)


def test_each_window_is_judged_by_its_wearers_model_and_each_model_is_asked_once():
    rng = np.random.default_rng(1)
    rows = rng.permutation(np.repeat(np.arange(40), 3))
    several = [Personal(k) for k in range(7)]
    models = {row: several[row % 7] for row in range(50)}
    judged = windows(rows)
    expected = np.array(rows % 7 + judged.inputs[:, 0], dtype=np.float32)
    np.testing.assert_array_equal(classify(judged, models, NONE), expected)
    assert [len(model.asked) for model in several] == [1] * 7
    assert sum(model.asked[0] for model in several) == len(rows)


def test_no_model_is_asked_about_what_is_no_signal_or_not_settled():
    models = {0: Personal(0), 1: Personal(1), 2: Personal(2)}
    state, settled = np.array([SIGNAL, NOISY, SIGNAL]), np.array([True, True, False])
    judged = classify(windows([0, 1, 2], state, settled), models, NONE)
    assert judged[0] == 0
    assert np.isnan(judged[1:]).all()
    assert [len(model.asked) for model in models.values()] == [1, 0, 0]


@pytest.mark.parametrize("wearers", [400, 4000])
def test_the_bookkeeping_grows_with_the_windows_not_with_windows_times_models(wearers):
    models = Counted({row: Personal(row) for row in range(wearers)})
    judged = classify(windows(np.arange(wearers)), models, NONE)
    np.testing.assert_array_equal(np.floor(judged), np.arange(wearers))
    assert models.looked_up <= 2 * wearers


def test_a_model_that_serves_many_is_one_batch():
    shared = SimpleNamespace(
        probability=lambda inputs: np.full(len(inputs), len(inputs)), weights=None
    )
    assert set(classify(windows(np.arange(300)), dict.fromkeys(range(300), shared), NONE)) == {300}
