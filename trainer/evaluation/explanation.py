"""Pictures of study 3's network: its layers, and how it groups beats."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from trainer.data.examples import Examples
from trainer.evaluation import plots
from trainer.recipes.transfer import DENSE, TransferNet
from trainer.training.recipe import class_probabilities

SHOWN: Final = 400
"""Most beats of a class in the embedding."""
PERPLEXITY: Final = 30
"""About how many neighbours a beat is kept near to (van der Maaten & Hinton 2008)."""
DECIDED_BY: Final = {"procedure": 1, "shown": SHOWN, "perplexity": PERPLEXITY}
"""What decides the pictures beside network and beats; raise the procedure by hand when they are
drawn differently."""
_WIDTH: Final = 64
"""Outputs in a row of a dense layer's picture."""


def features(network: TransferNet, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the last convolutional layer says of beats, shape (n, channels x steps)."""
    layers = network.eval().before(DENSE)
    with torch.inference_mode():
        parts = [
            layers(torch.from_numpy(inputs[at : at + 512])) for at in range(0, len(inputs), 512)
        ]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def representative(network: TransferNet, examples: Examples) -> list[int]:
    """Return a beat of each class that there is, in the order of classes.

    It is the one that the last convolutional layer sees nearest to the class's mean, of those that
    the network calls right, if any.
    """
    right = class_probabilities(network, examples.inputs).argmax(1) == examples.labels
    seen = features(network, examples.inputs)
    chosen = []
    for label in np.unique(examples.labels):
        own = np.flatnonzero(examples.labels == label)
        own = own[right[own]] if right[own].any() else own
        distance = np.linalg.norm(seen[own] - seen[own].mean(0), axis=1)
        chosen.append(int(own[distance.argmin()]))
    return chosen


def activations(network: TransferNet, examples: Examples, path: Path) -> None:
    """Draw a representative beat of each class and what every layer makes of it.

    Parameters
    ----------
    network : TransferNet
        A trained one.
    examples : Examples
        To choose the beats from.
    path : Path
        The file to write.
    """
    beats = representative(network, examples)
    layers = _layers(network, examples.inputs[beats])
    names = [f"convolution {n}" for n in range(1, len(layers) - DENSE + 1)]
    names += [f"dense {n}" for n in range(1, DENSE)]
    figure, rows = plt.subplots(
        len(layers) + 1, len(beats), figsize=(11, 12), layout="constrained", squeeze=False
    )
    for column, beat in enumerate(beats):
        axes = rows[0][column]
        axes.plot(examples.inputs[beat].T, color=plots.COLOURS[1], linewidth=1)
        axes.set(title=examples.classes[examples.labels[beat]], xticks=[], yticks=[0, 1])
        for axes, layer in zip(rows[1:-1, column], layers[:-1], strict=True):
            axes.imshow(_picture(layer[column]), aspect="auto", cmap="viridis", vmax=layer.max())
            axes.set(xticks=[], yticks=[])
        axes = rows[-1][column]
        axes.bar(examples.classes, layers[-1][column], color=plots.COLOURS[0])
        axes.set(ylim=(0, 1), yticks=[0, 1])
        axes.tick_params("x", labelsize=8)
    for axes, name in zip(rows[:, 0], ["beat", *names, "probability"], strict=True):
        axes.set_ylabel(name, fontsize=8)
    plots._save(figure, path)


def embedding(network: TransferNet, examples: Examples, path: Path, seed: int = 1) -> None:
    """Draw the last convolutional layer's view of beats in two dimensions, by t-SNE.

    Parameters
    ----------
    network : TransferNet
        A trained one.
    examples : Examples
        Beats that it was not trained on; at most `SHOWN` of each class are drawn.
    path : Path
        The file to write.
    seed : int
        Of their choice and of the embedding.
    """
    from sklearn.manifold import TSNE  # takes a second to load

    rng = np.random.default_rng(seed)
    each = [
        rng.permutation(np.flatnonzero(examples.labels == label))[:SHOWN]
        for label in range(len(examples.classes))
    ]
    few = examples[np.concatenate(each)]
    perplexity = min(PERPLEXITY, (len(few) - 1) / 3)
    places = TSNE(perplexity=perplexity, random_state=seed).fit_transform(
        features(network, few.inputs)
    )
    figure, axes = plt.subplots(figsize=(6.4, 5.4), layout="constrained")
    for label, name in enumerate(few.classes):
        own = places[few.labels == label]
        axes.scatter(
            own[:, 0], own[:, 1], s=8, label=f"{name} ({len(own)})", color=plots.COLOURS[label]
        )
    axes.set(xticks=[], yticks=[], xlabel="t-SNE of the last convolutional layer, test beats")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.08), ncols=5, frameon=False)
    plots._save(figure, path)


def _layers(network: TransferNet, inputs: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
    """Return the output of every layer, the last one's as probabilities."""
    found = []
    with torch.inference_mode():
        out = torch.from_numpy(inputs)
        for layer in network.eval().convolutions:
            out = layer(out)
            found.append(out.numpy())
        out = out.flatten(1)
        for layer in network.dense:
            out = layer(out)
            found.append(out.numpy())
        found[-1] = torch.softmax(out, dim=1).numpy()
    return found


def _picture(layer: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return channels over time as they are, and a dense layer's outputs in rows."""
    return layer if layer.ndim == 2 else layer.reshape(-1, min(_WIDTH, len(layer)))
