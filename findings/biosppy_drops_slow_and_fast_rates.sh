#!/usr/bin/env bash
# biosppy 2.2.4, biosppy.signals.ecg.ecg with its defaults (peakutils: it imports it without requiring it).
# Expected of "instantaneous heart rate": one value for each interval between two of the beats that it has found; or,
# where a rate is implausible, a mark that says so.
# Happens: each value below 40 or above 200/min is left out before the others are smoothed. Slow hearts and
# tachycardias have no heart rate. An escape rhythm of 35/min with some early beats has one of 68 to 74/min, for
# these alone are left, though its beats come at 44/min in the mean and all are found. A pause of 10 s leaves no
# trace. The manual of ecg() does not say so; that of its helper get_heart_rate "assumes" 40 to 200/min.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv
venv/bin/python -m pip install --quiet biosppy==2.2.4 peakutils==1.3.5 numpy==2.4.6 scipy==1.17.1 2>/dev/null
venv/bin/python -W ignore - <<'PY'
import sys

import numpy as np
from biosppy.signals.ecg import ecg

RATE, SECONDS = 500, 60


def made(beats):
    t = np.arange(SECONDS * RATE) / RATE
    signal = 0.005 * np.random.default_rng(1).standard_normal(len(t))
    for beat in beats:
        for mv, at, width in ((0.12, -0.18, 0.025), (1, 0, 0.011), (-0.2, 0.03, 0.01), (0.3, 0.28, 0.05)):
            signal += mv * np.exp(-(((t - beat - at) / width) ** 2) / 2)
    return signal


escape = np.arange(1, 59, 60 / 35)
regular = np.arange(1, 59, 60 / 72)
cases = {
    "35/min": escape,
    "210/min": np.arange(1, 59, 60 / 210),
    "35/min, an early beat after each fourth": np.sort(np.append(escape, escape[3:-1:4] + 0.75)),
    "72/min, no beat for 10 s": regular[(regular < 25) | (regular > 35)],
}
seen = []
for name, beats in cases.items():
    found = ecg(made(beats), sampling_rate=RATE, show=False)
    peaks, rates = found["rpeaks"], found["heart_rate"]
    true = 60 * (len(beats) - 1) / (beats[-1] - beats[0])
    said = f"{rates.min():.0f} to {rates.max():.0f}/min" if len(rates) else "none"
    print(f"{name}: {len(beats)} beats, {len(peaks)} found, mean {true:.1f}/min; {len(rates)} heart rates: {said}")
    extreme = int(((np.diff(beats) > 1.5) | (np.diff(beats) < 0.3)).sum())
    print(f"    of {len(beats) - 1} intervals, {extreme} are longer than 1.5 s or shorter than 0.3 s")
    seen.append(len(peaks) == len(beats) and len(rates) == len(beats) - 1 - extreme and (rates > 60).all())
sys.exit(not all(seen))
PY
