"""The coefficients of the chain's filters, as second-order sections at 360 Hz.

They are those of `scipy.signal.butter`, which is not used where a wearer is monitored: to import it
takes 50 MB of memory and half a second. So a verdict depends on no version of it, either.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray


def _sections(*sections: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(sections, dtype=np.float64)


BAND_PASS: Final = _sections(
    (
        0.002458899520486259,
        0.004917799040972518,
        0.002458899520486259,
        1.0,
        -1.2012157746965844,
        0.37824079860219806,
    ),
    (1.0, 2.0, 1.0, 1.0, -1.4613440159099658, 0.6856385182119527),
    (1.0, -2.0, 1.0, 1.0, -1.9868948650109048, 0.9869455205728294),
    (1.0, -2.0, 1.0, 1.0, -1.9947211746872233, 0.9947701431405986),
)
"""Band-pass of order 4 from 0.4 to 30 Hz."""
QRS: Final = _sections(
    (0.982844387403537, -0.982844387403537, 0.0, 1.0, -0.965688774807074, 0.0),
    (0.08783180709125214, 0.0, -0.08783180709125214, 1.0, -1.7743959340837396, 0.8243363858174956),
)
"""High-pass of order 1 at 2 Hz, then a band-pass of order 1 from 9 to 20 Hz."""
SHARP: Final = _sections(
    (
        0.02878365946909849,
        0.05756731893819698,
        0.02878365946909849,
        1.0,
        -1.3768136482941369,
        0.7081648844720747,
    ),
    (1.0, -2.0, 1.0, 1.0, -1.7113873328275275, 0.820669162490986),
)
"""Band-pass of order 2 from 18 to 40 Hz."""


def steady_state(sos: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the state of sections at which a constant 1 has stood for ever.

    Parameters
    ----------
    sos : ndarray of float64, shape (sections, 6)
        The filter, normalised: its fourth column is 1.

    Returns
    -------
    ndarray of float64, shape (sections, 2)
        In transposed direct form II, from y = gain * x there; what `scipy.signal.sosfilt_zi` gives.
    """
    states = np.empty((len(sos), 2))
    level = 1.0
    for state, (b0, b1, b2, _, a1, a2) in zip(states, sos, strict=True):
        step = np.array([[1.0 + a1, -1.0], [a2, 1.0]])  # of the state to itself, less what it is
        state[:] = level * np.linalg.solve(step, np.array([b1 - a1 * b0, b2 - a2 * b0]))
        level *= (b0 + b1 + b2) / (1.0 + a1 + a2)
    return states
