"""The layers of the project's own window network, `beatnet`, as its bundles hold them.

The trainer builds the network from these figures, and the monitor runs it by them without torch.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.models.initializers import initializers
from ecgmon.signal import Geometry

NETWORK: Final = "beatnet"
"""Name of the network on its cards."""
GEOMETRY: Final = Geometry(history_s=3, look_ahead_s=0.5, rate=120, unit="second")
"""What it sees."""


class Convolution(NamedTuple):
    """One convolution without padding, followed by ReLU.

    Parameters
    ----------
    kernel, stride, dilation : int
        As everywhere. Where the stride is 1 the input is added to the output.
    causal : bool
        Whether what is added to an output is the newest input that it sees; else the middle one.
    unseen : int
        Newest inputs of a second that no output of this second sees.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    causal: bool = False
    unseen: int = 0

    @property
    def keeps(self) -> int:
        """Inputs from before a second that its outputs need."""
        return self.dilation * (self.kernel - 1) - (self.stride - 1) + self.unseen

    @property
    def skip(self) -> int:
        """Place of the input that is added to the first output, from the first that is kept."""
        return self.keeps if self.causal else self.keeps // 2


STEM: Final = (Convolution(7, stride=2, unseen=1), Convolution(5, stride=2))
RESIDUAL: Final = (
    Convolution(5, dilation=1),
    Convolution(5, dilation=2),
    Convolution(5, dilation=3),
    Convolution(5, dilation=4, causal=True),
    Convolution(5, dilation=8, causal=True),
    Convolution(3, dilation=15, causal=True),
)
"""Seen from an output: 12 steps to each side, then 78 more back in time. With the strided stem that
is exactly 3 s of history and 0.5 s of look-ahead."""
LAYERS: Final = (*STEM, *RESIDUAL)
OUTPUTS: Final = (16, 32, 32, 32, 32, 32, 32, 32)
"""Channels of each layer's outputs."""
FINE: Final = 2
"""Outputs at each of the 30 time steps a second that the layers compute."""
CHANNELS: Final = 2
"""Of outputs: an abnormal beat is here; a beat is here."""


SHAPES: Final = tuple(
    zip(
        (*OUTPUTS, CHANNELS * FINE),
        (1, *OUTPUTS),
        (*(each.kernel for each in LAYERS), 1),
        strict=True,
    )
)
"""Outputs, inputs and kernel of each layer, the last one that of the network's outputs."""
WEIGHTS: Final = sum(outputs * (inputs * kernel + 1) for outputs, inputs, kernel in SHAPES)
"""Numbers in a network."""


def weights(graph: bytes) -> NDArray[np.float32] | None:
    """Return the weights in a bundle's graph, shape (WEIGHTS,); None if it is of another network.

    Of each layer the kernels, shape (kernel, inputs, outputs), and then the biases.
    """
    names = [f"stem.{i}.conv" for i in range(len(STEM))]
    names += [f"layers.{i}.conv" for i in range(len(RESIDUAL))]
    parts = []
    try:
        found = initializers(graph)
        for name, shape in zip((*names, "output"), SHAPES, strict=True):
            kernels, biases = found[f"network.{name}.weight"], found[f"network.{name}.bias"]
            if kernels.shape != shape or biases.shape != shape[:1]:
                return None
            parts += [kernels.transpose(2, 1, 0).ravel(), biases]
    except (ValueError, KeyError):
        return None
    return np.concatenate(parts)


def by_layer(network: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the matrix of each layer as a part of a network's weights.

    Parameters
    ----------
    network : ndarray of float32, shape (WEIGHTS,)
        From `weights`.

    Returns
    -------
    list of ndarray of float32
        Of shape (kernel * inputs + 1, outputs), the last row the biases: what a kernel sees is
        multiplied with it, a 1 behind it.
    """
    matrices, at = [], 0
    for outputs, inputs, kernel in SHAPES:
        rows = inputs * kernel + 1
        matrices.append(network[at : at + rows * outputs].reshape(rows, outputs))
        at += rows * outputs
    return matrices
