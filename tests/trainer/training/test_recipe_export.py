"""Bundles of recipes' networks; what they judge and what they were made from is synthetic."""

import numpy as np
import pytest
import torch

from ecgmon.core.errors import BundleError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model, judges
from trainer.data.examples import Examples
from trainer.recipes.context import ContextNet
from trainer.recipes.focal import SixPairs
from trainer.recipes.pictures import PictureNet
from trainer.recipes.transfer import TransferNet
from trainer.studies.representation.networks import KINDS, Ensemble
from trainer.training.recipe import class_probabilities
from trainer.training.recipe_export import TrainedRecipe, export_beats, export_windows

RECORDS = {name: f"mitdb/{name}" for name in ("100", "101", "102", "103")}


def examples(wearers, classes, shape, seed):
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(len(classes), dtype=np.int8), 10)
    n = len(labels)
    return Examples(
        rng.normal(size=(n, *shape)).astype(np.float32),
        labels,
        np.resize(np.array(wearers), n),
        np.arange(n) * 360,
        classes,
    )


def trained(network, classes, shape):
    sides = (("100", "101"), ("102",), ("103",))
    parts = [examples(side, classes, shape, seed) for seed, side in enumerate(sides)]
    return TrainedRecipe("made", network.eval(), *parts, RECORDS, seed=1)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("network", "channels"),
    [
        (lambda: SixPairs(1, 187, 5), 1),
        (lambda: ContextNet(5, 187, 5), 5),
        (lambda: TransferNet(3, 187, 5), 3),
        (lambda: Ensemble([make(2, 187, 5) for make in KINDS.values()]), 2),
    ],
    ids=["focal", "context", "transfer", "representation"],
)
def test_a_network_of_beats_says_in_its_bundle_what_it_says_in_torch(tmp_path, network, channels):
    torch.manual_seed(1)
    made = trained(network(), tuple("NSVFQ"), (channels, 187))
    model = export_beats(made, "published", tmp_path / "m.onnx")
    assert judges(tmp_path / "m.onnx") == "beat"
    card = model.card
    assert card.trained_on[0].record == "mitdb/100"
    assert card.beats == (10,) * 5
    assert np.sum(card.evaluation.counts) == 50
    for n in (1, 50):
        inputs = made.evaluation.inputs[:n]
        probability = model.probability(inputs)
        np.testing.assert_allclose(
            probability, class_probabilities(made.network, inputs), atol=1e-5
        )
    called = probability.argmax(1)
    assert np.trace(card.evaluation.counts) == np.sum(called == made.evaluation.labels)


@pytest.mark.thorough
def test_a_network_of_windows_becomes_a_bundle_that_a_monitor_loads(tmp_path):
    torch.manual_seed(1)
    made = trained(PictureNet(2), ("normal", "abnormal"), (1, 128))
    made.evaluation.inputs[0] = 0  # a flat window has pictures too
    model = export_windows(made, tmp_path / "m.onnx")
    assert judges(tmp_path / "m.onnx") == "window"
    with pytest.raises(BundleError, match="card that cannot be read"):
        BeatModel.load(tmp_path / "m.onnx")
    again = Model.load(tmp_path / "m.onnx")
    assert again.card == model.card
    assert model.card.threshold == 0.5
    inputs = made.evaluation.inputs
    probability = model.probability(np.ascontiguousarray(inputs[:, 0]))
    np.testing.assert_allclose(
        probability, class_probabilities(made.network, inputs)[:, 1], atol=1e-5
    )
    counts = model.card.evaluation
    truth = made.evaluation.labels == 1
    assert (counts.tp, counts.fp) == (
        (truth & (probability > 0.5)).sum(),
        (~truth & (probability > 0.5)).sum(),
    )
    assert counts.tp + counts.fp + counts.tn + counts.fn == len(truth)
