"""Energy of the signal in the frequency bands of the QRS complex, sample by sample.

Band-pass where the QRS lives, square, mean over a moving window, root (Pan & Tompkins 1985, whose
slope the narrow band stands for). A second, higher band tells a QRS complex from a T wave: its
energy is needed at few moments only and is computed there, from the power.
"""

from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.state import COLUMNS, NESTED, Layout, StatefulRows
from ecgmon.signal.coefficients import QRS, SHARP
from ecgmon.signal.filter import SectionFilter

BAND_HZ: Final = (9.0, 20.0)
"""Above most of a T wave, below muscle noise. This band, `DRIFT_HZ`, the moving window and the
shares of `ecgmon.signal.qrs` were chosen together on DS1 alone (docs/results/qrs.md)."""
DRIFT_HZ: Final = 2.0
"""A first-order high-pass more, so that breathing, which moves the baseline by millivolts, stays
below `ecgmon.signal.peaks.FLOOR_MV`: an asystole is one on a drifting baseline too."""
SHARP_HZ: Final = (18.0, 40.0)
"""Where a QRS complex still has energy, even a wide one, and a T wave has none."""
ENERGY_WINDOW: Final = round(0.117 * RATE)
"""Samples of the moving window."""


class Energy(NamedTuple):
    """What the samples of some rows hold in both bands.

    Parameters
    ----------
    qrs : ndarray of float64, shape (n, r)
        Root of the mean power in `BAND_HZ` over the moving window, in mV; time first.
    sharp : ndarray of float64, shape (r, n)
        Each sample's share of the mean power in `SHARP_HZ`, as `highest` takes it.
    """

    qrs: NDArray[np.float64]
    sharp: NDArray[np.float64]


class QrsEnergy(StatefulRows):
    """Measures the energy in both bands as samples come.

    Parameters
    ----------
    rows : int
        Number of wearers.
    """

    layout = Layout("QRS energy", 2, _qrs=NESTED, _sharp=NESTED, _power=COLUMNS)

    def __init__(self, rows: int) -> None:
        self._qrs = SectionFilter(QRS, rows)
        self._sharp = SectionFilter(SHARP, rows)
        self._power = np.zeros((ENERGY_WINDOW - 1, rows))

    def reset(self, row: int) -> None:
        """Forget a row; its next sample starts it anew."""
        self._qrs.reset(row)
        self._sharp.reset(row)
        self._power[:, row] = 0

    def __call__(
        self,
        rows: NDArray[np.intp],
        x: NDArray[np.float64],
        n: NDArray[np.int64] | None = None,
    ) -> Energy:
        """Take the next samples of some rows.

        Parameters
        ----------
        rows : ndarray of intp, shape (r,)
            Which rows, each at most once.
        x : ndarray of float64, shape (r, n), n >= 1
            Their next samples in mV, without NaN.
        n : ndarray of int64, shape (r,), optional
            How many there are of each, 1 or more; left out, all of ``x``.

        Returns
        -------
        Energy
            Bit-identical for every way of cutting the stream into calls; of no meaning where a
            row has no sample.
        """
        qrs, sharp = self._qrs(rows, x, n), self._sharp(rows, x, n)
        width = x.shape[1]
        power = np.empty((ENERGY_WINDOW - 1 + width, len(rows)))
        power[: ENERGY_WINDOW - 1] = self._power[:, rows]
        np.multiply(qrs, qrs, out=qrs)
        np.multiply(qrs.T, 1 / ENERGY_WINDOW, out=power[ENERGY_WINDOW - 1 :])
        np.multiply(sharp, sharp, out=sharp)
        sharp *= 1 / ENERGY_WINDOW
        if n is None:
            self._power[:, rows] = power[width:]
        else:
            last = n + np.arange(ENERGY_WINDOW - 1)[:, None]
            self._power[:, rows] = power[last, np.arange(len(rows))]
        mean = _moving_sum(power)
        return Energy(np.sqrt(mean, out=mean), sharp)


def highest(sharp: NDArray[np.float64]) -> float:
    """Return the highest energy in `SHARP_HZ`, in mV, of some samples of a row.

    Parameters
    ----------
    sharp : ndarray of float64, shape (n,)
        `Energy.sharp` of these samples and of the `ENERGY_WINDOW` - 1 before them.
    """
    return sqrt(float(_moving_sum(sharp[:, None]).max()))


def _moving_sum(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of `ENERGY_WINDOW` samples one after the other along the first axis.

    `np.add.reduce` over the first axis adds sample to sample, from the oldest on, which is the
    same for every way of cutting the stream; a running sum would round by the cut, and so would
    one column, whose samples it adds in pairs. `scipy.signal.lfilter` gives the same bits, row by
    row, in three times the time.
    """
    if power.shape[1] == 1:
        return _moving_sum(np.repeat(power, 2, axis=1))[:, :1]
    shape = (ENERGY_WINDOW, len(power) - ENERGY_WINDOW + 1, power.shape[1])
    strides = (power.strides[0], *power.strides)
    window: NDArray[np.float64] = np.ndarray(shape, np.float64, power, 0, strides)
    total: NDArray[np.float64] = np.add.reduce(window, axis=0)
    return total
