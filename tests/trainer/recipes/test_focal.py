from dataclasses import replace

import numpy as np
import pytest
import torch

from trainer.data.examples import Examples
from trainer.networks.window_networks import parameter_count
from trainer.recipes import recipe
from trainer.recipes.focal import (
    PUBLISHED,
    RECIPE,
    SixPairs,
    mean_f1,
)
from trainer.training.recipe import Checkpoints, Task, accuracy, adapt

CLASSES = ("N", "S", "V", "F", "Q")


def beats(counts, seed, channels=1):
    """Bumps at a place of their class, on noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts), dtype=np.int8), counts)
    time = np.arange(187)
    signal = np.exp(-0.5 * ((time - 20 - 35 * labels[:, None]) / 6) ** 2)
    inputs = np.zeros((len(labels), channels, 187), dtype=np.float32)
    inputs[:, 0] = signal + rng.normal(0, 0.05, signal.shape)
    wearers = np.full(len(labels), "nobody")
    return Examples(inputs, labels, wearers, np.zeros(len(labels), dtype=np.int64), CLASSES)


def task(seed=1, checkpoints=None, channels=1):
    training = beats((40, 10, 10, 8, 10), 1, channels)
    validation = beats((30, 10, 10, 10, 10), 2, channels)
    return Task(training, validation, seed, checkpoints or Checkpoints())


def test_the_recipe_is_found_by_its_name():
    assert recipe("focal") is RECIPE
    assert list(RECIPE.systems)[-1] == "tuned"


@pytest.mark.parametrize(("channels", "length", "classes"), [(1, 187, 5), (4, 240, 2)])
def test_the_network_maps_any_channels_and_length_to_a_logit_a_class(channels, length, classes):
    network = SixPairs(channels, length, classes).eval()
    assert network(torch.zeros(3, channels, length)).shape == (3, classes)


def test_the_network_has_six_pairs_of_convolutions_and_two_dense_layers():
    network = SixPairs(1, 187, 5)
    shapes = [tuple(weights.shape) for weights in network.parameters() if weights.ndim > 1]
    assert [len(shape) for shape in shapes] == [4] * 12 + [2] * 2
    # By hand: 5 x in x out + out of each convolution, then 256 -> 64 -> 5.
    pairs = [(1, 16), (16, 16), (16, 32), (32, 32), (32, 32), (32, 32), (32, 64), (64, 64)]
    pairs += [(64, 64), (64, 64), (64, 128), (128, 128)]
    convolutions = sum(5 * a * b + b for a, b in pairs)
    assert parameter_count(network) == convolutions + 257 * 64 + 65 * 5 == 231_285


@pytest.mark.thorough
def test_a_few_beats_are_learned():
    given = task()
    network = RECIPE.systems["tuned"](given)
    assert accuracy(network, given.training) > 0.9
    assert mean_f1(network, given.validation) > 0.9


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_weights_and_stored_ones_are_used(tmp_path):
    seen = []
    checkpoints = Checkpoints(tmp_path, lambda name, epoch: seen.append((name, epoch.number)))
    first = RECIPE.systems["cross-entropy"](task(checkpoints=checkpoints))
    trained = list(seen)
    again = RECIPE.systems["cross-entropy"](task())
    loaded = RECIPE.systems["cross-entropy"](task(checkpoints=checkpoints))
    assert trained == [("cross-entropy", number) for number in range(1, 26)]
    assert seen == trained
    for name, weights in first.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])
        assert torch.equal(weights, loaded.state_dict()[name])


@pytest.mark.thorough
def test_a_wearer_s_beats_are_learned_without_forgetting_the_others():
    """The wearer's V lies between N and S of the others; of the wearer nothing else is known."""
    given = task()
    others = given.training
    network = RECIPE.systems["tuned"](given)
    normal = beats((40, 0, 0, 0, 0), 6)
    between = np.roll(normal.inputs, 17, axis=2)
    own = replace(normal, inputs=between, labels=np.full(40, 2, dtype=np.int8))
    # So few steps leave an average of the weights where it was.
    unaveraged = replace(RECIPE, adaptation=replace(RECIPE.adaptation, averaging=0.0))
    adapted = adapt(unaveraged, network, own, others, seed=1)
    assert accuracy(network, own) < 0.1
    assert accuracy(adapted, own) > 0.5
    alone = adapt(unaveraged, network, own, own, seed=1)
    rare = others.labels != 0
    assert accuracy(adapted, others[rare]) > max(0.8, accuracy(alone, others[rare]) + 0.1)


def test_the_published_table_cannot_be_of_beats_as_they_come():
    figures = PUBLISHED["published"]
    beats_of = dict(zip(CLASSES, (90589, 2779, 7236, 803, 8039), strict=True))

    def called_wrongly(name):
        right = figures[f"{name} recall"] * beats_of[name]
        return right / figures[f"{name} precision"] - right

    missed = {name: (1 - figures[f"{name} recall"]) * n for name, n in beats_of.items()}
    assert called_wrongly("N") == pytest.approx(2746, abs=1)
    assert sum(missed.values()) - missed["N"] == pytest.approx(468, abs=1)
