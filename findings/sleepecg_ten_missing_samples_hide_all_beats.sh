#!/usr/bin/env bash
# sleepecg 0.6.0, detect_heartbeats with its defaults.
# Two minutes of a made ECG at 72/min, of which ten samples (40 ms) in the middle are missing: NaN, as wfdb gives them.
# Expected: the 143 or 144 beats elsewhere, or an error that missing samples are not taken.
# Happens: no beat at all, of the whole recording, with either implementation; no warning.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet sleepecg==0.6.0 numpy==2.4.6 2>/dev/null
venv/bin/python -W error - <<'PY'
import sys

import numpy as np
import sleepecg

rate, rng = 250, np.random.default_rng(1)
t = np.arange(120 * rate) / rate
signal = 0.002 * rng.standard_normal(len(t))
for beat in np.arange(0.5, 120, 60 / 72):
    for mv, at, width in ((0.12, -0.18, 0.025), (1, 0, 0.011), (-0.2, 0.03, 0.01), (0.3, 0.28, 0.05)):
        signal += mv * np.exp(-(((t - beat - at) / width) ** 2) / 2)
missing = signal.copy()
missing[15000:15010] = np.nan
whole = len(sleepecg.detect_heartbeats(signal, rate))
found = {name: len(sleepecg.detect_heartbeats(missing, rate, backend=name)) for name in ("c", "python")}
print(f"beats: {whole} of the whole signal, {found} with 40 ms missing in the middle")
sys.exit(not (whole == 144 and set(found.values()) == {0}))
PY
