"""Bundles of rhythm models: what a monitor takes, and what it says of what it does not."""

import msgspec
import numpy as np
import pytest

from ecgmon.core.errors import BundleError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model, checksum, judges, metadata, verify
from ecgmon.models.loading import load
from ecgmon.models.resolve import GENERIC_RHYTHMS, built_in, rhythms_of, stored
from ecgmon.models.rhythm_bundle import RHYTHMS, RhythmCard, RhythmModel
from ecgmon.signal.geometry import RHYTHM
from tests.support.rhythm_bundles import changed

BUILT_IN = built_in()[GENERIC_RHYTHMS]


def test_the_built_in_model_is_small_and_says_what_it_is():
    model = load(BUILT_IN)
    assert isinstance(model, RhythmModel)
    assert judges(BUILT_IN) == "rhythm"
    assert model.card.classes == RHYTHMS
    assert BUILT_IN.stat().st_size <= 2**20
    assert sum(model.card.fitted) > 10_000
    assert "vfdb/424" in {span.record for span in model.card.trained_on}
    said = model.probability(np.zeros((3, RHYTHM.inputs), dtype=np.float32))
    assert said.shape == (3, len(RHYTHMS))
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    assert (said[:, 0] > 0.5).all()  # a flat line is neither


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rate": 250}, "judges rhythms as no monitor does"),
        ({"history_s": 7.0}, "judges rhythms as no monitor does"),
        ({"classes": ("other", "sinus", "atrial")}, "judges rhythms as no monitor does"),
        ({"conditioning": {"order": 2}}, "behind another filter"),
        ({"seconds": (1, 2)}, "does not count by its 3 classes"),
        ({"input": "beat"}, "cannot be read"),
    ],
)
def test_another_model_is_refused_in_one_sentence(tmp_path, changes, why):
    path = changed(tmp_path / "m.onnx", **changes)
    with pytest.raises(BundleError, match=why) as caught:
        RhythmModel.load(path)
    assert "\n" not in str(caught.value)


def test_another_graph_than_the_card_says_is_refused(tmp_path):
    of_beats = built_in()["beats"]
    data = of_beats.read_bytes()
    card, _ = verify(BUILT_IN, BUILT_IN.read_bytes(), RhythmCard)
    graph = data[: load(of_beats).card.graph_bytes]
    text = msgspec.json.encode(msgspec.structs.replace(card, graph_bytes=len(graph)))
    path = tmp_path / "m.onnx"
    path.write_bytes(graph + metadata(text, checksum(graph, text)))
    with pytest.raises(BundleError, match="takes other input than its card says"):
        RhythmModel.load(path)


def test_a_model_of_one_kind_is_not_taken_for_another():
    with pytest.raises(BundleError, match="judges rhythms: give a model that judges windows"):
        Model.load(BUILT_IN)
    with pytest.raises(BundleError, match="cannot be read"):
        BeatModel.load(BUILT_IN)


def test_a_wearer_s_own_model_comes_before_the_generic_one(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path))
    assert rhythms_of("ann") == BUILT_IN
    store = stored()
    store.activate("ann", store.add("ann", changed(tmp_path / "own.onnx", wearer="ann")))
    assert rhythms_of("ann") == store.path("ann", 1)
    assert store.in_service("ann") is None
    assert store.rollback("ann", "rhythm") is None
    assert rhythms_of("ann") == BUILT_IN
