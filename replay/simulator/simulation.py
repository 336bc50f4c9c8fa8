"""A simulated wearer: for demonstrations without data, for load, and as the monitor's oracle."""

import difflib
from dataclasses import dataclass
from typing import Final

import numpy as np

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.core.errors import UsageError
from ecgmon.records import Record
from replay.simulator.rate_truth import Span
from replay.simulator.scenarios import SCENARIOS, Kind, Scenario
from replay.simulator.synthesis import NOISE_MV, artefact, ecg, heartbeats
from replay.simulator.truth import ExpectedAlarm, expected_alarms

__all__ = ["ExpectedAlarm", "Simulation", "simulate"]

GAIN: Final = 200.0
"""Counts per millivolt, as in the MIT-BIH databases."""
MAX_DURATION_S: Final = 3600.0
"""The whole simulation is made at once, which for an hour takes some 50 MB."""


@dataclass(frozen=True, eq=False, slots=True)
class Simulation:
    """A simulated recording and what a monitor must make of it.

    Parameters
    ----------
    record : Record
        The recording; its annotations are the true beats, at their R peaks. A beat during
        lead-off leaves no trace and is not annotated.
    expected : tuple of ExpectedAlarm
        Every alarm that must be raised, in the order of time.
    """

    record: Record
    expected: tuple[ExpectedAlarm, ...]


def simulate(
    scenario: str, *, seed: int = 1, duration_s: float | None = None, wearer: str | None = None
) -> Simulation:
    """Simulate a wearer: lead II at 360 Hz, 200 counts per millivolt.

    Equal arguments give equal arrays, and a longer simulation begins with the shorter one: the
    scenario's script is repeated for as long as it takes.

    Parameters
    ----------
    scenario : str
        One of `SCENARIOS`.
    seed : int
        Which wearer and which course of events; not negative.
    duration_s : float, optional
        Length in seconds, from 1 to `MAX_DURATION_S`; by default the script once.
    wearer : str, optional
        Id of the wearer, by default ``simulated-<scenario>``.

    Returns
    -------
    Simulation

    Raises
    ------
    UsageError
        If the scenario is not known or the duration is out of range.
    """
    script = _find(scenario)
    duration = script.duration_s if duration_s is None else duration_s
    if not 1 <= duration <= MAX_DURATION_S:
        raise UsageError(
            f"A simulation lasts from 1 to {MAX_DURATION_S:.0f} seconds, not {duration:g}."
        )
    n = round(duration * RATE)
    # A generator for each purpose: the length of one sequence then has no say in another.
    rhythm, shape, sensor, burst = np.random.default_rng(seed).spawn(4)

    times, symbols = heartbeats(script, duration, rhythm)
    millivolts = ecg(times, symbols, n, shape) + NOISE_MV * sensor.standard_normal(n)
    noisy = _spans(script, Kind.NOISE, n)
    for start, stop in noisy:
        millivolts[start:stop] += artefact(stop - start, burst)[: n - start]
    counts = np.clip(np.rint(millivolts * GAIN), NO_VALUE + 1, -NO_VALUE - 1).astype(np.int16)
    lead_off = _spans(script, Kind.LEAD_OFF, n)
    for start, stop in lead_off:
        counts[start:stop] = NO_VALUE
    missing = _spans(script, Kind.GAP, n)

    peaks = np.rint(times * RATE).astype(np.int64)
    peaks = peaks[peaks < n]
    visible = np.flatnonzero(counts[peaks] != NO_VALUE)
    record = Record(
        name=f"simulated/{script.name}",
        wearer=f"simulated-{script.name}" if wearer is None else wearer,
        rate=float(RATE),
        gain=GAIN,
        lead="MLII",
        samples=counts,
        annotations=Annotations(peaks[visible], tuple(symbols[i] for i in visible)),
        missing=tuple((start, min(stop, n)) for start, stop in missing),
    )
    return Simulation(
        record,
        expected_alarms(
            Annotations(peaks, symbols[: len(peaks)]),
            n,
            missing=missing,
            lead_off=lead_off,
            noisy=noisy,
        ),
    )


def _find(scenario: str) -> Scenario:
    try:
        return SCENARIOS[scenario]
    except KeyError:
        near = difflib.get_close_matches(scenario, SCENARIOS, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise UsageError(
            f"There is no scenario {scenario!r}{hint}: choose one of {', '.join(SCENARIOS)}."
        ) from None


def _spans(scenario: Scenario, kind: Kind, n_samples: int) -> list[Span]:
    """Return the index ranges of the parts of a kind; the last may reach past the end."""
    spans = [
        (round(start * RATE), round(stop * RATE))
        for start, stop, part in scenario.schedule(n_samples / RATE)
        if part.kind is kind
    ]
    return [span for span in spans if span[0] < n_samples]
