"""Conversion of ADC counts to physical units."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import NO_VALUE


def millivolts(samples: NDArray[np.int16], gain: float) -> NDArray[np.float64]:
    """Convert ADC counts to mV, NaN where nothing was measured.

    The one conversion for training and monitoring. The gain passes through single precision, as
    it does on the wire.
    """
    values = samples / np.float64(np.float32(gain))
    values[samples == NO_VALUE] = np.nan
    return values
