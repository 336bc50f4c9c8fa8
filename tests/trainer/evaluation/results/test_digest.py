"""The digest of data: canonical, and with no name of this project's code in it."""

import pytest
from torch import nn

from ecgmon.core.labels import UNLABELLED
from trainer import recipes
from trainer.evaluation import study
from trainer.evaluation.results import protocols
from trainer.evaluation.results.digest import canonical, digest
from trainer.evaluation.results.network_calls import network_calls
from trainer.evaluation.studies.study_jobs import JOBS
from trainer.training import fit, window_trainings
from trainer.training.fit import FitSettings

RECIPES = sorted({job.recipe for job in JOBS})
SHAPES = {"pictures": (1, 128, 2), "context": (5, 187, 5)}
SETTINGS = {
    "context": "fe8a31b29991",
    "focal": "d756ebd9de2e",
    "pictures": "63276c4b47f6",
    "representation": "11c96cbe22bd",
    "transfer": "4ebabbacc178",
}
"""Digests of each recipe's settings: changed on purpose alone, for its results are made again."""


def calls(name):
    channels, length, classes = SHAPES.get(name, (1, 187, 5))
    make = recipes.recipe(name).networks
    return network_calls(lambda: make(channels, length, classes), (channels, length))


def test_order_does_not_matter_and_values_do():
    assert canonical({"b": (1, 2.0), "a": {"y": None, "x": "z"}}) == (
        b'{"a":{"x":"z","y":null},"b":[1,2.0]}'
    )
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    settings = FitSettings(epochs=1, learning_rate=0.1, seed=1)
    assert digest({"of": settings}) != digest({"of": FitSettings(1, 0.2, 1)})


@pytest.mark.parametrize("value", [len, nn.ReLU, object(), UNLABELLED.__class__])
def test_what_is_not_data_is_refused(value):
    with pytest.raises(TypeError, match="cannot decide a result"):
        digest({"a": value})


def ours():
    """Names of modules, classes and functions of the recipes' and networks' code."""
    modules = ["trainer", "ecgmon", "recipes", "lambda", "<function", "object at"]
    classes = ["ContextNet", "SixPairs", "PictureNet", "TransferNet", "Ensemble", "BeatNet"]
    return [*modules, *classes, "CardiacNet", "WearerNorm", "Disturbance", "MadeEarly", "Varied"]


@pytest.mark.parametrize("name", RECIPES)
def test_no_name_of_our_code_is_in_what_decides_a_recipe(name):
    text = canonical({"calls": calls(name), "settings": recipes.recipe(name).settings}).decode()
    assert "torch.nn.functional" in text
    assert not [word for word in ours() if word in text]


def test_no_name_of_our_code_is_in_what_decides_jobs_and_protocols(monkeypatch):
    for module in (study, protocols):
        monkeypatch.setattr(module, "signal_bits", lambda *_: "bits")
    monkeypatch.setattr(protocols, "noise_bits", lambda *_: "bits")
    decided = [job.settings for job in JOBS] + [study.decided_by(1, None)]
    decided += [
        protocols.decided_by(work, network, 1, None)
        for work in protocols.PROCEDURES
        for network in window_trainings.TRAININGS
    ]
    assert len({digest(each) for each in decided[-4:]}) == 4
    for each in decided:
        text = canonical(each).decode()
        assert not [word for word in ours() if word in text]


def test_calls_are_the_same_each_time_and_say_what_a_network_is():
    class Renamed(nn.Module):
        def __init__(self, width=4, dropout=0.1):
            super().__init__()
            self.first = nn.Linear(3, width)
            self.dropout = dropout

        def forward(self, x):
            return nn.functional.dropout(self.first(x), self.dropout, self.training)

    class Other(Renamed):
        pass

    of = {
        str(make): digest(network_calls(lambda make=make: {"n": make()}, (3,)))
        for make in (Renamed, Other, lambda: Renamed(5), lambda: Renamed(4, 0.2))
    }
    first, renamed, wider, drier = of.values()
    assert first == renamed
    assert len({first, wider, drier}) == 3


def test_what_decides_every_training_is_what_fit_does():
    assert fit.DECIDED_BY == {
        "procedure": 1,
        "plateau": 2,
        "lowered": 0.3,
        "longest gradient": 1.0,
        "rising": 0.2,
    }


@pytest.mark.parametrize("name", RECIPES)
def test_the_settings_of_a_recipe_change_on_purpose_alone(name):
    recipe = recipes.recipe(name)
    assert digest({"settings": recipe.settings, "adaptation": recipe.adaptation}) == SETTINGS[name]
