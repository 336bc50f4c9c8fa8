"""Beats judged by their wearers' own models: one batch through what these share, then each its own.

A session for each model would judge a beat or two a second alone, with weights that come from
memory each time. The convolutions, most of the work, are the same for all wearers who were enrolled
from one generic model; the weights that are their own are stacked, one product of matrices a layer.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.beat_layers import DENSE, HIDDEN, KERNELS, WIDTH, BeatLayers, SharedLayers
from ecgmon.models.loading import load_beats
from ecgmon.signal.beat_segments import LENGTH, SHAPES
from monitor.inference.incremental import TOLERANCE
from monitor.ops.logs import logger

_log = logger(__name__)
TOGETHER: Final = 32
"""Most beats computed at once: weights and signal of so many fit the processor's cache."""


def load_resting(path: Path) -> BeatModel:
    """Read a bundle as `load_beats`; its session rests where it can be judged without."""
    model = load_beats(path)
    if model.layers is not None:
        model.rest()
    return model


def own_probability(
    inputs: NDArray[np.float32], layers: Sequence[BeatLayers]
) -> list[NDArray[np.float32]]:
    """Judge beats.

    Parameters
    ----------
    inputs : ndarray of float32, shape (n, `ecgmon.signal.beat_segments.VALUES`)
        What a model sees of each.
    layers : sequence of BeatLayers, length n
        The network that judges each.

    Returns
    -------
    list of ndarray of float32, shape (classes,)
        Probability of each class, for each beat. It does not depend on what else is judged.
    """
    of_kind: dict[int, list[int]] = defaultdict(list)
    for i, each in enumerate(layers):
        of_kind[id(each.shared)].append(i)
    found: dict[int, NDArray[np.float32]] = {}
    for every in of_kind.values():
        for start in range(0, len(every), TOGETHER):
            some = every[start : start + TOGETHER]
            said = _judged(inputs[some], [layers[i] for i in some])
            found |= dict(zip(some, said, strict=True))
    return [found[i] for i in range(len(layers))]


def checked(
    model: BeatModel, inputs: NDArray[np.float32], said: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what a bundle's graph says of a beat; if something else, only the graph is used on."""
    try:
        (by_graph,) = model.probability(inputs[None])
    except BundleError:  # its file is another one by now: who judges next is looked up each second
        return said
    if np.allclose(by_graph, said, rtol=0, atol=TOLERANCE):
        model.rest()
        return said
    model.layers = None
    _log.error(
        "model-differs", model=model.card.name, graph=by_graph.tolist(), layers=said.tolist()
    )
    judged: NDArray[np.float32] = by_graph
    return judged


def _judged(inputs: NDArray[np.float32], layers: Sequence[BeatLayers]) -> NDArray[np.float32]:
    """Judge beats with networks of one kind, shape (n, classes)."""
    shared, n = layers[0].shared, len(layers)
    own = np.stack([each.own for each in layers])
    shape = _convolved(inputs[:, : SHAPES * LENGTH].reshape(n, SHAPES, LENGTH), shared)
    context = inputs[:, SHAPES * LENGTH :] * shared.scale + shared.offset
    hidden, at = [], 0
    for x, (_, outputs, width) in zip((shape, context), DENSE, strict=False):
        hidden.append(np.maximum(_dense(own, at, x, outputs), 0))
        at += outputs * (width + 1)
    both = np.maximum(_dense(own, at, np.concatenate(hidden, axis=1), HIDDEN), 0)
    logits = _dense(own, at + HIDDEN * (2 * HIDDEN + 1), both, shared.classes)
    odds = np.exp(logits - np.maximum.reduce(logits, axis=1)[:, None])
    probability: NDArray[np.float32] = odds / np.add.reduce(odds, axis=1)[:, None]
    return probability


def _convolved(x: NDArray[np.float32], layers: SharedLayers) -> NDArray[np.float32]:
    """Return what the convolutions leave, shape (n, CONVOLVED)."""
    for kernel, (kernels, biases) in zip(KERNELS, layers.convolutions, strict=True):
        n, inputs, length = x.shape
        steps, pad = (length + 1) // 2, kernel // 2
        padded = np.zeros((n, inputs, length + 2 * pad + 1), dtype=np.float32)
        padded[:, :, pad : pad + length] = x
        of_beat, of_input, of_sample = padded.strides
        strides = (of_beat, of_sample, of_input, 2 * of_sample)
        taps = np.ndarray((n, kernel, inputs, steps), np.float32, padded, 0, strides)
        x = np.matmul(kernels, taps.reshape(n, -1, steps))
        x += biases
        np.maximum(x, 0, out=x)
    return x.reshape(len(x), WIDTH * x.shape[2])


def _dense(
    own: NDArray[np.float32], at: int, x: NDArray[np.float32], outputs: int
) -> NDArray[np.float32]:
    """Return the outputs of the layers whose weights begin at a place, one for each beat."""
    n, inputs = x.shape
    end = at + outputs * inputs
    weights = own[:, at:end].reshape(n, outputs, inputs)
    y: NDArray[np.float32] = np.matmul(weights, x[:, :, None])[:, :, 0]
    y += own[:, end : end + outputs]
    return y
