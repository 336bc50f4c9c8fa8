#!/usr/bin/env bash
# pyedflib 0.1.42, EdfWriter.writeAnnotation and EdfReader.readAnnotations, the way its own examples show.
# Ten seconds of an EDF+ file with a mark at each beat of a heart at 120/min: 20 marks, each of which is taken (0).
# Expected: 20 marks in the file, or an error where the writer has no room for one.
# Happens: 10 marks, the first ones. The file has room for one mark a second; the rest is left out from the end, and
# nothing says so. Two annotation channels (set_number_of_annotation_signals) keep all.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet pyedflib==0.1.42 numpy==2.4.6 2>/dev/null
venv/bin/python - <<'PY'
import sys

import numpy as np
import pyedflib

SECONDS, RATE = 10, 250
beats = np.arange(0.25, SECONDS, 0.5)
kept = {}
for channels in (1, 2):
    writer = pyedflib.EdfWriter("marks.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeader(0, {
        "label": "ECG", "dimension": "mV", "sample_frequency": RATE, "physical_max": 5.0, "physical_min": -5.0,
        "digital_max": 32767, "digital_min": -32768, "transducer": "", "prefilter": "",
    })
    writer.set_number_of_annotation_signals(channels)
    taken = [writer.writeAnnotation(at, -1, "N") for at in beats]
    writer.writeSamples([np.zeros(SECONDS * RATE)])
    writer.close()
    reader = pyedflib.EdfReader("marks.edf")
    onsets = reader.readAnnotations()[0]
    reader.close()
    kept[channels] = len(onsets)
    print(f"annotation channels {channels}: {len(beats)} marks given, taken with {set(taken)}; in the file: "
          f"{len(onsets)}, the last at {onsets[-1]} s")
sys.exit(kept != {1: 10, 2: 20})
PY
