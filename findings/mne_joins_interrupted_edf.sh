#!/usr/bin/env bash
# MNE 1.13.2, mne.io.read_raw_edf.
# Expected: of an interrupted recording (EDF+D, as event recorders and Holters with pauses write), each
# sample at its own time, or a refusal, as pyEDFlib 0.1.42 gives.
# Happens: the parts are joined as if nothing lay between them, without a word. What was measured at 12 s
# lies at 3 s, and a beat that is annotated at 12.5 s is left out for lying "outside data range".
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet mne==1.13.2 pyEDFlib==0.1.42 2>/dev/null
venv/bin/python - <<'PY'
import sys
import warnings

import mne
import numpy as np
import pyedflib

RATE, ONSETS, BEAT_AT = 250, (0, 1, 2, 12, 13), 12.5


def field(text, length):
    return str(text).ljust(length).encode()


columns = [("ECG II", "EDF Annotations", 16), ("", "", 80), ("mV", "", 8), (-10, -1, 8), (10, 1, 8),
           (-32768, -32768, 8), (32767, 32767, 8), ("", "", 80), (RATE, 30, 8), ("", "", 32)]
header = field(0, 8) + field("X X X X", 80) + field("Startdate 06-MAY-2024 X X X", 80)
header += field("06.05.24", 8) + field("07.08.09", 8) + field(3 * 256, 8) + field("EDF+D", 44)
header += field(len(ONSETS), 8) + field(1, 8) + field(2, 4)
header += b"".join(field(signal, n) + field(notes, n) for signal, notes, n in columns)
with open("made.edf", "wb") as file:
    file.write(header)
    for onset in ONSETS:
        second = np.zeros(RATE, dtype="<i2")
        second[RATE // 2] = 1000 * (onset + 1)  # a spike that says which second it is
        notes = f"+{onset}\x14\x14\x00"
        if onset <= BEAT_AT < onset + 1:
            notes += f"+{BEAT_AT}\x14beat\x14\x00"
        file.write(second.tobytes() + notes.encode().ljust(60, b"\0"))

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    raw = mne.io.read_raw_edf("made.edf", preload=True, verbose="WARNING")
spikes = np.flatnonzero(raw.get_data()[0] > 1e-4) / RATE
print("recorded from 0 to 3 s and from 12 to 14 s; MNE's length:", raw.times[-1] + 1 / RATE, "s")
print("spikes were at", [onset + 0.5 for onset in ONSETS], "and are at", spikes.tolist())
print("annotations:", raw.annotations.onset.tolist(), "told:", [str(one.message) for one in told])
try:
    pyedflib.EdfReader("made.edf")
    refused = False
except OSError as error:
    refused = True
    print("pyEDFlib:", error)
words = " ".join(str(one.message) for one in told).lower()
as_before = spikes.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5] and not len(raw.annotations) and refused
sys.exit(not as_before or any(word in words for word in ("discontin", "interrupt", "gap", "edf+d")))
PY
