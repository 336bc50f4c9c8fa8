#!/usr/bin/env bash
# neurokit2 0.3.0, ecg_process with its defaults.
# A made ECG at 72/min with a sinus pause of 3.0 s, a usual limit from which pauses are reported. The detector finds
# all 120 beats, none more, each where it is.
# Expected: ECG_R_Peaks are R peaks: each at a QRS complex, and the longest interval between two is 3.0 s.
# Happens: ecg_process always corrects "artifacts", without a parameter that says otherwise, and takes the pause for
# one: it moves the beat after the pause to the middle of the pause, where the ECG is a flat line. The longest interval
# is now 1.9 s, so that no pause is left to find, and the beat that ended it is not in the list.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv
venv/bin/python -m pip install --quiet neurokit2==0.3.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 2>/dev/null
venv/bin/python -W ignore - <<'PY'
import sys

import neurokit2 as nk
import numpy as np

rate, rng = 250, np.random.default_rng(1)
beats = np.cumsum(60 / 72 + 0.02 * np.sin(np.arange(120)))
beats[60:] += 3 - (beats[60] - beats[59])
t = np.arange(int((beats[-1] + 1) * rate)) / rate
signal = 0.002 * rng.standard_normal(len(t))
for beat in beats:
    for mv, at, width in ((0.12, -0.18, 0.025), (1, 0, 0.011), (-0.2, 0.03, 0.01), (0.3, 0.28, 0.05)):
        signal += mv * np.exp(-(((t - beat - at) / width) ** 2) / 2)
clean = nk.ecg_clean(signal, sampling_rate=rate)
detected = np.asarray(nk.ecg_peaks(clean, sampling_rate=rate)[1]["ECG_R_Peaks"])
table, _ = nk.ecg_process(signal, sampling_rate=rate)
processed = np.flatnonzero(table["ECG_R_Peaks"])
lost = [float(beat.round(2)) for beat in beats if np.abs(processed / rate - beat).min() > 0.1]
added = [int(peak) for peak in processed if np.abs(peak / rate - beats).min() > 0.1]
heights = [float(np.ptp(signal[peak - 25 : peak + 25]).round(3)) for peak in added]
longest = [round(float(np.diff(peaks).max()) / rate, 2) for peaks in (detected, processed)]
beside = max(np.abs(detected / rate - beat).min() for beat in beats)
print(f"{len(beats)} beats, a pause from {beats[59]:.2f} to {beats[60]:.2f} s;", end=" ")
print(f"{len(detected)} detected, at most {beside:.3f} s beside them")
print(f"ecg_process: beats without a peak: {lost} s; peaks without a beat:", end=" ")
print(f"{[peak / rate for peak in added]} s, where the ECG moves by {heights} mV within 0.2 s")
print(f"longest interval, as detected: {longest[0]} s, of ecg_process: {longest[1]} s")
as_before = len(detected) == len(processed) == len(beats) and len(lost) == len(added) == 1
sys.exit(not (as_before and abs(longest[0] - 3) < 0.02 and longest[1] < 2 and heights[0] < 0.02))
PY
