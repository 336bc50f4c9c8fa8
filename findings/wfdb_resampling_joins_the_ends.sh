#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.processing.resample_sig, from 250 to 360 Hz.
# Ten seconds of a baseline that drifts from 0 to 1 mV, as an electrode's does; then with missing samples (NaN).
# Expected: the same line at 360 Hz, wrong at most by a few hundredths of a mV at its ends; what is missing stays
# missing, and nothing else becomes so.
# Happens: it resamples by Fourier transform, which takes the end of a record for its beginning, so the last
# samples are wrong by 0.28 mV, a quarter of a QRS complex; two missing seconds come back as a straight line that
# nobody can tell from signal; and one missing sample at the very beginning makes every sample of the record NaN.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 2>/dev/null
venv/bin/python - <<'PY'
import sys

import numpy as np
from wfdb.processing import resample_sig

drift = np.linspace(0, 1, 2500)
found, at = resample_sig(drift, 250, 360)
wrong = float(np.abs(found - np.interp(at, np.arange(2500), drift)).max())
gap = drift.copy()
gap[1000:1500] = np.nan
filled = int(np.isfinite(resample_sig(gap, 250, 360)[0][1440:2160]).sum())
first = drift.copy()
first[0] = np.nan
lost = int(np.isnan(resample_sig(first, 250, 360)[0]).sum())
print(f"largest error: {wrong:.2f} mV; of 720 samples of a gap {filled} are numbers;", end=" ")
print(f"with the first sample missing {lost} of {len(found)} are NaN")
sys.exit((round(wrong, 2), filled, lost) != (0.28, 720, 3600))
PY
