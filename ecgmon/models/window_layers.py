"""The layers of the project's own window network, `beatnet`, as its bundles hold them.

The trainer builds the network from these figures, and the monitor runs it by them without torch.
"""

from typing import Final, NamedTuple, Self

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


class WindowWeights(NamedTuple):
    """The weights of a network: of each convolution, then of the outputs.

    Parameters
    ----------
    kernels : tuple of ndarray of float32, each of shape (outputs, kernel * inputs)
        All inputs at one place of the kernel, then those at the next.
    biases : tuple of ndarray of float32, each of shape (outputs, 1)
    """

    kernels: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, graph: bytes) -> Self | None:
        """Return the weights in a bundle's graph; None if it is of no such network."""
        names = [f"stem.{i}.conv" for i in range(len(STEM))]
        names += [f"layers.{i}.conv" for i in range(len(RESIDUAL))]
        try:
            found = initializers(graph)
            kernels = [found[f"network.{name}.weight"] for name in (*names, "output")]
            biases = [found[f"network.{name}.bias"] for name in (*names, "output")]
        except (ValueError, KeyError):
            return None
        outputs, wanted = (*OUTPUTS, CHANNELS * FINE), (*(each.kernel for each in LAYERS), 1)
        shapes = list(zip(outputs, (1, *OUTPUTS), wanted, strict=True))
        if [each.shape for each in kernels] != shapes:
            return None
        if [each.shape for each in biases] != [(each,) for each in outputs]:
            return None
        return cls(
            tuple(each.transpose(0, 2, 1).reshape(len(each), -1).copy() for each in kernels),
            tuple(each[:, None].copy() for each in biases),
        )
