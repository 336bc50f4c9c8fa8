"""Real noise to train with: the recordings of the MIT-BIH Noise Stress Test Database."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import Geometry, process_record
from trainer.data.dataset import whole_stream

RECORDS: Final = ("nstdb/bw", "nstdb/em", "nstdb/ma")
"""Baseline wander, electrode motion and muscle artefact (Moody, Muldrow & Mark 1984)."""
SHARE: Final = 0.5
"""Share of the stretches that get noise."""
LEVEL_DB: Final = (6.0, 24.0)
"""Peak-to-peak, below the wearer's usual amplitude."""
FLAT_MV: Final = 1e-3
"""No piece is amplified beyond what makes this the whole level."""
DECIDED_BY: Final = {
    "share": SHARE,
    "level db": LEVEL_DB,
    "flat mv": FLAT_MV,
}
"""What decides how noise is added, beside the recordings."""


def load(geometry: Geometry, data: Path | None = None) -> list[NDArray[np.float32]]:
    """Return the noise recordings in mV, filtered as the monitor would, at the model's rate.

    Raises
    ------
    RecordError
        If one of them cannot be had.
    """
    return [heard(converted(read(obtain(name, data=data))), geometry) for name in RECORDS]


def heard(record: Record, geometry: Geometry) -> NDArray[np.float32]:
    """Return a recording in mV, filtered as the monitor would, at the model's rate."""
    in_mv = replace(geometry, unit="window")
    return whole_stream(process_record(record.millivolts(), in_mv), in_mv)


def add(
    signal: NDArray[np.float32],
    noise: Sequence[NDArray[np.float32]],
    rng: np.random.Generator,
    share: float = SHARE,
    level_db: tuple[float, float] = LEVEL_DB,
) -> None:
    """Add a piece of noise to some of the stretches, in place.

    Parameters
    ----------
    signal : ndarray of float32, shape (n, samples)
        Stretches in units of the wearer's usual amplitude.
    noise : sequence of ndarray of float32
        As `load` gives them; none adds nothing.
    rng : numpy.random.Generator
        Chooses stretches, pieces and levels.
    share : float
        Share of the stretches that get noise.
    level_db : tuple of float
        Lowest and highest level, peak-to-peak, below the wearer's usual amplitude.
    """
    if not noise:
        return
    length = signal.shape[1]
    for which in np.flatnonzero(rng.random(len(signal)) < share):
        source = noise[int(rng.integers(len(noise)))]
        start = rng.integers(len(source) - length)
        piece = source[start : start + length]
        level = 10 ** (-rng.uniform(*level_db) / 20) / max(float(np.ptp(piece)), FLAT_MV)
        signal[which] += piece * np.float32(level)
