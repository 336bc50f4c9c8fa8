import math
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from tests.trainer.studies.representation.made import beats
from trainer.recipes import recipe, representation
from trainer.studies.representation.networks import KINDS, Ensemble
from trainer.studies.representation.pretraining import VersionBatches, head_loss, pretrain
from trainer.studies.representation.transformations import VERSIONS, in_versions
from trainer.training.fit import FitSettings, deterministic
from trainer.training.recipe import Checkpoints, Task, accuracy, adapt

pytestmark = pytest.mark.thorough

RECIPE = recipe("representation")
NAMES = ["mlp", "cnn", "lstm", "ensemble"]
SYSTEMS = [*NAMES, *(f"pre-trained-{name}" for name in NAMES)]


def same(one, other):
    """Whether two networks' weights are alike bit for bit."""
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def of_task(folder, seed=1, seen=None):
    def progress(name, epoch):
        if seen is not None:
            seen.append((name, epoch.number))

    return Task(beats(128, 1), beats(100, 2), seed, Checkpoints(folder, progress))


@pytest.fixture(scope="module", autouse=True)
def few_steps():
    """Two batches an epoch are enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(representation, "STEPS", 2)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """All systems with their checkpoints in one folder, the folder, and what was trained."""
    folder, seen = tmp_path_factory.mktemp("checkpoints"), []
    task = of_task(folder, seen=seen)
    return {name: system(task) for name, system in RECIPE.systems.items()}, folder, seen


def test_there_are_eight_systems_and_the_recipe_exports_the_pretrained_ensemble(trained):
    assert list(RECIPE.systems) == SYSTEMS
    assert representation.PUBLISHED.keys() == set(SYSTEMS) - {"ensemble"}  # which has no figure
    for network in trained[0].values():
        assert not network.training
        assert network(torch.zeros(3, 1, 187)).shape == (3, 2)
    assert isinstance(trained[0]["pre-trained-ensemble"], Ensemble)


def test_few_beats_are_passed_over_until_they_are_learnt(monkeypatch):
    monkeypatch.setattr(representation, "STEPS", 15)
    network = RECIPE.systems["lstm"](of_task(None))
    assert accuracy(network, beats(200, 9)) > 0.95


def test_nothing_is_trained_twice(trained):
    _, folder, seen = trained
    assert len(seen) == len(set(seen))
    pretrained = [f"representation-{kind}" for kind in KINDS]
    assert {name for name, _ in seen} == {*SYSTEMS, *pretrained}
    assert {path.stem for path in folder.iterdir()} == {*SYSTEMS, *pretrained}


def test_interrupted_work_ends_as_if_it_had_not_been(trained):
    networks, folder, _ = trained
    (folder / "pre-trained-ensemble.pt").unlink()
    (folder / "mlp.pt").unlink()
    seen = []
    task = of_task(folder, seen=seen)
    for name in ("mlp", "pre-trained-ensemble"):
        assert same(RECIPE.systems[name](task), networks[name])
    assert {name for name, _ in seen} == {"mlp", "pre-trained-ensemble"}


def test_another_seed_gives_another_network(trained):
    assert not same(RECIPE.systems["mlp"](of_task(None, seed=2)), trained[0]["mlp"])


def test_a_network_adapts_to_a_wearer_whose_beats_are_the_other_way_round(trained):
    own = beats(1000, 3)
    own = replace(own, labels=1 - own.labels)
    adapted = adapt(RECIPE, trained[0]["mlp"], own, beats(100, 4), 1)
    assert accuracy(adapted, own) > 0.8


def test_the_loss_is_the_mean_over_eight_heads():
    # Each head gives the right answer a probability of 3/4, then of 1/4.
    right = torch.full((1, len(VERSIONS)), -math.log(3))
    right[0, 2] = math.log(3)
    assert head_loss(right, torch.tensor([2])).item() == pytest.approx(math.log(4 / 3))
    assert head_loss(-right, torch.tensor([2])).item() == pytest.approx(math.log(4))
    # Two inputs: one as above, of the other every head knows nothing.
    logits = torch.cat([right, torch.zeros(1, len(VERSIONS))])
    mean = (math.log(4 / 3) + math.log(2)) / 2
    assert head_loss(logits, torch.tensor([2, 0])).item() == pytest.approx(mean)
    with pytest.raises(ValueError, match="must be the same"):
        head_loss(torch.zeros(1, 7), torch.tensor([2]))


def test_a_pass_takes_every_beat_once_and_the_next_draws_other_versions():
    given = beats(96, 1, channels=2)
    given.inputs[:, 1] = np.arange(96)[:, None]  # the context does not change: it marks the beat
    batches, rng = VersionBatches(given, 32), np.random.default_rng(1)
    passes = [[batches.draw(rng) for _ in range(3)] for _ in range(2)]
    versions = []
    for each in passes:
        numbers = torch.cat([inputs[:, 1, 0] for inputs, _ in each]).int()
        assert sorted(numbers.tolist()) == list(range(96))
        versions.append(torch.cat([labels for _, labels in each])[numbers.argsort()])
    assert (versions[0] != versions[1]).any()
    assert set(versions[0].tolist()) <= set(range(8))


def test_pretraining_learns_to_distinguish_the_transformations():
    deterministic(1)
    settings = FitSettings(epochs=3, steps=50, learning_rate=5e-3, seed=1, weight_decay=0)
    epochs = []
    network = pretrain(KINDS["mlp"](1, 187, 8), beats(800, 1), settings, 64, epochs.append)
    others = in_versions(beats(300, 5), np.random.default_rng(1))
    assert epochs[-1].loss < epochs[0].loss
    assert accuracy(network, others) > 0.5  # by chance 1 in 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_shared_part_moves_to_the_supervised_network_bit_for_bit(
    kind, trained, tmp_path, monkeypatch
):
    _, folder, _ = trained
    file = f"representation-{kind}.pt"
    shutil.copy(folder / file, tmp_path)
    learnt = KINDS[kind](1, 187, len(VERSIONS))
    learnt.load_state_dict(torch.load(tmp_path / file))
    # One epoch at a rate of zero: a network stays what it begins as.
    monkeypatch.setattr(representation, "SETTINGS", partial(representation.SETTINGS, epochs=1))
    monkeypatch.setattr(representation, "RATES", {kind: 0.0})
    network = RECIPE.systems[f"pre-trained-{kind}"](of_task(tmp_path))
    assert same(network.shared, learnt.shared)
    without = RECIPE.systems[kind](of_task(tmp_path))
    assert not same(without.shared, learnt.shared)
    assert same(without.output, network.output)


def test_pretraining_sees_no_label_and_no_validation_beat(tmp_path):
    task = of_task(tmp_path / "given")
    other = replace(
        task,
        training=replace(task.training, labels=np.roll(task.training.labels, 7)),
        validation=beats(100, 8),
        shelf=Checkpoints(tmp_path / "other"),
    )
    networks = [RECIPE.systems["pre-trained-mlp"](each) for each in (task, other)]
    assert not same(*networks)
    learnt = [KINDS["mlp"](1, 187, len(VERSIONS)) for _ in range(2)]
    for network, folder in zip(learnt, ("given", "other"), strict=True):
        network.load_state_dict(torch.load(tmp_path / folder / "representation-mlp.pt"))
    assert same(*learnt)
