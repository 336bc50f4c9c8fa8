"""A simulated wearer without end: one whose last second runs on into its first."""

from dataclasses import replace
from math import ceil
from typing import Final

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from replay.simulator.scenarios import SCENARIOS
from replay.simulator.simulation import simulate

AT_LEAST_S: Final = 600
"""The scenario's script is played for so long before all starts over."""
SEAM_S: Final = 10
"""Every script ends in so much sinus rhythm, and somewhere there the record is cut."""


def endless(scenario: str, *, seed: int = 1, wearer: str | None = None) -> Record:
    """Simulate a wearer whose record can be played over and over, without annotations.

    It is cut where it looks as at its start: as long before a beat, and as high.

    Parameters
    ----------
    scenario, seed, wearer
        As for `simulate`.

    Returns
    -------
    Record
        Some ten minutes.

    Raises
    ------
    UsageError
        If the scenario is not known.
    """
    once = SCENARIOS[scenario].duration_s if scenario in SCENARIOS else 1.0
    duration_s = once * ceil(AT_LEAST_S / once)
    record = simulate(scenario, seed=seed, duration_s=duration_s, wearer=wearer).record
    beats = record.annotations.samples if record.annotations else np.zeros(1, dtype=np.int64)
    cuts = beats[beats >= len(record.samples) - SEAM_S * RATE] - beats[0]
    step = np.abs(record.samples[cuts - 1].astype(np.int64) - record.samples[0])
    cut = int(cuts[np.argmin(step)])
    return replace(record, samples=record.samples[:cut], annotations=None)
