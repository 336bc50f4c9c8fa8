"""The transfer to another task: what is frozen, who is on which side, what is reported."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import UsageError
from trainer.data.examples import Examples
from trainer.evaluation.transfer import infarction, last_layers
from trainer.evaluation.transfer.folds import patient_folds
from trainer.evaluation.transfer.last_layers import from_scratch, retrained
from trainer.recipes.transfer import TransferNet
from trainer.training.recipe import class_probabilities

CLASSES = ("healthy", "infarction")


def made(patients, beats=6, length=48):
    """Beats of patients who are ill by turns; those of the ill are higher."""
    wearers = np.repeat([f"patient{n:03}" for n in range(patients)], beats)
    labels = np.repeat(np.arange(patients) % 2, beats).astype(np.int8)
    rng = np.random.default_rng(patients)
    inputs = rng.normal(labels[:, None, None], 0.3, (len(labels), 1, length)).astype(np.float32)
    return Examples(inputs, labels, wearers, np.arange(len(labels)), CLASSES)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    settings = last_layers.SETTINGS
    monkeypatch.setattr(
        last_layers, "SETTINGS", type(settings)(2, 1e-3, 0, optimiser="adamw", averaging=0.0)
    )
    monkeypatch.setattr(last_layers, "STEPS", 3)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TransferNet(1, 48, 5).eval()


@pytest.mark.parametrize("k", [1, 4])
def test_frozen_weights_stay_bit_for_bit_and_all_others_learn(network, k):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    new = retrained(network, k, made(8), seed=1)
    frozen = dict(new.before(k).named_parameters())
    own = dict(network.before(k).named_parameters())
    assert len(frozen) == 8 + 2 * (4 - k)
    assert all(torch.equal(frozen[name], own[name]) for name in frozen)
    trained = zip(list(new.last(k).parameters())[:-2], network.last(k).parameters(), strict=False)
    assert not any(torch.equal(mine, its) for mine, its in trained)
    # What it was made of is not touched.
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert class_probabilities(new, made(2).inputs).shape == (12, 2)


def test_new_layers_learn_from_what_the_frozen_ones_say(monkeypatch, network):
    settings = type(last_layers.SETTINGS)(2, 1e-2, 0, optimiser="adamw", averaging=0.0)
    monkeypatch.setattr(last_layers, "SETTINGS", settings)
    monkeypatch.setattr(last_layers, "STEPS", 80)
    for new in (retrained(network, 3, made(8), seed=1), from_scratch(made(8), seed=1)):
        called = class_probabilities(new, made(6).inputs).argmax(1)
        assert np.mean(called == made(6).labels) > 0.9


def test_training_repeats_itself(network):
    first, second = (retrained(network, 2, made(4), seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@given(st.integers(2, 6), st.integers(0, 30), st.integers(0, 2**16))
def test_no_patient_is_in_two_folds_and_folds_are_alike(folds, more, seed):
    examples = made(2 * folds + more, beats=2, length=1)
    fold = patient_folds(examples, folds, seed)
    by_fold = [set(examples.wearers[fold == number]) for number in range(folds)]
    assert sum(map(len, by_fold)) == len(set(examples.wearers))
    assert set.union(*by_fold) == set(examples.wearers)
    for label in (0, 1):
        each = [
            len(set(examples.wearers[(fold == n) & (examples.labels == label)]))
            for n in range(folds)
        ]
        assert min(each) >= 1
        assert max(each) - min(each) <= 1
    assert max(map(len, by_fold)) - min(map(len, by_fold)) <= 1


def test_a_split_that_puts_a_patient_on_two_sides_is_refused(network):
    examples = made(10)
    beatwise = (np.arange(len(examples)) % 5).astype(np.int8)
    with pytest.raises(UsageError, match=r"^patient000 would be on two sides of the split"):
        infarction.transfer(network, examples, fold=beatwise)


def test_too_few_patients_of_a_class_are_refused(network):
    with pytest.raises(UsageError, match=r"^4 patients of the class healthy do not fill 5 folds"):
        infarction.transfer(network, made(8))


def test_figures_by_hand():
    examples = made(4, beats=2, length=1)  # two beats each; 000, 002 healthy, 001, 003 not
    called = np.array([0, 0, 1, 0, 0, 1, 1, 1])
    figures = infarction.figures(examples, called, seed=1)
    assert figures["accuracy"] == pytest.approx(6 / 8)
    assert figures["recalls"] == {"healthy": 0.75, "infarction": 0.75}
    assert figures["mean recall"] == pytest.approx(0.75)
    assert list(figures["by patient"].values()) == [1.0, 0.5, 0.5, 1.0]
    assert figures["patients right"] == 2
    # Of two patients of a class, the worse one is drawn twice in a quarter of all draws.
    assert figures["intervals"]["mean recall"] == (0.5, 1.0)


def test_an_interval_is_wide_where_one_patient_has_most_of_the_beats():
    examples = made(8, beats=10, length=1)
    called = examples.labels.astype(np.intp)
    called[examples.wearers == "patient000"] = 1
    by_beats = infarction.figures(examples, called, seed=1)["intervals"]["accuracy"]
    assert by_beats[0] <= 1 - 2 / 8
    assert by_beats[1] == 1


def test_every_beat_is_judged_once_and_stored_networks_are_not_trained_again(network, tmp_path):
    examples = made(12, beats=5)
    parts = []

    def run():
        progress = lambda part, epoch: parts.append(part)  # noqa: E731 - it only takes notes
        return infarction.transfer(network, examples, work=tmp_path / "w", progress=progress)

    first = run()
    assert json.loads(json.dumps(first))["classes"] == ["healthy", "infarction"]
    assert len(set(parts)) == 5 * 6  # kinds, and five folds beside the random split
    assert list(first["patient-wise"]) == ["last 1", "last 2", "last 3", "last 4", "from scratch"]
    for each in first["patient-wise"].values():
        assert set(each["by patient"]) == set(examples.wearers)
        low, high = each["intervals"]["accuracy"]
        assert low <= each["accuracy"] <= high
        assert each["seconds"] > 0
    assert first["patients"]["patient001"] == {"diagnosis": "infarction", "beats": 5}
    parts.clear()
    assert run() == first
    assert parts == []
