"""Signal quality: the state of each second is *signal*, *noisy* or *absent*."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.signal_states import SignalState
from ecgmon.signal.stillness import QUARTER

SIGNAL: Final = 0
NOISY: Final = 1
ABSENT: Final = 2
NAMES: Final[tuple[SignalState, ...]] = ("signal", "noisy", "absent")

USABLE: Final = 0.6
"""Smallest share of an enrolment's seconds that can be used; fewer do not show a wearer's usual
rhythm."""
ARTEFACT_MV: Final = 8.0
"""Peak-to-peak amplitude after the band-pass that no QRS complex reaches."""
ROUGHNESS_MV: Final = 0.12
"""Median absolute second difference of broad-band noise that hides the ECG. A QRS complex fills a
tenth of a second, so the median does not see it. Clean MIT-BIH seconds have about 0.01 mV."""
HUM_MV: Final = 0.03
"""Smallest amplitude of mains hum that can hide that a lead is off."""
HUM_SHARE: Final = 0.7
"""Share of a second's power above which mains hum dominates it."""
HUM_RISE: Final = 2.0
"""Hum this many times as strong as in earlier seconds with beats comes from an open lead."""
HUM_BEATS: Final = 4
"""The hum of seconds with beats is averaged over about this many seconds."""
CLIPPED_RUN: Final = 4
"""A run of this many samples, 11 ms, at the limit of a second's range counts as clipping if the
signal steps to or from the limit by `CLIPPED_STEP`: no peak of an ECG stays so long."""
CLIPPED_STEP: Final = 0.05
"""Smallest step at either end of a clipped run, as a share of the second's range."""
CLIPPED_SPAN: Final = 64
"""Smallest range of a second, in steps of the converter, in which clipping is looked for: in a
smaller one every step of the converter looks like that."""
RECENT: Final = 3 * WINDOW
"""Samples over which the plausibility of beats is judged."""
MIN_RR: Final = 0.34 * RATE
"""Mean RR interval in samples, 176 beats a minute, below which beats are doubted if they also vary
by `MAX_RR_CV`. Such beats are noise unless `MIN_KURTOSIS` or `MIN_VF_BAND_POWER` says otherwise.
All four were chosen on DS1 with and without noise of electrodes and muscles
(docs/results/quality.md)."""
MAX_RR_CV: Final = 0.2
"""Coefficient of variation of the RR intervals from which fast beats are doubted."""
MIN_KURTOSIS: Final = 5.0
"""Kurtosis of the signal from which doubted beats are believed: fast atrial fibrillation has narrow
complexes on a quiet line, noise has not."""
VF_BAND_HZ: Final = (2.5, 9.0)
"""Band in which ventricular tachycardia and fibrillation have most of their power: three to nine
beats or waves a second, whatever their shape."""
MIN_VF_BAND_POWER: Final = 0.37
"""Share of the signal's power in `VF_BAND_HZ` from which doubted beats are believed."""

RETURN_MV: Final = 0.3
"""Distance by which a baseline returns within two seconds after a jump, at least."""
RETURN_SLOWING: Final = 1.15
"""Each quarter of a second it returns by at most this many times as much as in the one before."""
RETURN_SLOWED: Final = 0.85
"""In the second second it returns by at most this share of what it did in the first."""

_MAINS: Final = np.exp(-2j * np.pi * np.array([[50.0], [60.0]]) * np.arange(WINDOW) / RATE)

_TIME: Final = np.arange(WINDOW) - (WINDOW - 1) / 2
_TIME_POWER: Final = float(_TIME @ _TIME)


