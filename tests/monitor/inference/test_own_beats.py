"""Beats judged by wearers' own models in one batch: as their graphs do, whoever is beside them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import BundleError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.beat_kinds import BeatKinds
from ecgmon.models.beat_layers import beat_layers
from ecgmon.signal.beat_cutter import BeatInputs
from ecgmon.signal.beat_segments import VALUES
from monitor.inference.beats import CHECK_EVERY, classify_beats
from monitor.inference.own_beats import TOGETHER, checked, load_resting, own_probability
from tests.support.beat_bundles import BUILT_IN, another_own, of_wearer

PEOPLE = 5


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Own models, the last one of another generic model than the others."""
    folder = tmp_path_factory.mktemp("own")
    return [
        BeatModel.load(another_own(folder / f"{n}.onnx", f"w{n}", seed=n, everything=n == 4))
        for n in range(PEOPLE)
    ]


def inputs_of(seed, n):
    return np.random.default_rng(seed).normal(size=(n, VALUES)).astype(np.float32)


def beats_of(rows, at, inputs):
    rows, at = np.array(rows, dtype=np.intp), np.array(at, dtype=np.int64)
    return BeatInputs(rows, at, inputs, np.ones(len(rows), dtype=bool))


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, TOGETHER + 8))
@settings(max_examples=15)
def test_a_beat_has_the_same_bits_alone_and_beside_others_and_what_its_graph_says(models, seed, n):
    inputs = inputs_of(seed, n)
    whose = np.random.default_rng(seed + 1).integers(0, PEOPLE, n)
    layers = [models[i].layers for i in whose]
    together = own_probability(inputs, layers)
    for i in range(n):
        (alone,) = own_probability(inputs[[i]], layers[i : i + 1])
        assert together[i].tobytes() == alone.tobytes()
        (by_graph,) = models[whose[i]].probability(inputs[[i]])
        np.testing.assert_allclose(alone, by_graph, rtol=0, atol=1e-5)


def test_models_that_share_their_first_layers_are_of_one_kind(models):
    assert len({id(model.layers.shared) for model in models[:-1]}) == 1
    assert models[-1].layers.shared is not models[0].layers.shared


def test_a_model_at_rest_judges_the_same_and_its_file_may_be_another_one(tmp_path):
    own = another_own(tmp_path / "w.onnx", "w")
    model, awake = load_resting(own), BeatModel.load(own)
    inputs = inputs_of(1, 1)
    (said,) = own_probability(inputs, [model.layers])
    assert checked(model, inputs[0], said) is said
    assert model.probability(inputs).tobytes() == awake.probability(inputs).tobytes()
    model.rest()
    own.write_bytes((BUILT_IN / "beats.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"w\.onnx has been replaced: start again"):
        model.probability(inputs)
    assert checked(model, inputs[0], said) is said


def test_only_own_models_of_the_known_network_are_judged_by_layers(tmp_path):
    assert BeatModel.load(BUILT_IN / "beats.onnx").layers is None
    own = another_own(tmp_path / "w.onnx", "w")
    other = of_wearer(own, tmp_path / "other.onnx", "w", network="context")
    assert BeatModel.load(other).layers is None
    graph = own.read_bytes()
    assert beat_layers(graph, 5) is not None
    assert beat_layers(graph, 4) is None
    assert beat_layers(graph.replace(b"shape.9.bias", b"shape.9.bent"), 5) is None
    assert beat_layers(b"nothing", 5) is None


def test_wearers_with_models_of_their_own_are_judged_beside_those_without(models):
    shared = BeatModel.load(BUILT_IN / "beats.onnx")
    judges = {0: models[0], 1: shared, 2: models[4], 3: shared}
    rows = [0, 1, 1, 2, 3, 0, 4]
    beats = beats_of(rows, range(1, 8), inputs_of(5, len(rows)))
    found = classify_beats(beats, judges, BeatKinds(4))
    alone = BeatKinds(4)
    for i in range(len(rows)):
        (each,) = classify_beats(
            BeatInputs(*(getattr(beats, name)[[i]] for name in BeatInputs.__slots__)),
            judges,
            alone,
        )
        assert found[i] == each
    assert [beat.label is None for beat in found] == [row == 4 for row in rows]


def test_a_model_whose_graph_says_something_else_is_judged_by_the_graph_from_then_on(models):
    model, other = models[1], models[2]
    honest = model.layers
    try:
        model.layers = replace(honest, own=other.layers.own)
        inputs, kinds = inputs_of(7, 1), BeatKinds(1)
        (first,) = classify_beats(beats_of([0], [CHECK_EVERY - 1], inputs), {0: model}, kinds)
        assert model.layers is not None
        (second,) = classify_beats(beats_of([0], [CHECK_EVERY], inputs), {0: model}, BeatKinds(1))
        assert model.layers is None
        by_graph = model.probability(inputs)[0]
    finally:
        model.layers = honest
    assert second.probability == pytest.approx(by_graph.max(), abs=1e-6)
    assert first.probability != pytest.approx(second.probability, abs=1e-4)
