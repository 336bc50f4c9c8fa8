"""Varied beats."""

import numpy as np
import torch
from torch.nn import functional

from trainer.data.examples import Examples
from trainer.training.augmentation import AugmentedBatches


def test_varied_batches_change_the_signal_a_little_and_nothing_else():
    rng = np.random.default_rng(3)
    inputs = np.full((40, 2, 187), 7, dtype=np.float32)
    inputs[:, 0] = np.exp(-0.5 * ((np.arange(187) - rng.integers(20, 160, (40, 1))) / 6) ** 2)
    labels = rng.integers(0, 5, 40).astype(np.int8)
    examples = Examples(inputs, labels, np.full(40, "100"), np.arange(40), tuple("NSVFQ"))
    before = inputs.copy()
    varied, labelled = AugmentedBatches(examples, 40, functional.cross_entropy).draw(
        np.random.default_rng(1)
    )
    again, _ = AugmentedBatches(examples, 40, functional.cross_entropy).draw(
        np.random.default_rng(1)
    )
    order = np.random.default_rng(1).permutation(40)
    assert np.array_equal(examples.inputs, before)
    assert np.array_equal(labelled, labels[order])
    assert (varied[:, 1] == 7).all()
    assert torch.equal(varied, again)
    difference = np.abs(varied[:, 0].numpy() - before[order, 0])
    assert 0 < difference.mean() < 0.1