def signal_state(
    raw: NDArray[np.float32], filtered: NDArray[np.float32], valid: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Judge one second of some wearers.

    Parameters
    ----------
    raw : ndarray of float32, shape (r, n)
        Samples in mV, the last value held where there was none.
    filtered : ndarray of float32, shape (r, n)
        The same samples after the band-pass.
    valid : ndarray of bool, shape (r, n)
        Where the device measured a value.

    Returns
    -------
    ndarray of int8, shape (r,)
        `SIGNAL`, `NOISY` or `ABSENT`.
    """
    absent = valid.sum(axis=1) * 2 < valid.shape[1]
    span = filtered.max(axis=1) - filtered.min(axis=1)
    noisy = (span > ARTEFACT_MV) | _is_rough(raw)
    noisy |= clipped(raw, valid)
    return np.where(absent, ABSENT, np.where(noisy, NOISY, SIGNAL)).astype(np.int8)


def _is_rough(raw: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell of which seconds the median of the roughness is above `ROUGHNESS_MV`."""
    steps = raw[:, 1:] - raw[:, :-1]
    roughness = np.abs(steps[:, 1:] - steps[:, :-1])
    above = (roughness > ROUGHNESS_MV).sum(axis=1)
    rough: NDArray[np.bool_] = 2 * above > roughness.shape[1]
    # With just half of the values above, the median lies between the two in the middle.
    for i in (2 * above == roughness.shape[1]).nonzero()[0].tolist():
        rough[i] = np.median(roughness[i]) > ROUGHNESS_MV
    return rough


def hum(raw: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Measure the mains hum in one second of some wearers.

    Parameters
    ----------
    raw : ndarray of float32, shape (r, n)
        Samples in mV.

    Returns
    -------
    amplitude : ndarray of float64, shape (r,)
        In mV, half of peak to peak.
    alone : ndarray of bool, shape (r,)
        Whether the second holds little else.
    """
    # Without its mean and its straight line, each row summed for itself: `scipy.signal.detrend`
    # solves for all rows together, which takes most of a call and rounds by how many there are.
    x = raw.astype(np.float64)
    n = x.shape[1]
    x -= x.sum(axis=1, keepdims=True) / n
    x -= (x * _TIME).sum(axis=1, keepdims=True) / _TIME_POWER * _TIME
    found = np.abs((x[:, None, :] * _MAINS).sum(axis=2)).max(axis=1)
    amplitude = 2 * found / n
    alone = amplitude**2 / 2 >= HUM_SHARE * ((x * x).sum(axis=1) / n)
    return amplitude, alone & (amplitude >= HUM_MV)


def returns(raw: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell whether the baseline of some wearers returns from a jump, ever slower, for two seconds.

    So does that of an amplifier after an electrode was moved, and it shows no heart meanwhile. Of
    MIT-BIH's seconds about one in ten thousand looks like it.

    Parameters
    ----------
    raw : ndarray of float32, shape (r, 2 * WINDOW)
        Samples in mV.

    Returns
    -------
    ndarray of bool, shape (r,)
        Whether it does.
    """
    quarters = raw.reshape(len(raw), 8, QUARTER).sum(axis=2, dtype=np.float64) / QUARTER
    steps = quarters[:, 1:] - quarters[:, :-1]
    one_way: NDArray[np.bool_] = (steps > 0).all(axis=1) | (steps < 0).all(axis=1)
    if not np.count_nonzero(one_way):
        return one_way
    by = np.abs(steps)
    slower = (by[:, 1:] <= RETURN_SLOWING * by[:, :-1]).all(axis=1)
    slowed = by[:, 4:].sum(axis=1) <= RETURN_SLOWED * by[:, :3].sum(axis=1)
    found: NDArray[np.bool_] = one_way & slower & slowed & (by.sum(axis=1) >= RETURN_MV)
    return found


def clipped(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell whether a second of some wearers runs into an end of the device's range.

    It then stays at its highest or its lowest value, and comes there or leaves by a step. A peak
    of an ECG is round; of MIT-BIH's seconds one in ten thousand looks like it.

    Parameters
    ----------
    values : ndarray of float32, shape (r, n)
        As the device sent them, in any unit.
    valid : ndarray of bool, shape (r, n)
        Where it measured one.

    Returns
    -------
    ndarray of bool, shape (r,)
    """
    if np.count_nonzero(valid) == valid.size:
        low, high = values.min(axis=1), values.max(axis=1)
    else:
        low = np.where(valid, values, np.inf).min(axis=1)
        high = np.where(valid, values, -np.inf).max(axis=1)
    found = np.zeros(len(values), dtype=bool)
    for end in (low, high):
        # Hardly any second stays at its end so often: the others are done with.
        (some,) = ((valid & (values == end[:, None])).sum(axis=1) >= CLIPPED_RUN).nonzero()
        if len(some):
            span = (high - low)[some]
            found[some] |= _stays(values[some], valid[some], end[some], span)
    (some,) = found.nonzero()
    if not len(some):
        return found
    steps = np.abs(np.diff(values[some], axis=1))
    between = (steps > 0) & valid[some, 1:] & valid[some, :-1]
    finest = np.where(between, steps, np.inf).min(axis=1)
    found[some] = (high - low)[some] >= CLIPPED_SPAN * finest
    return found


def _stays(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    end: NDArray[np.float32],
    span: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Tell which seconds stay at an end of their span and come there, or leave, by a step."""
    away = np.abs(values - end[:, None])
    there = valid & (away == 0)
    beside = valid & (away >= CLIPPED_STEP * span[:, None])
    run = np.logical_and.reduce(sliding_window_view(there, CLIPPED_RUN, axis=1), axis=2)
    comes, goes = run[:, 1:] & beside[:, :-CLIPPED_RUN], run[:, :-1] & beside[:, CLIPPED_RUN:]
    stays: NDArray[np.bool_] = (comes | goes).any(axis=1)
    return stays


def implausible_rr(beats: Sequence[int]) -> bool:
    """Tell whether beats follow each other both faster and less evenly than a heart's mostly do.

    Such are the beats that a detector makes of noise, but also those of some fibrillations:
    `has_cardiac_spectrum` tells these apart.

    Parameters
    ----------
    beats : sequence of int
        Sample indices of the last beats, ascending.
    """
    rr = [after - before for before, after in pairwise(beats)]
    return bool(rr) and min(rr) < MIN_RR and pstdev(rr) > MAX_RR_CV * fmean(rr)


def has_cardiac_spectrum(filtered: NDArray[np.float32]) -> bool:
    """Tell whether a signal looks like some very fast heart: peaked, or waving as fast.

    Parameters
    ----------
    filtered : ndarray of float32, shape (n,)
        After the band-pass, in mV; not constant.
    """
    x = filtered.astype(np.float64)
    x -= x.mean()
    if np.mean(x**4) >= MIN_KURTOSIS * np.mean(x**2) ** 2:
        return True
    power = np.abs(np.fft.rfft(x)) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / RATE)
    waving = power[(hz >= VF_BAND_HZ[0]) & (hz < VF_BAND_HZ[1])]
    return bool(waving.sum() >= MIN_VF_BAND_POWER * power.sum())
