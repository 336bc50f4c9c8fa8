"""The project's own recipe: what it sees of a beat, and the beats it makes early."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ecgmon.core.constants import RATE
from ecgmon.signal.beat_segments import beat_inputs
from trainer.data.beats.causal_beats import channels
from trainer.data.examples import Examples
from trainer.recipes import recipe
from trainer.recipes.context import RECIPE, Augmentation, ContextNet, PrematureBeats
from trainer.training.recipe import Task, accuracy

CLASSES = ("N", "S", "V", "F", "Q")


def stream(beats):
    """P, QRS and T of each beat, and nothing between."""
    time = np.arange(beats[-1] + RATE)[:, None] - beats
    waves = ((-0.14, 0.01, 0.2), (0, 0.012, 1.0), (0.22, 0.03, 0.3))
    shape = sum(
        height * np.exp(-0.5 * ((time / RATE - at) / width) ** 2) for at, width, height in waves
    )
    return shape.sum(1).astype(np.float32)


def inputs_of(beats):
    filtered = stream(beats)
    scale = np.ones(len(filtered) // RATE, dtype=np.float32)
    return channels(beat_inputs(filtered, scale, beats))


@pytest.mark.parametrize("samples", [25, 50])  # at 125 Hz; whole ones at 360 Hz
def test_a_beat_made_early_is_what_an_early_beat_would_have_been(samples):
    beats = np.arange(1, 21) * 324  # an RR interval of 0.9 s
    moved = round(samples * RATE / 125)
    early = beats.copy()
    early[-1] -= moved
    steady, wanted = (torch.from_numpy(inputs_of(each)[-1:]) for each in (beats, early))
    made = PrematureBeats.early(steady, torch.tensor([samples / 125 / 0.9]))
    assert made[0, 2:, 0].tolist() == pytest.approx(wanted[0, 2:, 0].tolist(), abs=0.003)
    # What comes into sight at the window's beginning cannot be known.
    assert np.abs((made - wanted).numpy()[0, :2, samples:]).max() < 0.02
    assert np.abs((steady - wanted).numpy()[0, :2, samples:]).max() > 0.2


def made(n, seed, channels=5):
    """Beats of a steady rhythm; class V is twice as wide."""
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(n) % 4 == 0, 2, 0).astype(np.int8)
    width = np.where(labels == 2, 8, 4)[:, None]
    signal = np.exp(-0.5 * ((np.arange(187) - 125) / width) ** 2)
    inputs = np.zeros((n, channels, 187), dtype=np.float32)
    inputs[:, 0] = signal + rng.normal(0, 0.02, signal.shape)
    return Examples(inputs, labels, np.full(n, "100"), np.arange(n), CLASSES)


def test_some_normal_beats_of_a_steady_rhythm_are_made_early_and_no_others():
    examples = made(2000, 1)
    examples.inputs[:1000, 2] = 0.3  # not steady
    before = examples.inputs.copy()
    inputs, labels = PrematureBeats(examples, 2000, functional.cross_entropy).draw(
        np.random.default_rng(1)
    )
    assert np.array_equal(examples.inputs, before)
    order = np.random.default_rng(1).permutation(2000)
    changed = (inputs.numpy() != before[order]).any((1, 2))
    assert np.array_equal(labels == 1, changed)
    eligible = (order >= 1000) & (examples.labels[order] == 0)
    assert not changed[~eligible].any()
    assert changed.sum() == pytest.approx(PrematureBeats.SHARE * eligible.sum(), rel=0.3)
    last = inputs[changed, 2, 0]
    assert -0.47 < last.min() < last.max() < -0.1


def test_beats_without_intervals_are_left_as_they_are():
    examples = made(64, 2, channels=1)
    inputs, labels = PrematureBeats(examples, 64, functional.cross_entropy).draw(
        np.random.default_rng(1)
    )
    order = np.random.default_rng(1).permutation(64)
    assert np.array_equal(inputs, examples.inputs[order])
    assert np.array_equal(labels, examples.labels[order])


@pytest.mark.parametrize("channels", [1, 5])
def test_beats_vary_in_training_alone(channels):
    torch.manual_seed(1)
    beats = torch.from_numpy(made(64, 3, channels).inputs)
    disturbance = Augmentation()
    assert not torch.equal(disturbance(beats), beats)
    assert (disturbance(beats) - beats).abs().mean() < 0.3
    assert torch.equal(disturbance.eval()(beats), beats)


@pytest.mark.parametrize(("channels", "length", "classes"), [(1, 187, 5), (5, 187, 5), (5, 240, 2)])
def test_every_input_gets_a_logit_for_each_class(channels, length, classes):
    network = ContextNet(channels, length, classes).eval()
    assert network(torch.zeros(3, channels, length)).shape == (3, classes)


def test_intervals_are_seen_where_shapes_are_alike():
    torch.manual_seed(2)
    network = ContextNet(5, 187, 5).eval()
    beats = torch.from_numpy(made(2, 4).inputs[1:].repeat(2, 0))
    beats[1, 2] = -0.3
    first, second = network(beats)
    assert not torch.equal(first, second)


@pytest.mark.thorough
def test_the_recipe_is_found_by_its_name_and_learns(monkeypatch):
    monkeypatch.setattr(PrematureBeats, "SHARE", 0.3)  # fewer beats are enough
    assert recipe("context") is RECIPE
    examples = made(1500, 5)
    network = RECIPE.systems["context"](Task(examples, examples, 1))
    assert accuracy(network, made(100, 6)) > 0.95
    early = PrematureBeats.early(torch.from_numpy(made(100, 6).inputs), torch.full((100,), 0.3))
    normal = made(100, 6).labels == 0
    assert (network(early).argmax(1).numpy()[normal] == 1).mean() > 0.8
