"""The simulated heart and the signal it leaves on lead II: rhythm, waves and artefact.

The shape of a beat as a sum of Gaussians, respiration and blood pressure as the two rhythms of
the heart rate, and QT that follows the square root of RR are the ideas of McSharry, Clifford,
Tarassenko & Smith, IEEE Trans Biomed Eng 50:289-294 (2003).
"""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import signal

from ecgmon.core.constants import RATE
from replay.simulator.scenarios import Kind, Scenario

RR_S: Final = 0.83
"""Mean RR interval: 72 beats per minute."""
RESPIRATION_HZ: Final = 0.25
PRESSURE_HZ: Final = 0.1
"""Waves of the blood pressure (Mayer waves)."""
COUPLING: Final = (0.5, 0.65)
"""From a normal beat to the premature one that follows, in RR intervals."""
RUN_PER_MIN: Final = (150.0, 180.0)
PAUSE_S: Final = (2.0, 3.2)
NOISE_MV: Final = 0.01
"""RMS of the amplifier and of skin at rest."""
MUSCLE_MV: Final = 2.5
JOLT_MV: Final = 3.0
JOLT_HZ: Final = 3.0
JOLT_DECAY_S: Final = 0.3
"""Electrode motion: jolts of random size at random times that the front end lets decay."""

# A row per wave: centre in s from the R peak, width in s (standard deviation), amplitude in mV,
# and 1 if it moves with the QT interval. Chosen by eye over the median MLII beats of MIT-BIH
# records 100, 103 and 123 (normal), 119 and 208 (ventricular).
_NORMAL: Final = np.array(
    [
        (-0.170, 0.021, 0.13, 0),  # P
        (-0.027, 0.008, -0.11, 0),  # Q
        (0.000, 0.011, 1.12, 0),  # R
        (0.028, 0.009, -0.20, 0),  # S
        (0.270, 0.055, 0.19, 1),  # T rises slowly
        (0.315, 0.032, 0.15, 1),  # and falls fast
    ]
)
_VENTRICULAR: Final = np.array(
    [
        (-0.006, 0.028, 1.55, 0),  # no P; a wide R,
        (0.038, 0.022, 0.60, 0),  # notched, for one ventricle follows the other
        (0.150, 0.050, -0.40, 1),  # ST and T against the QRS complex, T taller than a normal one
        (0.270, 0.055, -0.75, 1),
    ]
)
_REACH_S: Final = (-0.3, 0.7)
"""Outside these times from the R peak every wave has died away."""


