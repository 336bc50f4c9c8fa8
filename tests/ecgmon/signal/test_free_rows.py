"""Rows that nobody has: a monitor has one for each second lead that may come."""

import sys
from pathlib import Path

import pytest

from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.beat_cutter import BeatSegments

ROWS = 2000
BYTES_EACH = 20_000


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_row_that_nobody_has_takes_little_memory():
    before = resident()
    chain, segments = SignalChain(Geometry(3, 0.5, 120), ROWS), BeatSegments(ROWS)
    assert resident() - before < ROWS * BYTES_EACH
    del chain, segments


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
