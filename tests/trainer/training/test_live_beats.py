"""Training of the generic beat model: what batches hold, what the prior undoes, what it weighs."""

import numpy as np
import pytest
import torch
from torch import nn

from ecgmon.signal.beat_segments import LENGTH, SHAPES, VALUES
from trainer.data.learned_beats import BeatGroup
from trainer.networks.beat_context_net import BeatContextNet
from trainer.training.live_beats import BATCH, POWER, SHARES, GroupBatches, prior


def group(counts, value, weight=1.0):
    labels = np.repeat(np.array([0, 1, 2, 4], dtype=np.int8), counts)
    return BeatGroup(np.full((len(labels), VALUES), value, dtype=np.float16), labels, weight)


def test_batches_have_their_shares_of_classes_and_of_groups():
    few, many = group([100, 10, 10, 4], 1), group([100, 640, 10, 4], 2, weight=0.5)
    batches, rng = GroupBatches([few, many]), np.random.default_rng(1)
    drawn = [batches.draw(rng) for _ in range(200)]
    labels = torch.cat([label for _, label in drawn]).numpy()
    inputs = torch.cat([each[:, 0] for each, _ in drawn]).numpy()
    assert drawn[0][0].shape == (BATCH, VALUES)
    assert drawn[0][0].dtype == torch.float32
    shares = np.bincount(labels, minlength=5) / len(labels)
    assert shares == pytest.approx(np.array(SHARES), abs=0.01)
    of_many = (inputs[labels == 1] == 2).mean()
    weight = 0.5 * 64**POWER
    assert of_many == pytest.approx(weight / (1 + weight), abs=0.02)


def test_the_prior_undoes_the_shares_of_training():
    """A network that knows nothing says how frequent each class is among people."""
    counts = np.array([9000, 400, 550, 0, 50])
    taught = np.array(SHARES) > 0
    odds = np.array(SHARES) * np.exp(prior(counts))
    assert (odds / odds.sum())[taught] == pytest.approx((counts / counts.sum())[taught], rel=1e-5)


def test_the_network_stays_within_its_cost():
    """At most 0.8 million multiplications a beat, and 150 kB that fine-tuning would make own."""
    network, multiplications = BeatContextNet(5).eval(), []

    def count(layer, _inputs, output):
        each = layer.weight[0].numel()
        multiplications.append(each * output.numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        assert network(torch.zeros(1, VALUES)).shape == (1, 5)
    assert sum(multiplications) <= 800_000
    own = [p for name, p in network.named_parameters() if ".weight" in name and p.ndim == 2]
    assert sum(p.numel() for p in own) * 4 <= 150_000


def test_training_varies_what_the_network_sees_and_judging_does_not():
    torch.manual_seed(1)
    network = BeatContextNet(5)
    x = torch.randn(8, VALUES)
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))
    assert SHAPES * LENGTH < VALUES
