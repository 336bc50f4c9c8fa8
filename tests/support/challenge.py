"""Records in the layout of the PhysioNet Challenge 2015: MATLAB 4, a pulse beside an ECG."""

import numpy as np
from scipy.signal import resample_poly

THEIR_RATE = 250
LENGTH_S = 330
_MAT4_HEADER = 24
"""Bytes before the samples, which no reader needs."""


def write(folder, name, millivolts, rate, kind, said, gain=1000.0, second=None):
    """Write a record whose alarm is at five minutes; the signal is cut or padded to 5:30.

    A ``second`` lead, V, is as long.
    """
    ecgs = [_counts(one, rate, gain) for one in (millivolts, second) if one is not None]
    counts = ecgs[0]
    pulse = (gain * np.sin(np.arange(len(counts)) * 2 * np.pi * 1.2 / THEIR_RATE)).astype("<i2")
    samples = np.stack([pulse, *ecgs], axis=1)
    (folder / f"{name}.mat").write_bytes(bytes(_MAT4_HEADER) + samples.tobytes())
    comments = "".join(f"#{line}\n" for line in (kind, said) if line)
    (folder / f"{name}.hea").write_text(
        f"{name} {1 + len(ecgs)} {THEIR_RATE} {len(counts)}\n"
        f"{name}.mat 16+24 {gain:g}/NU 16 0 {pulse[0]} 0 0 PLETH\n"
        + "".join(
            f"{name}.mat 16+24 {gain:g}/mV 16 0 {ecg[0]} 0 0 {lead}\n"
            for ecg, lead in zip(ecgs, ("II", "V"), strict=False)
        )
        + comments
    )


def _counts(millivolts, rate, gain):
    ecg = resample_poly(millivolts, THEIR_RATE, rate)[: LENGTH_S * THEIR_RATE]
    ecg = np.pad(ecg, (0, LENGTH_S * THEIR_RATE - len(ecg)))
    return np.clip(np.round(ecg * gain), -32767, 32767).astype("<i2")
