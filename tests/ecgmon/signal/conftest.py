from types import SimpleNamespace

import numpy as np
import pytest

from ecgmon.grid import RATE
from ecgmon.records.find import Found
from ecgmon.records.read import read
from ecgmon.signal import SignalChain, Windows
from replay.simulated import simulate


def alone(segments, geometry):
    """Windows of one wearer: for each (first, samples) a chain of its own, pushed in one call."""
    parts = []
    for first, samples in segments:
        chain = SignalChain(geometry, 1)
        chain.reset(0, first)
        parts.append(chain.push(np.zeros(1, dtype=np.intp), samples[None, :]))
    return Windows.concatenate(parts, geometry)


def cut(samples, geometry, sizes):
    """Windows of one wearer whose stream comes in chunks of these sizes, over and over."""
    chain, parts, at = SignalChain(geometry, 1), [], 0
    while at < len(samples):
        n = sizes[len(parts) % len(sizes)]
        parts.append(chain.push(np.zeros(1, dtype=np.intp), samples[None, at : at + n]))
        at += n
    return Windows.concatenate(parts, geometry)


def of_row(windows, row):
    """The windows of one row, as row 0."""
    mine = windows.rows == row
    fields = {name: getattr(windows, name)[mine] for name in Windows.__slots__}
    return Windows(**fields | {"rows": fields["rows"] * 0})


def assert_same(one, other):
    """Every field is bit-identical, NaN included, with the same types."""
    for name in Windows.__slots__:
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype, name
        assert a.shape == b.shape, name
        assert a.tobytes() == b.tobytes(), name


@pytest.fixture(scope="session")
def streams():
    """Ways to push a stream through the chain, and to compare what comes of it."""
    return SimpleNamespace(alone=alone, cut=cut, of_row=of_row, assert_same=assert_same)


@pytest.fixture(scope="session")
def ecg():
    """A minute and more of a simulated wearer with premature beats, in mV, free of gaps."""
    return simulate("premature", seed=3).record.millivolts()


@pytest.fixture(scope="session")
def real(mitdb):
    """The first two minutes of record 203, in mV."""
    record = read(Found("mitdb/203", "203", mitdb / "203"))
    return record.millivolts()[: 120 * RATE]
