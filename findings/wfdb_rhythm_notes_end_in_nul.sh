#!/usr/bin/env bash
# wfdb 4.3.1, wfdb.rdann and wfdb.wrann.
# The WFDB library in C stores a note with the NUL that ends its string, as in the published databases
# (mitdb, vfdb, cudb: every rhythm note). Expected: the note as text, "(AFIB", whoever wrote the file.
# Happens: `aux_note` is "(AFIB\x00" of such a file, and "(AFIB" of one that wfdb.wrann wrote. A comparison that
# passes on one's own test files finds no fibrillation in any published record, without an error.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet wfdb==4.3.1 2>/dev/null
venv/bin/python - <<'PY'
import struct
import sys
from pathlib import Path

import numpy as np
import wfdb

NOTES = ["(AFIB", "(N"]
AT = [100, 900]


def as_the_c_library_writes():
    """Codes 28 (rhythm change) and 63 (note), a word each: code << 10 | interval or length."""
    data, now = b"", 0
    for at, note in zip(AT, NOTES):
        text = note.encode() + b"\0"
        data += struct.pack("<H", 28 << 10 | at - now)
        data += struct.pack("<H", 63 << 10 | len(text)) + text + b"\0" * (len(text) % 2)
        now = at
    return data + b"\0\0"


Path("published.hea").write_text("published 1 250 1000\npublished.dat 16 200 16 0 0 0 0 II\n")
Path("published.atr").write_bytes(as_the_c_library_writes())
wfdb.wrann("own", "atr", np.array(AT), ["+", "+"], aux_note=NOTES, fs=250)
published, own = (wfdb.rdann(name, "atr") for name in ("published", "own"))
for name, marks in (("published", published), ("own", own)):
    print(name, marks.sample.tolist(), marks.symbol, marks.aux_note, "(AFIB" in marks.aux_note)
same = published.sample.tolist() == own.sample.tolist() == AT
sys.exit(not same or (published.aux_note, own.aux_note) != ([note + "\0" for note in NOTES], NOTES))
PY
