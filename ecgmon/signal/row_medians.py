"""Medians of the latest values of many rows, of which some may know fewer than others."""

import numpy as np
from numpy.typing import NDArray


def row_medians(latest: NDArray[np.float64], values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the median of what is known of each row.

    Parameters
    ----------
    latest : ndarray of float64, shape (m, n)
        The latest values in any order; infinite where fewer are known.
    values : ndarray of int64, shape (m,)
        How many came so far, 1 or more; at most ``n`` of them are known.

    Returns
    -------
    ndarray of float64, shape (m,)
    """
    ordered, each = np.sort(latest, axis=1), np.arange(len(latest))
    known = np.minimum(values, latest.shape[1])
    lower = ordered[each, (known - 1) // 2]
    median: NDArray[np.float64] = lower + 0.5 * (ordered[each, known // 2] - lower)
    return median
