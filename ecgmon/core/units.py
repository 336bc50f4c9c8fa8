"""Conversion of ADC counts to physical units."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import NO_VALUE


def millivolts(
    samples: NDArray[np.int16], gain: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Convert ADC counts to mV, NaN where nothing was measured.

    The one conversion for training and monitoring. The gain passes through single precision, as
    it does on the wire; it may be that of each sample.
    """
    values = samples / np.asarray(gain, dtype=np.float32).astype(np.float64)
    values[samples == NO_VALUE] = np.nan
    return values
