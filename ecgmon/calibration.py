"""A threshold of one's own for a wearer whom nobody has annotated.

What is ordinary in a stranger may get a low probability from a generic model, or a middling one;
the abnormal stands out against it all the same. So the threshold follows what is usual in the
first minutes, of which no label is known.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

SLOPE: Final = 0.75
"""Share of the usual log-odds that the threshold follows; chosen on `trainer.splits.CHOOSING`."""
LIMITS: Final = (0.05, 0.95)
"""Lowest and highest threshold: where most windows are abnormal, as in a bundle branch block, the
usual must not become the normal."""
SURE: Final = 1e-6
"""Probabilities are kept so far from 0 and 1, whose log-odds are infinite."""


def threshold(probability: NDArray[np.float32], intercept: float) -> float:
    """Return from which probability on a wearer's window is called abnormal.

    Parameters
    ----------
    probability : ndarray of float32, shape (n,)
        What a generic model says of the windows of the wearer's first minutes, usually 300.
    intercept : float
        The model's (`ecgmon.bundle.Card`), chosen with it on validation wearers.
    """
    usual = float(np.median(logit(np.clip(probability.astype(np.float64), SURE, 1 - SURE))))
    return float(np.clip(expit(intercept + SLOPE * usual), *LIMITS))
