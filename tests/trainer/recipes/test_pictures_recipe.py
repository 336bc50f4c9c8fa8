import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainer.data.examples import Examples
from trainer.data.labelled_windows import CLASSES, LENGTH
from trainer.networks.window_networks import parameter_count
from trainer.recipes import pictures, recipe
from trainer.recipes.pictures import (
    RATES,
    PictureNet,
    _score,
    _shift,
    _shifted,
    _weighted,
    fine_tuned,
    generic,
    individual,
)
from trainer.training.recipe import Checkpoints, Task, adapt, balanced_accuracy

pytestmark = pytest.mark.thorough

RECIPE = recipe("pictures")


def windows(seed, n=96, share=0.5):
    """Seconds with a narrow beat, or, abnormal, a wide one, anywhere in it."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) < share * n).astype(np.int8)
    width = np.where(labels, 12, 3)[:, None]
    at = rng.uniform(20, LENGTH - 20, (n, 1))
    beat = np.exp(-(((np.arange(LENGTH) - at) / width) ** 2))
    inputs = (beat + rng.normal(0, 0.05, beat.shape)).astype(np.float32)[:, None]
    samples = np.arange(n, dtype=np.int64) * 360
    return Examples(inputs, labels, np.full(n, "a"), samples, CLASSES)


def late(seed, n=96):
    """Windows of a wearer whose late beats are abnormal: no others' are."""
    narrow = windows(seed, n, share=0)
    abnormal = narrow.inputs[:, 0].argmax(1) > LENGTH / 2
    return replace(narrow, labels=abnormal.astype(np.int8))


@pytest.fixture(scope="module")
def trained():
    return generic(Task(windows(1, n=192), windows(2, n=64), 1))


def test_the_network_is_small_and_gives_a_logit_a_class():
    network = PictureNet(2)
    assert network(torch.zeros(5, 1, LENGTH)).shape == (5, 2)
    assert PictureNet(5, 24)(torch.zeros(3, 1, LENGTH)).shape == (3, 5)
    assert parameter_count(network) == 90_194


def test_pre_training_learns_what_a_wide_beat_is(trained):
    assert balanced_accuracy(trained, windows(3)) > 0.9


def test_the_same_seed_gives_the_same_network():
    few = Task(windows(1, n=32), windows(2, n=32), 1)
    for one, two in zip(generic(few).parameters(), generic(few).parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_wearer_s_own_networks_are_stored_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "EPOCHS", 10)
    epochs = []
    checkpoints = Checkpoints(tmp_path, lambda name, _: epochs.append(name))
    task = Task(windows(4, n=64, share=0.2), windows(5, n=64, share=0.2), 1, checkpoints)
    own = individual(task, "a")
    assert balanced_accuracy(own, windows(6)) > 0.9
    names = {f"individual-a-{number}" for number in range(2 * len(RATES))}
    assert set(epochs) == names
    epochs.clear()
    loaded = individual(task, "a")
    assert not epochs
    x = torch.from_numpy(task.validation.inputs)
    assert torch.equal(own(x), loaded(x))


def test_a_wearer_s_network_is_the_best_of_its_kind_on_validation(trained):
    wearer, choosing = late(10, n=48), late(11, n=48)
    fitted = fine_tuned(Task(wearer, choosing, 1), "a", trained)
    assert balanced_accuracy(trained, choosing) < 0.7
    assert balanced_accuracy(fitted, choosing) > 0.9
    assert balanced_accuracy(fitted, late(12)) > 0.8


def test_weights_trained_on_misleading_windows_are_not_used(trained):
    misleading = replace(windows(13), labels=1 - windows(13).labels)
    choosing = windows(14)
    fitted = fine_tuned(Task(misleading, choosing, 1), "a", trained)
    assert balanced_accuracy(fitted, choosing) >= balanced_accuracy(trained, choosing) > 0.9


@pytest.mark.parametrize(("share", "odds"), [(0.25, 3), (0.01, 19), (0.8, 1)])
def test_the_threshold_is_the_share_of_the_abnormal_within_study_1_s_bounds(share, odds):
    shift = _shift(windows(15, n=100, share=share))
    assert shift.tolist() == pytest.approx([0, math.log(odds)], abs=1e-6)


def test_a_network_trained_with_a_shift_says_it():
    """Constant inputs: the best logits are the logarithm of the odds, less what is shifted."""
    labels = torch.tensor([0] * 19 + [1])
    bias = torch.zeros(2, requires_grad=True)
    loss = _shifted(torch.tensor([0.0, math.log(19)]))
    optimiser = torch.optim.LBFGS([bias], max_iter=100)

    def step():
        optimiser.zero_grad()
        found = loss(bias.expand(20, 2), labels)
        found.backward()
        return found

    optimiser.step(step)
    assert (bias[1] - bias[0]).item() == pytest.approx(0, abs=1e-3)


def test_a_pre_trained_network_adapts_to_a_wearer(trained):
    wearer = late(7)
    assert balanced_accuracy(trained, wearer) < 0.7
    adapted = adapt(RECIPE, trained, wearer, windows(1, share=1), 1)
    assert balanced_accuracy(adapted, wearer) > 0.9


def test_weights_of_the_classes_do_not_cancel_in_a_batch_of_one_class():
    loss = _weighted(torch.tensor([0.5, 3.0]))
    logits = torch.zeros(4, 2)
    for labels, mean in (([0, 0, 0, 0], 0.5), ([0, 0, 0, 1], 4.5 / 4)):
        assert loss(logits, torch.tensor(labels)).item() == pytest.approx(mean * math.log(2))


def test_among_equally_right_networks_the_surer_one_is_better():
    examples = windows(8, n=4)
    right = functional.one_hot(torch.from_numpy(examples.labels).long(), 2).float()

    class Says(torch.nn.Module):
        def __init__(self, sure):
            super().__init__()
            self.logits = sure * right

        def forward(self, _):
            return self.logits

    score = _score(examples)
    assert 1 - 1e-4 < score(Says(1.0)) < score(Says(3.0)) <= 1
    assert score(Says(-1.0)) < 0.001
