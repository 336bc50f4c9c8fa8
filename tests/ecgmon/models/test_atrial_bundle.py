"""Bundles of models of atrial rhythms: what a monitor takes, and what it says of others."""

import numpy as np
import pytest

from ecgmon.core.errors import BundleError
from ecgmon.models.atrial_bundle import ATRIAL, AtrialModel
from ecgmon.models.bundle import judges
from ecgmon.models.loading import load
from ecgmon.models.resolve import GENERIC_ATRIAL, atrial_of, built_in, stored
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE
from tests.support.rhythm_bundles import changed_atrial

BUILT_IN = built_in()[GENERIC_ATRIAL]


def test_the_built_in_model_is_small_and_says_what_it_is():
    model = load(BUILT_IN)
    assert isinstance(model, AtrialModel)
    assert judges(BUILT_IN) == "atrial"
    assert model.card.classes == ATRIAL
    assert BUILT_IN.stat().st_size <= 2**20
    assert min(model.card.fitted) > 1000
    said = model.probability(np.zeros((3, *ATRIAL_SHAPE), dtype=np.float32))
    assert said.shape == (3, len(ATRIAL))
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rate": 250}, "judges atrial rhythms as no monitor does"),
        ({"beats": 16}, "judges atrial rhythms as no monitor does"),
        ({"conditioning": {"order": 2}}, "judges atrial rhythms as no monitor does"),
        ({"inputs": (1, 2, 3)}, "does not count by its 2 classes"),
        ({"input": "rhythm"}, "cannot be read"),
    ],
)
def test_another_model_is_refused_in_one_sentence(tmp_path, changes, why):
    path = changed_atrial(tmp_path / "m.onnx", **changes)
    with pytest.raises(BundleError, match=why) as caught:
        AtrialModel.load(path)
    assert "\n" not in str(caught.value)


def test_a_wearer_s_own_model_comes_before_the_generic_one(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path))
    assert atrial_of("ann") == BUILT_IN
    store = stored()
    store.activate("ann", store.add("ann", changed_atrial(tmp_path / "own.onnx", wearer="ann")))
    assert atrial_of("ann") == store.path("ann", 1)
    assert store.rollback("ann", "atrial") is None
    assert atrial_of("ann") == BUILT_IN
