#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.processing.ann2rr.
# A minute with a beat each second. Its annotation file notes the rhythm before the first beat (`+`) and noise
# between two beats (`~`), as published ones do.
# Expected, as the program ann2rr of the WFDB software in C does: intervals between beats, 59 of 1 s each; with
# start_time=30 those from 30 s on.
# Happens: rhythm notes and marks of noise count as beats, so that intervals are cut, and the time of the first
# annotation counts as an interval; start_time and stop_time are compared with the intervals' own length, so
# that from 30 s on there is none, and stop_time=0.9 gives the short ones of the whole minute.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 2>/dev/null
venv/bin/python - <<'PY'
import sys

import numpy as np
import wfdb
from wfdb.processing import ann2rr

rate = 250
marks = [(rate * second, "N", "") for second in range(1, 61)]
marks += [(20, "+", "(N"), (40 * rate + 75, "~", "")]
marks.sort()
samples, symbols, notes = zip(*marks)
wfdb.wrann("made", "atr", np.array(samples), symbol=list(symbols), aux_note=list(notes), fs=rate)
found = ann2rr("made", "atr", format="s")
short = found[found != 1].tolist()
late = ann2rr("made", "atr", format="s", start_time=30)
early = ann2rr("made", "atr", format="s", stop_time=0.9)
print("beats:", symbols.count("N"), "intervals:", len(found), "not of 1 s:", short)
print("with start_time=30:", late.tolist(), "with stop_time=0.9:", early.tolist())
sys.exit((len(found), short, len(late), early.tolist()) != (62, [0.08, 0.92, 0.3, 0.7], 0, [0.08, 0.3, 0.7]))
PY