def heartbeats(
    scenario: Scenario, until_s: float, rng: Generator
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Let the heart beat as the scenario says.

    Parameters
    ----------
    scenario : Scenario
        The script, repeated for as long as it takes.
    until_s : float
        Where to stop, in seconds.
    rng : Generator
        The source of all chance.

    Returns
    -------
    times : ndarray of float64, shape (n,)
        R peaks in seconds, ascending, up to the first normal one after ``until_s``: its P wave
        may come before.
    symbols : tuple of str, length n
        ``N`` normal, ``V`` premature ventricular.
    """
    times: list[float] = []
    symbols: list[str] = []
    breath, pressure = rng.uniform(0, 2 * np.pi, 2)
    t = rng.uniform(0.3, 0.6)
    for _, stop, part in scenario.schedule(until_s):
        if part.kind is Kind.ASYSTOLE:
            t = stop + rng.uniform(0.2, 0.6)
        nth = 0
        while t < min(stop, until_s):
            nth += 1
            times.append(t)
            symbols.append("N")
            mean = 60 / part.count if part.kind is Kind.RATE else RR_S
            rr = mean * (
                1
                + 0.03 * np.sin(2 * np.pi * RESPIRATION_HZ * t + breath)
                + 0.02 * np.sin(2 * np.pi * PRESSURE_HZ * t + pressure)
                + 0.006 * rng.standard_normal()
            )
            premature = 0
            if part.kind is Kind.RUN and nth == 1:
                premature = part.count
            elif part.kind is Kind.ECTOPIC and nth % (part.count - 1) == 0:
                premature = 1
            elif part.kind is Kind.PAUSES and nth % part.count == 0:
                rr = rng.uniform(*PAUSE_S)
            if premature:
                coupling = rng.uniform(*COUPLING) * rr
                cycle = 60 / rng.uniform(*RUN_PER_MIN)
                run = t + coupling + cycle * np.arange(premature)
                times.extend(run)
                symbols.extend("V" * premature)
                # Fully compensatory: the next normal beat comes as if only one had been replaced.
                t = run[-1] - coupling + 2 * rr
            else:
                t += rr
    return np.array([*times, t]), (*symbols, "N")


def ecg(
    times: NDArray[np.float64], symbols: tuple[str, ...], n_samples: int, rng: Generator
) -> NDArray[np.float64]:
    """Draw the waves of every beat on a baseline that breathes; free of noise.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        R peaks in seconds.
    symbols : tuple of str, length n
        ``N`` or ``V``.
    n_samples : int
        Length of the signal.
    rng : Generator
        The source of all chance.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Millivolts at `RATE`.
    """
    waves = {"N": _NORMAL.copy(), "V": _VENTRICULAR.copy()}
    for table in waves.values():
        table[:, 2] *= rng.uniform(0.92, 1.08, len(table))  # no two wearers are alike
    breath, drift = rng.uniform(0, 2 * np.pi, 2)
    t = np.arange(n_samples) / RATE
    millivolts: NDArray[np.float64] = 0.07 * np.sin(2 * np.pi * RESPIRATION_HZ * t + breath)
    millivolts += 0.04 * np.sin(2 * np.pi * 0.05 * t + drift)

    rr = np.diff(times, prepend=times[0] - RR_S, append=times[-1] + RR_S)
    for i, (peak, symbol) in enumerate(zip(times, symbols, strict=True)):
        # The T wave of a normal beat obeys the interval before it. That of a premature beat is
        # long in spite of the short one, unless the next beat of a run cuts it short.
        interval = rr[i] if symbol == "N" else rr[i + 1]
        qt = np.sqrt(np.clip(interval, 0.35, 1.0))  # Bazett (1920): QT follows the root of RR
        start, stop = (min(max(round((peak + reach) * RATE), 0), n_samples) for reach in _REACH_S)
        height = 1 + 0.03 * np.sin(2 * np.pi * RESPIRATION_HZ * peak + breath)
        height += 0.015 * rng.standard_normal()
        millivolts[start:stop] += height * _waves(waves[symbol], t[start:stop] - peak, qt)
    return millivolts


def _waves(table: NDArray[np.float64], t: NDArray[np.float64], qt: float) -> NDArray[np.float64]:
    centre, width, amplitude, moves = table.T
    stretch = np.where(moves, qt, 1)
    z = (t[:, None] - centre * stretch) / (width * stretch)
    waves: NDArray[np.float64] = np.exp(-0.5 * z**2) @ amplitude
    return waves


def artefact(n_samples: int, rng: Generator) -> NDArray[np.float64]:
    """Make a burst of muscle artefact (broad-band) and electrode motion (slow).

    Parameters
    ----------
    n_samples : int
        Length of the burst; it swells and fades within a second at each end.
    rng : Generator
        The source of all chance.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Millivolts at `RATE`.
    """
    jolts = np.where(rng.random(n_samples) < JOLT_HZ / RATE, rng.normal(0, JOLT_MV, n_samples), 0)
    motion = signal.lfilter([1], [1, -np.exp(-1 / (JOLT_DECAY_S * RATE))], jolts)
    burst = MUSCLE_MV * rng.standard_normal(n_samples) + motion
    envelope = signal.windows.tukey(n_samples, alpha=min(1, RATE / n_samples))
    faded: NDArray[np.float64] = envelope * burst
    return faded
