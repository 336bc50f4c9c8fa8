"""The layers of the project's network of beats, by which a wearer's own is run without its graph.

What enrolment fits is a wearer's own: the layers over a beat's shape, over its context and over
both. Convolutions and normalisation stay those of the generic network
(`trainer.training.own_beats.SHARED`), so that the beats of many wearers pass them in one batch.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from ecgmon.models.initializers import initializers
from ecgmon.signal.beat_segments import CONTEXT, SHAPES

NETWORK: Final = "beats"
"""Name of the network on its cards."""
KERNELS: Final = (9, 7, 5, 5)
"""Samples of each convolution, which halves the rate and is followed by ReLU."""
WIDTH: Final = 32
"""Channels of each convolution."""
HIDDEN: Final = 48
"""Outputs of the layers over the shape, over the context, and over both."""
CONVOLVED: Final = WIDTH * 12
"""Numbers that the convolutions leave of a beat."""
DENSE: Final = (
    ("shape.13", HIDDEN, CONVOLVED),
    ("context.0", HIDDEN, CONTEXT),
    ("output.0", HIDDEN, 2 * HIDDEN),
)
"""A wearer's own layers but for the last, followed by ReLU: name, outputs and inputs."""
LAST: Final = "output.3"
"""The layer whose outputs are the classes."""
_SHARED: Final = ("shape.0", "shape.3", "shape.6", "shape.9")
_EPSILON: Final = np.float32(1e-5)
"""Added to the variance by which the context is normalised."""


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class SharedLayers:
    """The layers that networks of one kind have in common; kept once for all of them.

    Parameters
    ----------
    convolutions : tuple of tuple of ndarray of float32
        Kernels, shape (`WIDTH`, kernel * inputs), all inputs at one place of a kernel and then
        those at the next; and biases, shape (`WIDTH`, 1).
    scale, offset : ndarray of float32, shape (CONTEXT,)
        What the context is multiplied with, and what is added then.
    classes : int
        Outputs of the last layer.
    """

    convolutions: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    classes: int


@dataclass(frozen=True, eq=False, slots=True)
class BeatLayers:
    """The weights of one network.

    Parameters
    ----------
    shared : SharedLayers
        The same object for all networks of one kind.
    own : ndarray of float32, shape (n,)
        Weights and biases of each layer of `DENSE`, then of the last one.
    """

    shared: SharedLayers
    own: NDArray[np.float32]


_kept: WeakValueDictionary[bytes, SharedLayers] = WeakValueDictionary()
"""Shared layers in use, by their SHA-256."""


def beat_layers(graph: bytes, classes: int) -> BeatLayers | None:
    """Return the layers in a bundle's graph; None if it is of another network.

    Parameters
    ----------
    graph : bytes
        The graph.
    classes : int
        Classes on the card.
    """
    try:
        found = {name.removeprefix("network."): each for name, each in initializers(graph).items()}
        shared = [_layer(found, name) for name in _SHARED]
        mean, variance, weight, bias = (
            found[f"normalised.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        own = [_layer(found, name) for name, _, _ in DENSE]
        last, last_bias = _layer(found, LAST)
        last_bias = last_bias + found["prior"]
    except (ValueError, KeyError):
        return None
    inputs = (SHAPES, *[WIDTH] * len(KERNELS))
    wanted = [
        *((WIDTH, before, kernel) for before, kernel in zip(inputs, KERNELS, strict=False)),
        *((outputs, before) for _, outputs, before in DENSE),
        (classes, HIDDEN),
    ]
    if [each.shape for each, _ in [*shared, *own, (last, last_bias)]] != wanted:
        return None
    if len(weight) != CONTEXT:
        return None
    scale = weight / np.sqrt(variance + _EPSILON)
    convolutions = tuple(
        (np.ascontiguousarray(kernels.transpose(0, 2, 1)).reshape(WIDTH, -1), biases[:, None])
        for kernels, biases in shared
    )
    offset = bias - mean * scale
    kind = sha256(b"".join(each.tobytes() for pair in shared for each in pair))
    kind.update(scale.tobytes() + offset.tobytes() + str(classes).encode())
    kept = _kept.setdefault(kind.digest(), SharedLayers(convolutions, scale, offset, classes))
    flat = [each.ravel() for pair in [*own, (last, last_bias)] for each in pair]
    return BeatLayers(kept, np.concatenate(flat))


def _layer(
    found: dict[str, NDArray[np.float32]], name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights and biases of a layer; raises KeyError or ValueError where there are none."""
    weights, biases = found[f"{name}.weight"], found[f"{name}.bias"]
    if biases.shape != weights.shape[:1]:
        raise ValueError(f"the biases of {name} do not fit its weights")
    return weights, biases
