"""A record: one lead of one wearer, with what experts say of it, and where it lies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.units import millivolts


@dataclass(frozen=True, slots=True)
class Found:
    """A record on this machine.

    Parameters
    ----------
    name : str
        ``database/name``, or the path as it was given where no folder of databases holds it.
    wearer : str
        Last part of the name, with what a wearer's id cannot hold replaced by underscores.
    path : Path
        The record's files without their suffixes.
    """

    name: str
    wearer: str
    path: Path


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """One lead of one wearer's recording, as a device would have sampled it.

    Parameters
    ----------
    name : str
        What to call it in messages, for example ``mitdb/203``.
    wearer : str
        Id of the wearer, for example ``203``.
    rate : float
        Samples per second.
    gain : float
        Counts per millivolt.
    lead : str
        Name of the lead.
    samples : ndarray of int16, shape (n,)
        ADC counts, zero is 0 mV, `ecgmon.core.constants.NO_VALUE` where nothing was measured.
    annotations : Annotations or None
        What experts (or the simulation) say of it.
    missing : tuple of (start, stop)
        Index ranges that the device never delivers.
    notice : str
        A sentence for who reads the record: what is the matter with its annotations, if anything.
    """

    name: str
    wearer: str
    rate: float
    gain: float
    lead: str
    samples: NDArray[np.int16]
    annotations: Annotations | None = None
    missing: tuple[tuple[int, int], ...] = ()
    notice: str = ""

    def millivolts(self) -> NDArray[np.float64]:
        """Return the signal in mV, NaN where nothing was measured, shape (n,)."""
        return millivolts(self.samples, self.gain)
