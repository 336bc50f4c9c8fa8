#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.rdrecord of a signal with several samples per frame (format 16x2), as by default.
# Expected: a missing sample (-32,768 in format 16) is NaN, or the average of the frame's other samples.
# Happens: the average takes it for a value: a frame of one missing sample and 5 mV reads as -79.42 mV,
# and the sum of the averaged samples is not the header's checksum, although the record is intact.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 2>/dev/null
venv/bin/python - <<'PY'
import sys

import numpy as np
import wfdb

samples = np.array([-32768, 1000, 4, 0, 1, 2, 3, 4])
samples.astype("<i2").tofile("made.dat")
checksum = int(samples.sum()) & 0xFFFF
checksum -= 65536 * (checksum > 32767)
open("made.hea", "w").write(f"made 1 250 4\nmade.dat 16x2 200 16 0 -32768 {checksum} 0 II\n")
averaged = wfdb.rdrecord("made").p_signal[:, 0]
each = wfdb.rdrecord("made", smooth_frames=False).e_p_signal[0]
sums = [wfdb.rdrecord("made", physical=False).calc_checksum()[0], checksum % 65536]
print("averaged, mV:", averaged.tolist(), "sample by sample, mV:", each.tolist(), "sum and header's:", sums)
sys.exit((round(float(averaged[0]), 2), bool(np.isnan(each[0])), sums[0] != sums[1]) != (-79.42, True, True))
PY
