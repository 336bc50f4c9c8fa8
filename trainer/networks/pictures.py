"""Windows as pictures, the input of study 2, in torch: an exported network takes the plain window.

Not pyts: its last release, of June 2023, declares no Python after 3.11; it brings scikit-learn,
numba and joblib for a few lines of arithmetic, its transition field refuses flat windows, and what
it computes in numpy could not be part of an ONNX graph.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

BINS: Final = 8
"""Quantile bins of a Markov transition field; the publication does not say."""
_FLAT: Final = 0.05
"""Smallest range that is stretched to [-1, 1] in full, in the wearer's usual amplitude: noise on a
flat line is not blown up to the size of beats."""


def pieces(length: int, size: int) -> Tensor:
    """Return the matrix of piecewise aggregate approximation (Keogh et al. 2001).

    Row i averages the i-th of ``size`` equal pieces; a sample on the border of two counts for each
    by its share.

    Returns
    -------
    Tensor of float32, shape (size, length)
    """
    borders = torch.arange(size + 1, dtype=torch.float64)[:, None] * (length / size)
    covered = (borders - torch.arange(length)).clamp(0, 1)
    return ((covered[1:] - covered[:-1]) * (size / length)).float()


def angular_field(x: Tensor) -> Tensor:
    """Return Gramian angular summation fields (Wang & Oates 2015).

    A window stretched to [-1, 1] is taken for cosines of angles a; the field is cos(a_i + a_j) =
    x_i x_j - sqrt(1 - x_i^2) sqrt(1 - x_j^2). Each window is stretched by its own extremes, as the
    source does: scaled by the wearer's amplitude, large beats would have to be cut off (worse in
    validation), and the recurrence plot shows the amplitude as it is. A flat window counts as its
    lowest value throughout.

    Parameters
    ----------
    x : Tensor of float, shape (n, size)

    Returns
    -------
    Tensor of float, shape (n, size, size)
    """
    above = x - x.amin(-1, keepdim=True)
    cosine = 2 * above / above.amax(-1, keepdim=True).clamp(min=_FLAT) - 1
    sine = (1 - cosine**2).clamp(min=0).sqrt()
    return _outer(cosine) - _outer(sine)


def recurrence_plot(x: Tensor) -> Tensor:
    """Return recurrence plots without a threshold, |x_i - x_j| (Eckmann et al. 1987).

    Parameters
    ----------
    x : Tensor of float, shape (n, size)

    Returns
    -------
    Tensor of float, shape (n, size, size)
    """
    return (x[:, :, None] - x[:, None, :]).abs()


def in_bins(x: Tensor, bins: int = BINS) -> Tensor:
    """Tell in which quantile bin of its window each value lies.

    Equal values lie in one bin, so that a flat window has a single one.

    Parameters
    ----------
    x : Tensor of float, shape (n, length)
        At least ``bins`` values each.

    Returns
    -------
    Tensor of float, shape (n, length, bins)
        1 in the value's bin, else 0.
    """
    length = x.shape[-1]
    last = torch.tensor([length * of // bins - 1 for of in range(1, bins)])
    edges = x.sort(-1).values[:, last]
    above = (x[:, :, None] > edges[:, None, :]).to(x.dtype)
    reached = functional.pad(above, (1, 0), value=1.0)
    return reached - functional.pad(above, (0, 1))


def transitions(bins: Tensor) -> Tensor:
    """Return how probably a value of one bin is followed by one of another.

    Parameters
    ----------
    bins : Tensor of float, shape (n, length, bins)
        See `in_bins`.

    Returns
    -------
    Tensor of float, shape (n, bins, bins)
        From (row) and to (column); a row is 0 where nothing follows the bin, else its sum is 1.
    """
    counts = bins[:, :-1].transpose(1, 2) @ bins[:, 1:]
    return counts / counts.sum(-1, keepdim=True).clamp(min=1)


def transition_field(bins: Tensor, averaging: Tensor) -> Tensor:
    """Return Markov transition fields (Wang & Oates 2015).

    Its point (i, j) is the probability of passing from the quantile bin of sample i to that of
    sample j in one step; the field is averaged over the pieces of the window.

    Parameters
    ----------
    bins : Tensor of float, shape (n, length, bins)
        See `in_bins`.
    averaging : Tensor of float, shape (size, length)
        See `pieces`.

    Returns
    -------
    Tensor of float, shape (n, size, size)
    """
    # The mean over samples i, j of W[bin i, bin j] needs only the share of each bin in a piece.
    shares = averaging @ bins
    return shares @ transitions(bins) @ shares.transpose(1, 2)


def _outer(x: Tensor) -> Tensor:
    return x[:, :, None] * x[:, None, :]


class Pictures(nn.Module):
    """Three pictures of a window: angular field, transition field and recurrence plot.

    Parameters
    ----------
    length : int
        Samples of a window.
    size : int
        Width and height.
    """

    averaging: Tensor

    def __init__(self, length: int, size: int) -> None:
        super().__init__()
        self.register_buffer("averaging", pieces(length, size), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return pictures, shape (n, 3, size, size), of windows, shape (n, length)."""
        shorter = x @ self.averaging.T
        return torch.stack(
            (
                angular_field(shorter),
                transition_field(in_bins(x), self.averaging),
                recurrence_plot(shorter),
            ),
            dim=1,
        )
