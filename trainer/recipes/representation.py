"""Study 4: a representation learnt without labels, three networks and their ensemble.

Every network is trained with labels alone and from a shared part that has learnt to tell seven
transformations of the beat apart (`trainer.studies.representation`). Open in the study and the
project's choice: the loss is the plain cross-entropy, since accuracy is what the study reports;
Adam follows a one-cycle schedule; each of the five epochs of pre-training takes every beat `PASSES`
times; the LSTM reads eleven samples a step and gives the maximum of its states; the ensemble goes
on at a low rate until validation accuracy has not risen for some epochs, twenty at most.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, TypeVar

from torch import nn
from torch.nn import functional

from trainer.studies.representation.networks import KINDS, Ensemble, RepresentationNetwork
from trainer.studies.representation.pretraining import HELD_OUT, pretrain
from trainer.studies.representation.transformations import NOISE, SCALE, SEGMENTS, VERSIONS
from trainer.training.fit import Epoch, FitSettings, deterministic, fit
from trainer.training.recipe import ExampleBatches, Recipe, System, Task, accuracy

PUBLISHED: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "mlp": {"accuracy": 0.9038, "PTB accuracy": 0.9168},
        "cnn": {"accuracy": 0.9228, "PTB accuracy": 0.9746},
        "lstm": {"accuracy": 0.8725, "PTB accuracy": 0.8385},
        "pre-trained-mlp": {"accuracy": 0.8718, "PTB accuracy": 0.8914},
        "pre-trained-cnn": {"accuracy": 0.9269, "PTB accuracy": 0.9801},
        "pre-trained-lstm": {"accuracy": 0.9216, "PTB accuracy": 0.9704},
        "pre-trained-ensemble": {"accuracy": 0.9301, "PTB accuracy": 0.9849},
    }
)
"""Test accuracy on random splits of MIT-BIH and PTB beats: the Surrey report of study 4. It has no
figure of the ensemble without pre-training."""
BATCH: Final = 64
RATES: Final = MappingProxyType({"mlp": 2e-3, "cnn": 2e-3, "lstm": 5e-3})
"""Peak learning rate of each network."""
PASSES: Final = 4
"""Times an epoch of pre-training takes every beat, each time in a version drawn anew. Eight
taught more than two, on 4,000 beats; four keep the time of all systems within two hours."""
EPOCHS: Final = 5
"""Of pre-training."""
STEPS: Final = 100
"""Batches that an epoch has at least: few beats, as of PTB, are taken more than once."""
SETTINGS: Final = partial(FitSettings, epochs=20, optimiser="adam", weight_decay=0)
PRETRAINING: Final = {
    "epochs": EPOCHS,
    "held out": HELD_OUT,
    "versions": list(VERSIONS),
    "noise": NOISE,
    "segments": SEGMENTS,
    "scale": SCALE,
}
TOGETHER: Final = partial(SETTINGS, learning_rate=1e-4, schedule="constant", patience=3)
"""How the ensemble is trained on."""
PRETRAINED: Final = "pre-trained-"
Trained = TypeVar("Trained", bound=nn.Module)


def _steps(task: Task, passes: int = 1) -> int:
    return max(passes * len(task.training) // BATCH, STEPS)


def _network(kind: str, task: Task, outputs: int) -> RepresentationNetwork:
    deterministic(task.seed)
    _, channels, length = task.training.inputs.shape
    return KINDS[kind](channels, length, outputs)


def _representation(kind: str, task: Task) -> RepresentationNetwork:
    """Return a network whose shared part has learnt from the training beats without labels."""
    settings = SETTINGS(
        epochs=EPOCHS, steps=_steps(task, PASSES), learning_rate=RATES[kind], seed=task.seed
    )
    return task.shelf.network(
        f"representation-{kind}",
        _network(kind, task, len(VERSIONS)),
        lambda network, progress: pretrain(network, task.training, settings, BATCH, progress),
    )


def _supervised(
    network: Trained, task: Task, settings: partial[FitSettings], progress: Callable[[Epoch], None]
) -> Trained:
    # Again: what came before may have been trained now or taken from the shelf.
    deterministic(task.seed)
    return fit(
        network,
        ExampleBatches(task.training, BATCH, functional.cross_entropy),
        settings(steps=_steps(task), seed=task.seed),
        score=lambda each: accuracy(each, task.validation),
        progress=progress,
    )


def _member(kind: str, prefix: str, task: Task) -> RepresentationNetwork:
    """Return one of `KINDS`, trained with labels; ``prefix`` is empty or `PRETRAINED`."""
    settings = partial(SETTINGS, learning_rate=RATES[kind])

    def train(
        network: RepresentationNetwork, progress: Callable[[Epoch], None]
    ) -> RepresentationNetwork:
        if prefix:
            shared = _representation(kind, task).shared
            network.shared.load_state_dict(shared.state_dict())
        return _supervised(network, task, settings, progress)

    network = _network(kind, task, len(task.training.classes))
    return task.shelf.network(prefix + kind, network, train)


def _ensemble(prefix: str, task: Task) -> Ensemble:
    """Return the average of the three networks, trained on together."""
    members = [_member(kind, prefix, task) for kind in KINDS]
    return task.shelf.network(
        f"{prefix}ensemble",
        Ensemble(members),
        lambda network, progress: _supervised(network, task, TOGETHER, progress),
    )


def _networks(channels: int, length: int, classes: int) -> dict[str, nn.Module]:
    kinds = {name: make(channels, length, classes) for name, make in KINDS.items()}
    return {**kinds, "ensemble": Ensemble(list(kinds.values()))}


def _systems(prefix: str) -> dict[str, System]:
    members: dict[str, System] = {prefix + kind: partial(_member, kind, prefix) for kind in KINDS}
    return {**members, f"{prefix}ensemble": partial(_ensemble, prefix)}


RECIPE: Final = Recipe(
    study=4,
    about=(
        "Single beats, three networks that first learn to tell transformations of a beat apart, "
        "and their ensemble."
    ),
    data="beats",
    systems=_systems("") | _systems(PRETRAINED),
    loss=functional.cross_entropy,
    published=PUBLISHED,
    adaptation=SETTINGS(epochs=10, learning_rate=1e-3, seed=0),
    networks=_networks,
    settings={
        "training": SETTINGS.keywords,
        "together": TOGETHER.keywords,
        "loss": "cross-entropy",
        "batch": BATCH,
        "rates": RATES,
        "passes": PASSES,
        "steps": STEPS,
        "pre-training": PRETRAINING,
    },
    batch=BATCH,
)
