#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.rdann.
# An annotation file may have a time resolution of its own (here 1,000 per second beside a signal of 250).
# Expected, as the WFDB library in C does where both belong to one record: sample numbers of the signal.
# Happens: `Annotation.sample` counts in the file's own resolution, and so do `sampfrom` and `sampto`: asked
# for the marks of the third and fourth second of the signal (samples 500 to 1,000), it returns the first.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 2>/dev/null
venv/bin/python - <<'PY'
import sys

import numpy as np
import wfdb

rate = 250
beats = np.arange(rate, 10 * rate, rate)
signal = np.zeros((10 * rate, 1))
signal[beats] = 1
wfdb.wrsamp("made", fs=rate, units=["mV"], sig_name=["II"], p_signal=signal, fmt=["16"], adc_gain=[1000], baseline=[0])
wfdb.wrann("made", "atr", beats * 4, ["N"] * len(beats), fs=1000)
record, marks = wfdb.rdrecord("made"), wfdb.rdann("made", "atr")
part = wfdb.rdann("made", "atr", sampfrom=500, sampto=1000)
inside = marks.sample[marks.sample < len(signal)]
on_beats = int(record.p_signal[inside, 0].sum())
print("beats at:", beats.tolist(), "rdann says:", marks.sample.tolist(), "resolution:", marks.fs, "of the signal:", record.fs)
print("marks beyond the signal's end:", len(beats) - len(inside), "samples 500 to 1000:", part.sample.tolist())
sys.exit((marks.sample.tolist(), part.sample.tolist(), on_beats) != ((beats * 4).tolist(), [1000], 2))
PY
