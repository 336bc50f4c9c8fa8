"""Plots that explain study 3's network."""

import numpy as np
import pytest
import torch
from matplotlib import image

from trainer.data.examples import Examples
from trainer.evaluation import explanation
from trainer.recipes.transfer import TransferNet


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TransferNet(1, 187, 3).eval()


@pytest.fixture
def beats():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3, dtype=np.int8), 12)
    inputs = rng.normal(labels[:, None, None], 0.1, (36, 1, 187)).astype(np.float32)
    return Examples(inputs, labels, np.full(36, "100"), np.arange(36), ("N", "S", "V"))


def test_the_features_are_the_last_convolutions_outputs(network, beats):
    found = explanation.features(network, beats.inputs)
    with torch.inference_mode():
        out = network.convolutions(torch.from_numpy(beats.inputs))
    assert found.shape == (36, 320)
    np.testing.assert_array_equal(found, out.flatten(1).numpy())


def test_the_representative_beat_is_the_one_in_the_middle_of_its_class(network, beats):
    chosen = explanation.representative(network, beats)
    assert beats.labels[chosen].tolist() == [0, 1, 2]
    seen = explanation.features(network, beats.inputs[:12])
    nearest = np.linalg.norm(seen - seen.mean(0), axis=1).argmin()
    called = network(torch.from_numpy(beats.inputs[:12])).argmax(1)
    assert (called == called[0]).all()  # all are called right, or all wrong
    assert chosen[0] == nearest


@pytest.mark.thorough
def test_activations_and_embedding_are_drawn(network, beats, tmp_path):
    explanation.activations(network, beats, tmp_path / "plots" / "activations.png")
    pytest.importorskip("sklearn", reason="needs scikit-learn: make install-dev")
    explanation.embedding(network, beats, tmp_path / "plots" / "embedding.png")
    for path in (tmp_path / "plots").iterdir():
        picture = image.imread(path)
        assert min(picture.shape[:2]) > 400
        assert picture[..., :3].std() > 0.05  # not blank
