#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.io.convert.edf.wfdb_to_edf.
# Expected: an EDF of 60 s from a record of 60 s, that begins when the record began.
# Happens: 70 s, the last ten of them at the digital minimum, -32.768 mV: whoever reads the file finds a
# wearer whose lead has come off at the end. It begins on 1985-01-01, whatever date the record has.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 pyEDFlib==0.1.42 2>/dev/null
venv/bin/python - <<'PY'
import datetime
import sys

import numpy as np
import pyedflib
import wfdb
from wfdb.io.convert.edf import wfdb_to_edf

rate, seconds = 250, 60
t = np.arange(rate * seconds) / rate
wfdb.wrsamp("made", fs=rate, units=["mV"], sig_name=["II"], p_signal=np.sin(t)[:, None], fmt=["16"],
            adc_gain=[1000], baseline=[0], base_date=datetime.date(2024, 5, 6), base_time=datetime.time(7, 8, 9))
print("header:", open("made.hea").readline().strip())
wfdb_to_edf("made", output_filename="made.edf")
with pyedflib.EdfReader("made.edf") as file:
    signal, start, duration = file.readSignal(0), file.getStartdatetime(), file.file_duration
print("seconds in:", seconds, "seconds out:", duration, "start:", start, "added:", np.unique(signal[len(t):].round(3)))
sys.exit((duration, f"{start:%Y}", np.unique(signal[len(t):].round(3)).tolist()) != (70, "1985", [-32.768]))
PY
