"""The causal Butterworth band-pass of the chain, the same in training and monitoring."""

from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.state import ARRAY, Layout, StatefulRows
from ecgmon.signal.coefficients import BAND_PASS, steady_state
from ecgmon.signal.compiled import fastest

BAND_HZ: Final = (0.4, 30.0)
"""Pass band of CardiacNet (Vavekanand et al. 2024)."""
ORDER: Final = 4
"""Butterworth order; a band-pass of order n has n second-order sections."""

_filter_in_place: Final = fastest()


class SectionFilter(StatefulRows):
    """Second-order sections that carry their state, for a stack of wearers.

    Each row starts in the steady state of its own first sample, as if that value had stood
    there for ever: a band-pass then starts without a transient, at exactly zero.

    Parameters
    ----------
    sos : ndarray of float64, shape (sections, 6)
        The filter, normalised as `scipy.signal` gives it.
    rows : int
        Number of wearers.
    """

    layout = Layout("section filter", 1, _state=ARRAY, _fresh=ARRAY)

    def __init__(self, sos: NDArray[np.float64], rows: int) -> None:
        self._sos = np.ascontiguousarray(sos)
        self._steady = steady_state(sos)
        self._state = np.zeros((rows, len(sos), 2))
        self._fresh = np.ones(rows, dtype=bool)

    def reset(self, row: int) -> None:
        """Forget a row; its next sample starts it anew."""
        self._fresh[row] = True

    def __call__(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        n: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Filter the next samples of some rows.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        x : ndarray of float64, shape (r, n), n >= 1
            Their next samples, without NaN.
        n : ndarray of int64, shape (r,), optional
            How many there are of each, 1 or more; left out, all of ``x``. Rows that follow one
            another with as many are filtered in one call.

        Returns
        -------
        ndarray of float64, shape (r, n)
            Bit-identical for every way of cutting the stream into calls; of no meaning where a
            row has no sample.
        """
        fresh = self._fresh[rows]
        if np.count_nonzero(fresh):
            first = x[fresh, 0]
            self._state[rows[fresh]] = self._steady * first[:, None, None]
            self._fresh[rows] = False
        y, state = np.array(x, order="C"), self._state[rows]
        if n is None:
            _filter_in_place(self._sos, y, state)
        else:
            start = 0
            for length, equal in groupby(n.tolist()):
                run = slice(start, start := start + len(list(equal)))
                part = np.ascontiguousarray(y[run, :length])
                _filter_in_place(self._sos, part, state[run])
                y[run, :length] = part
        self._state[rows] = state
        return y


def band_pass(rows: int) -> SectionFilter:
    """Return the monitor's causal Butterworth band-pass for a stack of wearers."""
    return SectionFilter(BAND_PASS, rows)
