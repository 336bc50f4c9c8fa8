"""Networks trained side by side must learn what each would learn alone."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from trainer.data.protocol_splits import TRAIN
from trainer.networks.window_networks import CardiacNet
from trainer.studies.cardiacnet.stacked import WEIGHT_DECAY, WindowSetting, WindowTrainee, advance
from trainer.training.fit import deterministic


def trainee(patient, setting, seed=1):
    deterministic(seed)
    return WindowTrainee(CardiacNet(), patient, setting, seed)


def alone(patient, setting, epochs, seed=1):
    """The plain loop that the stack replaces."""
    deterministic(seed)
    network = CardiacNet()
    order = trainee(patient, setting, seed)
    optimiser = torch.optim.Adam(
        network.parameters(), setting.learning_rate, weight_decay=WEIGHT_DECAY, fused=True
    )
    inputs, truth = (torch.from_numpy(each) for each in patient.windows(TRAIN))
    steps = len(truth) // setting.batch
    for _ in range(epochs):
        for which in order.draw(steps * setting.batch).reshape(steps, -1):
            optimiser.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(inputs[which]), truth[which].float()
            )
            loss.backward()
            optimiser.step()
    share = 0.5 if setting.weighted else patient.share
    with torch.inference_mode():
        return torch.sigmoid(network(inputs) - math.log(share / (1 - share))).numpy()


@pytest.mark.parametrize("weighted", [False, True])
def test_a_stack_learns_what_the_plain_loop_learns(patient, weighted):
    settings = [WindowSetting(rate, 16, weighted) for rate in (0.0003, 0.001)]
    stack = [trainee(patient, setting) for setting in settings]
    advance(stack, 1)
    for each, setting in zip(stack, settings, strict=True):
        inputs = patient.windows(TRAIN)[0]
        mine = each.probability(inputs, each.weights)
        # Adam's first steps are as long whatever the gradient, so that the rounding of one near
        # zero shows: the plain loop with Adam unfused differs from itself by 0.004.
        np.testing.assert_allclose(mine, alone(patient, setting, 1), atol=0.004)


@pytest.mark.thorough
def test_two_runs_give_the_same_bits(patient):
    settings = [WindowSetting(rate, batch, True) for rate in (0.001, 0.1) for batch in (4, 16)]
    runs = []
    for _ in range(2):
        stack = [trainee(patient, setting) for setting in settings]
        advance(stack, 1)
        advance(stack, 2)
        runs.append([each.weights.detach().numpy() for each in stack])
    np.testing.assert_array_equal(runs[0], runs[1])


def test_a_network_that_diverges_leaves_its_neighbours_alone(patient):
    sound = WindowSetting(0.001, 16, False)
    beside = [trainee(patient, sound), trainee(patient, WindowSetting(1e12, 16, False))]
    advance(beside, 2)
    by_itself = [trainee(patient, sound), trainee(patient, sound)]
    advance(by_itself, 2)
    np.testing.assert_allclose(
        beside[0].weights.detach(), by_itself[0].weights.detach(), rtol=0, atol=1e-6
    )
    assert beside[1].trained.score.value < beside[0].trained.score.value


def test_weighted_drawing_takes_both_classes_equally_often(patient):
    drawn = trainee(patient, WindowSetting(0.001, 4, True))
    share = drawn.truth[drawn.draw(4000)].mean()
    assert 0.45 < share < 0.55
    assert patient.windows(TRAIN)[1].mean() < 0.3


def test_unweighted_drawing_takes_every_window_once_an_epoch(patient):
    drawn = trainee(patient, WindowSetting(0.001, 4, False))
    n = len(drawn.truth)
    assert sorted(np.concatenate([drawn.draw(n // 2), drawn.draw(n - n // 2)])) == list(range(n))


def test_half_is_the_threshold_for_classes_drawn_as_they_come_too(patient):
    """Zero weights give the class share as drawn: half if weighted, else the patient's."""
    inputs = patient.windows(TRAIN)[0]
    for weighted, unsure in ((True, 0.5), (False, 1 - patient.share)):
        one = trainee(patient, WindowSetting(0.001, 4, weighted))
        probability = one.probability(inputs, torch.zeros_like(one.weights))
        np.testing.assert_allclose(probability, unsure, rtol=1e-6)


@pytest.mark.thorough
def test_the_network_of_the_best_epoch_is_returned(patient):
    one = trainee(patient, WindowSetting(0.003, 4, True))
    advance([one], 4)
    inputs = patient.windows(TRAIN)[0]
    values = [score.value for _, score in one.trained.epochs]
    assert one.trained.best == int(np.argmax(values))
    if one.trained.best < 3:
        assert (one.outcome(inputs) != one.probability(inputs, one.weights)).any()
