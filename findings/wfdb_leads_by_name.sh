#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.rdrecord with channel_names, and Record.wrsamp.
# A record whose two leads are both called ECG, as in the MIT-BIH Malignant Ventricular Ectopy Database; the first is
# 1 mV throughout, the second 2 mV.
# Expected: asked for ECG it gives both leads, or says that the name is not unique; asked for ECG and V9 it says that
# there is no V9; what it has read it can write.
# Happens: asked for ECG it gives the first lead alone; V9 is left out without a word, so that fewer columns come than
# names were given, and asked for V9 alone there is no signal at all, and no error; and the record that it has read is
# refused when it is written again.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 2>/dev/null
venv/bin/python - <<'PY'
import sys
from pathlib import Path

import numpy as np
import wfdb

leads = np.tile(np.array([200, 400], dtype="<i2"), (1000, 1))
Path("r.dat").write_bytes(leads.tobytes())
Path("r.hea").write_text("r 2 250 1000\nr.dat 16 200 16 0 200 0 0 ECG\nr.dat 16 200 16 0 400 0 0 ECG\n")
named = wfdb.rdrecord("r", channel_names=["ECG"]).p_signal[0].tolist()
unknown = wfdb.rdrecord("r", channel_names=["ECG", "V9"]).p_signal[0].tolist()
alone = wfdb.rdrecord("r", channel_names=["V9"]).p_signal
try:
    wfdb.rdrecord("r", physical=False).wrsamp(write_dir=".")
    said = "written"
except ValueError as error:
    said = str(error)
print(f"ECG: {named} mV; ECG and V9: {unknown} mV; V9: {alone}; written again: {said}")
sys.exit((named, unknown, alone, said) != ([1.0], [1.0], None, "sig_name strings must be unique."))
PY
