"""The next second of the window network for a batch of wearers, each with weights of their own.

Samples lie before channels: what a kernel sees at a step is then a few stretches of memory, and the
outputs of a layer are written where the next one reads them. A product for each wearer costs less
than weights that are brought side by side first, for those come from memory each time.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ecgmon.models.window_layers import CHANNELS, FINE, GEOMETRY, LAYERS, OUTPUTS, Convolution

NEW: Final = GEOMETRY.rate
"""Samples of a second."""
STEPS: Final = 30
"""Outputs that a second has of the last layers."""
TOGETHER: Final = 16
"""Most windows computed at once: weights and signal of so many fit the processor's cache."""
_INPUTS: Final = (1, *OUTPUTS[:-1])
"""Channels of each layer's inputs."""
_KEPT: Final = [n * layer.keeps for n, layer in zip(_INPUTS, LAYERS, strict=True)]
KEPT: Final = sum(_KEPT)
"""Inputs from before a second that its outputs need, of all layers."""
Network = Sequence[NDArray[np.float32]]
"""The matrices of a model's layers (`ecgmon.models.window_layers.by_layer`)."""


class WindowSteps:
    """Computes seconds; of a batch it keeps nothing but the memory, which the next one uses."""

    def __init__(self) -> None:
        self._out = out = np.empty((TOGETHER, STEPS, OUTPUTS[-1]), dtype=np.float32)
        self._last = np.empty((TOGETHER, OUTPUTS[-1], STEPS), dtype=np.float32)
        taps: dict[tuple[int, int], NDArray[np.float32]] = {}
        layers: list[_Layer] = []
        for one in reversed(list(zip(LAYERS, _INPUTS, accumulate(_KEPT), strict=True))):
            layers.append(_Layer(*one, out, taps))
            out = layers[-1].new
        self._new, self._layers = out[:, :, 0], layers[::-1]

    def logits(
        self, kept: NDArray[np.float32], new: NDArray[np.float32], networks: Sequence[Network]
    ) -> NDArray[np.float32]:
        """Compute a second of some wearers, and return what the network says of it.

        Parameters
        ----------
        kept : ndarray of float32, shape (n, KEPT), n <= `TOGETHER`
            What each wearer's layers keep; it becomes what they keep for the second after this.
        new : ndarray of float32, shape (n, NEW)
            The samples of the second.
        networks : sequence of Network
            That of each wearer, or the one of all of them.

        Returns
        -------
        ndarray of float32, shape (n, FINE * STEPS)
            Logits of an abnormal beat along the second.
        """
        n = len(new)
        self._new[:n] = new
        *matrices, last = zip(*networks, strict=True)
        for layer, theirs in zip(self._layers, matrices, strict=True):
            layer.compute(kept, theirs)
        x = self._last[:n]
        x[:] = self._out[:n].transpose(0, 2, 1)
        weights = np.stack(last)
        y = np.matmul(weights[:, :-1].transpose(0, 2, 1), x)
        y += weights[:, -1, :, None]
        abnormal: NDArray[np.float32] = y.reshape(n, CHANNELS, FINE, STEPS)[:, 0]
        return abnormal.transpose(0, 2, 1).reshape(n, -1)


class _Layer:
    """A convolution, and the memory in which it is computed.

    Parameters
    ----------
    convolution : Convolution
        Which.
    inputs : int
        Channels of its inputs.
    kept : int
        Where its inputs end among those of all layers that are kept.
    out : ndarray of float32, shape (TOGETHER, steps, outputs)
        Where its outputs go.
    taps : dict
        Where layers put what their kernels see, by its shape.

    Attributes
    ----------
    new : ndarray of float32, shape (TOGETHER, steps * stride, inputs)
        Where the inputs of a second are expected.
    """

    def __init__(
        self,
        convolution: Convolution,
        inputs: int,
        kept: int,
        out: NDArray[np.float32],
        taps: dict[tuple[int, int], NDArray[np.float32]],
    ) -> None:
        steps, keeps, stride = out.shape[1], convolution.keeps, convolution.stride
        self._kept = slice(kept - inputs * keeps, kept)
        self._seen = np.zeros((TOGETHER, keeps + stride * steps, inputs), dtype=np.float32)
        self._before, self.new = self._seen[:, :keeps], self._seen[:, keeps:]
        self._after = self._seen[:, stride * steps :]
        size = convolution.kernel * inputs
        mine = taps.setdefault((steps, size), np.ones((TOGETHER, steps, size + 1), np.float32))
        shape = (TOGETHER, steps, convolution.kernel, inputs)
        row, sample, channel = self._seen.strides
        strides = row, stride * sample, convolution.dilation * sample, channel
        self._source = as_strided(self._seen, shape, strides, writeable=False)
        self._taps = mine[:, :, :size].reshape(shape)
        self._factors, self._out = mine, out
        self._each = list(zip(mine, out, strict=True))
        at = convolution.skip
        self._skipped = self._seen[:, at : at + steps] if stride == 1 else None

    def compute(self, kept: NDArray[np.float32], matrices: Network) -> None:
        """Compute the outputs of a second of n wearers, whose inputs are in `new`.

        ``kept`` are the inputs from before, of all layers; they become those for the next second.
        """
        n = len(kept)
        before = self._before[:n]
        mine = kept[:, self._kept].reshape(before.shape)
        before[:] = mine
        mine[:] = self._after[:n]
        self._taps[:n] = self._source[:n]
        out = self._out[:n]
        if len(matrices) == 1:
            np.matmul(self._factors[:n], matrices[0], out=out)
        else:
            for (taps, result), matrix in zip(self._each, matrices, strict=False):
                np.dot(taps, matrix, out=result)
        np.maximum(out, 0, out=out)
        if self._skipped is not None:
            out += self._skipped[:n]
