"""Sampling rate and window length of the signal; no scipy, so that the viewer loads quickly."""

from typing import Final

RATE: Final = 360
"""Samples per second of everything inside ecgmon, the rate of the MIT-BIH databases."""
WINDOW: Final = RATE
"""Samples in a window. Windows do not overlap and start at multiples of this stream index."""
NO_VALUE: Final = -32768
"""A sample the device could not measure, for example because the lead is off."""
