"""Other electrodes and devices: what would have been recorded of the same heart.

Databases have their own leads and recorders. Who wears a monitor has others: a lead may be upside
down, larger or smaller, and a device passes its own band. A record is changed before it enters the
monitor's chain, so that the beat detector, the scale and the filter see the change, too. Which lead
of a record is used is a choice of its own (`trainer.data.beats.leads`).
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.signal.filter import SectionFilter

BANDS_HZ: Final = ((0.05, 150.0), (0.05, 100.0), (0.5, 40.0))
"""Pass bands of devices, -3 dB: diagnostic ones (IEC 60601-2-25 and older recorders), and that of
bedside monitors and most wearables."""
GAINS: Final = (0.5, 2.0)
"""Smallest and largest amplitude against that of the record."""
INVERTED: Final = 0.3
"""Share of leads that are upside down: of svdb's first leads 27 % are."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a lead is worn and recorded, against the record itself.

    Parameters
    ----------
    inverted : bool
        Whether both electrodes are exchanged.
    gain : float
        Amplitude against that of the record, above 0.
    band_hz : (float, float) or None
        -3 dB frequencies of the device, below half of `RATE`; None leaves the record's own band.
    """

    inverted: bool = False
    gain: float = 1.0
    band_hz: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where a gain or a band cannot be."""
        if not self.gain > 0:
            raise ValueError(f"a gain is above 0, not {self.gain}")
        if self.band_hz is not None and not 0 < self.band_hz[0] < self.band_hz[1] < RATE / 2:
            raise ValueError(f"a band lies between 0 and {RATE // 2} Hz, not at {self.band_hz}")

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Self:
        """Return a placement as it may come: each band and each gain in octaves equally often."""
        return cls(
            inverted=bool(rng.random() < INVERTED),
            gain=exp(rng.uniform(log(GAINS[0]), log(GAINS[1]))),
            band_hz=BANDS_HZ[int(rng.integers(len(BANDS_HZ)))],
        )

    def __call__(self, millivolts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a lead as this placement records it.

        A band is passed causally, as devices do: one pole at its lower end, as that of a coupling
        capacitor, and a Butterworth low-pass of second order at its upper end. What was not
        measured is held for the filter, and stays not measured.

        Parameters
        ----------
        millivolts : ndarray of float64, shape (n,)
            At `RATE`, NaN where nothing was measured.
        """
        worn = millivolts * (-self.gain if self.inverted else self.gain)
        if self.band_hz is None:
            return worn
        measured = np.isfinite(worn)
        if not measured.any():
            return worn
        low, high = self.band_hz
        sos = np.concatenate(
            [
                signal.butter(1, low, btype="highpass", fs=RATE, output="sos"),
                signal.butter(2, high, btype="lowpass", fs=RATE, output="sos"),
            ]
        )
        latest = np.maximum.accumulate(np.where(measured, np.arange(len(worn)), 0))
        latest[latest < int(measured.argmax())] = int(measured.argmax())
        passed = SectionFilter(sos, 1)(np.zeros(1, dtype=np.intp), worn[latest][None])[0]
        return np.where(measured, passed, np.nan)
