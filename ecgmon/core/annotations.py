"""Annotated events of a record."""

from dataclasses import dataclass, replace

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
    notes : tuple of str, length n or 0
        What is written beside each, such as ``(VFL`` beside a change of rhythm; of length 0 where
        nothing is written beside any.
    """

    samples: NDArray[np.int64]
    symbols: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def moved(self, samples: NDArray[np.int64]) -> "Annotations":
        """Return the same events at other sample indices, shape (n,)."""
        return replace(self, samples=samples)

    def between(self, start: int, stop: int) -> "Annotations":
        """Return those from sample ``start`` to before ``stop``, at their sample indices."""
        which = slice(*np.searchsorted(self.samples, (start, stop)).tolist())
        return Annotations(self.samples[which], self.symbols[which], self.notes[which])
