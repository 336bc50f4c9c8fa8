"""The recipe type and what all recipes share: batches, checkpoints, adaptation."""

import copy
import fcntl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.data.examples import Examples
from trainer.training.fit import Epoch, FitSettings, deterministic, fit

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps logits, float32 of shape (n, classes), and labels, int64 of shape (n,), to the mean loss."""
Network = TypeVar("Network", bound=nn.Module)
REHEARSED: Final = 1000
"""An adaptation repeats at most this many of its network's training examples, with the same class
frequencies. With equal frequencies too many beats of the wearers of `DS1_CHOOSING` were called
ectopic."""


class ExampleBatches:
    """Batches of examples in random order, without replacement in an epoch.

    Parameters
    ----------
    examples : Examples
        The data.
    size : int
        Examples in a batch; an incomplete last batch of an epoch is left out.
    loss : callable
        Loss function, see `Loss`.
    """

    def __init__(self, examples: Examples, size: int, loss: Loss) -> None:
        self._inputs = torch.from_numpy(examples.inputs)
        self._labels = torch.from_numpy(examples.labels).long()
        self._size = min(size, len(examples))
        self._loss = loss
        self._left: NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (size, channels, length), and labels, shape (size,)."""
        if len(self._left) < self._size:
            self._left = rng.permutation(len(self._labels))
        which = torch.from_numpy(self._left[: self._size])
        self._left = self._left[self._size :]
        return self._inputs[which], self._labels[which]

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the mean loss of a batch."""
        inputs, labels = batch
        return self._loss(network(inputs), labels)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return len(self._labels) // self._size


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Folder of finished networks, from which interrupted training goes on.

    Parameters
    ----------
    folder : Path or None
        The folder; None stores nothing.
    progress : callable
        Called with the network's name after each epoch.
    """

    folder: Path | None = None
    progress: Callable[[str, Epoch], None] = lambda _name, _epoch: None

    def network(
        self,
        name: str,
        network: Network,
        train: Callable[[Network, Callable[[Epoch], None]], Network],
    ) -> Network:
        """Return a trained network.

        Parameters
        ----------
        name : str
            Name of its file.
        network : Module
            Untrained network. If a finished one is stored, its weights are loaded into this.
        train : callable
            Trains the network and returns it; its second argument is to be called after each
            epoch.
        """

        def trained() -> Network:
            return train(network, lambda epoch: self.progress(name, epoch)).eval()

        if self.folder is None:
            return trained()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.pt"
        # Another process that needs the same network waits for it.
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.is_file():
                network.load_state_dict(torch.load(path, weights_only=True))
                return network.eval()
            trained_network = trained()
            new = path.with_suffix(".new")
            torch.save(trained_network.state_dict(), new)
            new.replace(path)
            return trained_network


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """Training data and settings for one system of a recipe.

    Parameters
    ----------
    training, validation : Examples
        Examples that are fitted to, and those on which epochs are chosen.
    seed : int
        Seed of all random numbers.
    shelf : Checkpoints
        Store of finished networks.
    """

    training: Examples
    validation: Examples
    seed: int
    shelf: Checkpoints = field(default_factory=Checkpoints)


Networks = Callable[[int, int, int], Mapping[str, nn.Module]]
"""Makes a recipe's untrained networks by name, from channels, length and number of classes."""
System = Callable[[Task], nn.Module]
"""Trains one system of a recipe. Its network maps inputs, float32 of shape (n, channels, length),
to logits, float32 of shape (n, classes)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Recipe for training one kind of network, a study's or our own.

    Each recipe is one file in `trainer.recipes`.

    Parameters
    ----------
    study : int
        Number of the study; 0 for our own.
    about : str
        Description in one sentence.
    data : str
        *beats* of five classes, or *windows* that are normal or abnormal.
    systems : mapping of str to System
        Systems by name; the recipe exports the last one.
    loss : callable
        Loss function of a wearer's adaptation, see `Loss`.
    adaptation : FitSettings
        Settings for fitting a trained network to the first minutes of one wearer.
    networks : Networks
        All networks that its systems train, for the digest of results
        (`trainer.evaluation.results.digest`).
    settings : mapping of str to object
        All other numbers and texts that decide the training, for the digest.
    procedure : int
        Version of the systems' code, for the digest. Raise it by hand if they train differently
        with the same networks and settings.
    batch : int
        Examples in a batch of the adaptation.
    published : mapping of str to mapping of str to float
        Published figures of each system.
    individual : callable, optional
        Trains the network of one named wearer from that wearer's examples alone, some of which are
        used for validation.
    """

    study: int
    about: str
    data: Literal["beats", "windows"]
    systems: Mapping[str, System]
    loss: Loss
    adaptation: FitSettings
    networks: Networks
    settings: Mapping[str, object]
    procedure: int = 1
    batch: int = 32
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    individual: Callable[[Task, str], nn.Module] | None = None


def adapt(recipe: Recipe, network: Network, own: Examples, others: Examples, seed: int) -> Network:
    """Fit a copy of a trained network to a wearer.

    Parameters
    ----------
    recipe : Recipe
        Recipe of the network.
    network : Module
        One of its trained networks; it is not changed.
    own : Examples
        The wearer's labelled examples.
    others : Examples
        Training examples of the network. Some are repeated, so that classes without examples of the
        wearer are not forgotten.
    seed : int
        Seed of all random numbers.
    """
    deterministic(seed)
    rng = np.random.default_rng(seed)
    repeated = rng.permutation(len(others))[:REHEARSED]
    examples = Examples.joined([own, others[repeated]])
    batches = ExampleBatches(examples, recipe.batch, recipe.loss)
    return fit(copy.deepcopy(network), batches, replace(recipe.adaptation, seed=seed))


def class_probabilities(network: nn.Module, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of each class, shape (n, classes)."""
    with torch.inference_mode():
        parts = [
            torch.softmax(network.eval()(torch.from_numpy(inputs[at : at + 512])), dim=1)
            for at in range(0, len(inputs), 512)
        ]
    result: NDArray[np.float32] = torch.cat(parts).numpy()
    return result


def class_weights(counts: NDArray[np.intp]) -> Tensor:
    """Return weights that give all classes the same total, with mean 1 over the examples.

    Parameters
    ----------
    counts : ndarray of intp, shape (classes,)
        Examples of each class; a class without any has weight 0.

    Returns
    -------
    Tensor of float32, shape (classes,)
    """
    present = counts > 0
    weights = np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(weights.astype(np.float32))


def recalls(truth: NDArray[np.int8], called: NDArray[np.intp], classes: int) -> Sequence[float]:
    """Return the recall of each class; NaN for a class without examples."""
    return [
        float(np.mean(called[truth == label] == label)) if (truth == label).any() else np.nan
        for label in range(classes)
    ]


def balanced_accuracy(network: nn.Module, examples: Examples) -> float:
    """Return the mean recall over the classes present, the *class-weighted* accuracy."""
    called = class_probabilities(network, examples.inputs).argmax(1)
    return float(np.nanmean(recalls(examples.labels, called, len(examples.classes))))


def accuracy(network: nn.Module, examples: Examples) -> float:
    """Return the share of examples called right."""
    called = class_probabilities(network, examples.inputs).argmax(1)
    return float(np.mean(called == examples.labels))
