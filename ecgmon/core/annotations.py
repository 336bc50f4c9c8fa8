"""Annotated events of a record."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Annotations:
    """Annotated events of a record, in the order of time.

    Parameters
    ----------
    samples : ndarray of int64, shape (n,)
        Sample index of each annotation.
    symbols : tuple of str, length n
        WFDB annotation symbols.
    """

    samples: NDArray[np.int64]
    symbols: tuple[str, ...]
