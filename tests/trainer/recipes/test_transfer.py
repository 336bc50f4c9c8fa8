"""Study 3's network, its loss and its systems."""

import numpy as np
import pytest
import torch

from trainer.data.examples import Examples
from trainer.recipes import recipe
from trainer.recipes.transfer import RECIPE, TransferNet, score, weighted_loss
from trainer.training.recipe import Checkpoints, Task


def made(n, channels=1, length=187, seed=0):
    """Beats of three classes that differ in where they are high."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int8) % 3
    inputs = rng.normal(0, 0.1, (n, channels, length)).astype(np.float32)
    for beat, label in zip(inputs, labels, strict=True):
        beat[0, 40 * label : 40 * label + 30] += 1
    wearers = np.array(["100", "101"])[np.arange(n) % 2]
    return Examples(inputs, labels, wearers, np.arange(n) * 300, ("N", "S", "V"))


def parameters(network):
    return sum(each.numel() for each in network.parameters() if each.requires_grad)


def test_the_network_has_as_many_parameters_as_the_publication_says():
    assert parameters(TransferNet(1, 187, 5)) == 5_125_125


def test_it_has_four_convolutional_and_four_dense_layers():
    layers = list(TransferNet(1, 187, 5).modules())
    assert sum(isinstance(layer, torch.nn.Conv1d) for layer in layers) == 4
    assert sum(isinstance(layer, torch.nn.Linear) for layer in layers) == 4


@pytest.mark.parametrize(("channels", "length", "classes"), [(1, 187, 5), (3, 187, 2), (4, 256, 5)])
def test_every_input_gets_a_logit_for_each_class(channels, length, classes):
    network = TransferNet(channels, length, classes)
    assert network(torch.zeros(7, channels, length)).shape == (7, classes)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_what_is_before_the_last_layers_and_they_are_the_whole_network(k):
    network = TransferNet(1, 187, 5).eval()
    inputs = torch.rand(3, 1, 187)
    assert torch.equal(network.last(k)(network.before(k)(inputs)), network(inputs))
    assert parameters(network.before(k)) + parameters(network.last(k)) == 5_125_125
    assert sum(isinstance(layer, torch.nn.Linear) for layer in network.last(k).modules()) == k


def test_a_copy_for_other_classes_shares_nothing_and_keeps_all_but_the_output():
    network = TransferNet(1, 187, 5)
    copy = network.for_classes(2)
    assert copy(torch.zeros(1, 1, 187)).shape == (1, 2)
    for mine, its in zip(network.before(1).parameters(), copy.before(1).parameters(), strict=True):
        assert torch.equal(mine, its)
        assert mine.data_ptr() != its.data_ptr()


def test_the_loss_by_hand():
    logits = torch.tensor([[1.0, 3.0], [1.0, 3.0]]).log()
    labels = torch.tensor([0, 1])
    # Probabilities 1/4 and 3/4; 9 and 1 examples weigh 10/18 and 10/2.
    expected = (5 / 9 * np.log(4) + 5 * np.log(4 / 3)) / (5 / 9 + 5)
    balanced = weighted_loss(np.array([9, 1]), 1.0)(logits, labels)
    assert balanced.item() == pytest.approx(expected, rel=1e-5)
    # Tempered, a class of a ninth of the examples weighs three times as much.
    expected = (np.log(4) + 3 * np.log(4 / 3)) / (1 + 3)
    tempered = weighted_loss(np.array([9, 1]), 0.5)(logits, labels)
    assert tempered.item() == pytest.approx(expected, rel=1e-5)


def test_a_class_without_examples_does_not_spoil_the_loss():
    loss = weighted_loss(np.array([9, 0, 1]), 0.5)(torch.zeros(2, 3), torch.tensor([0, 2]))
    assert loss.item() == pytest.approx(np.log(3), rel=1e-5)


def test_the_score_is_the_mean_of_accuracy_and_mean_recall():
    class Always(torch.nn.Module):
        def forward(self, inputs):
            return torch.tensor([1.0, 0.0, 0.0]).expand(len(inputs), 3)

    assert score(Always(), made(9)) == pytest.approx(1 / 3)
    skewed = made(9)[np.array([0, 3, 6, 1])]  # three of the first class, one of the second
    assert score(Always(), skewed) == pytest.approx((3 / 4 + 1 / 2) / 2)


@pytest.mark.parametrize("name", ["published", "tuned"])
def test_a_system_is_trained_once_and_read_back_after(name, tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.recipes.transfer.WIDTHS", (32, 32, 16))
    epochs = []
    checkpoints = Checkpoints(tmp_path, lambda *each: epochs.append(each))
    task = Task(made(90), made(30, seed=1), 1, checkpoints)
    first = recipe("transfer").systems[name](task)
    trained = len(epochs)
    assert trained > 3
    assert all(called == name and epoch.score is not None for called, epoch in epochs)
    again = RECIPE.systems[name](task)
    assert len(epochs) == trained
    for mine, its in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(mine, its)
