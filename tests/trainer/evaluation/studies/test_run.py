"""The cells of the table: what is judged, and that nothing is done twice."""

import json
import shutil

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from trainer import recipes
from trainer.data.examples import Examples
from trainer.data.protocol_splits import DS1, DS2
from trainer.evaluation.studies import run
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.run import Experiment
from trainer.training.fit import FitSettings, fit
from trainer.training.recipe import ExampleBatches, Recipe

CLASSES = ("N", "S", "V", "F", "Q")
SETTINGS = FitSettings(epochs=6, learning_rate=0.01, seed=1)


def system(name):
    """Train one dense layer: the smallest system there is."""

    def train(task):
        torch.manual_seed(task.seed)
        batches = ExampleBatches(task.training, 16, functional.cross_entropy)
        return task.shelf.network(
            name,
            nn.Sequential(nn.Flatten(), nn.Linear(187, 5)),
            lambda network, progress: fit(network, batches, SETTINGS, progress=progress),
        )

    return train


@pytest.fixture(autouse=True, scope="module")
def small_recipe():
    """A recipe of two systems, known as *small*."""
    small = Recipe(
        study=0,
        about="",
        data="beats",
        systems={name: system(name) for name in ("one", "two")},
        loss=functional.cross_entropy,
        adaptation=SETTINGS,
        networks=lambda *_: {},
        settings={},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "recipe", {"small": small}.__getitem__)
        yield


def beats(seed=1):
    """A few beats of each class of some wearers; classes differ in the place of a bump."""
    rng = np.random.default_rng(seed)
    wearers = np.repeat(np.array([*DS1[:8], "106", *DS2[:2]]), 25)
    labels = np.tile(np.arange(5, dtype=np.int8), len(wearers) // 5)
    time = np.arange(187)
    signal = np.exp(-0.5 * ((time - 20 - 35 * labels[:, None]) / 6) ** 2)
    noisy = (signal + rng.normal(0, 0.05, signal.shape)).astype(np.float32)
    samples = np.tile(np.arange(25) * 9000, len(wearers) // 25)  # the first twelve in five minutes
    return Examples(noisy[:, None], labels, wearers, samples, CLASSES)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def judged(work):
    """Both protocols that begin with DS1's networks."""
    trained = []
    made = {
        split: list(
            run.run(
                Experiment("small", split, "published"),
                beats(),
                1,
                work,
                lambda n, _: trained.append(n),
            )
        )
        for split in (Split.INTER_PATIENT, Split.PATIENT_SPECIFIC)
    }
    return made, trained


def test_every_system_is_judged_on_every_test_beat(judged):
    for split, each in ((Split.INTER_PATIENT, 25), (Split.PATIENT_SPECIFIC, 13)):
        systems = judged[0][split]
        assert {one.system for one in systems} == {"one", "two"}
        for one in systems:
            assert set(one.per_wearer) == set(DS2[:2])
            assert all(np.sum(counts) == each for counts in one.per_wearer.values())


def test_networks_are_fitted_to_the_wearer_where_the_protocol_says_so(judged):
    kinds = {split: [one.kind for one in made] for split, made in judged[0].items()}
    assert kinds == {
        Split.INTER_PATIENT: ["trained"] * 2,
        Split.PATIENT_SPECIFIC: ["trained", "adapted"] * 2,
    }


def test_the_beats_were_learned(judged):
    for one in judged[0][Split.INTER_PATIENT]:
        assert np.trace(one.counts) > 0.9 * one.counts.sum()


def test_protocols_that_begin_with_the_same_networks_share_them(judged):
    assert judged[1] == ["one"] * 6 + ["two"] * 6


def test_what_is_done_is_not_done_again(judged, work):
    cell = Experiment("small", Split.PATIENT_SPECIFIC, "published")
    again = list(run.run(cell, beats(), 1, work, lambda *_: pytest.fail("it trains again")))
    assert again == judged[0][Split.PATIENT_SPECIFIC]


def test_an_interrupted_cell_begins_with_the_networks_it_has(judged, work, tmp_path):
    shutil.copytree(work, tmp_path / "work")
    cell = Experiment("small", Split.INTER_PATIENT, "published")
    (tmp_path / "work" / cell.name / "two.json").unlink()
    again = list(run.run(cell, beats(), 1, tmp_path / "work", lambda *_: pytest.fail("trains")))
    assert again == judged[0][Split.INTER_PATIENT]
    stored = json.loads((tmp_path / "work" / cell.name / "two.json").read_text())
    assert [one["kind"] for one in stored] == ["trained"]
