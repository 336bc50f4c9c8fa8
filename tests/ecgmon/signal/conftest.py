from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Pushed, SignalChain, Windows
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE
from ecgmon.signal.types import RhythmInputs
from replay.simulator.simulation import simulate


def joined(parts, geometry):
    """Join the results of several calls."""
    windows = Windows.concatenate([part.windows for part in parts], geometry)
    rhythms = RhythmInputs.concatenate([part.rhythms for part in parts])
    atrial = RhythmInputs.concatenate([part.atrial for part in parts], ATRIAL_SHAPE)
    seconds = [second for part in parts for second in part.seconds]
    return Pushed(windows, seconds, rhythms, atrial)


def alone(segments, geometry):
    """Return one wearer's results; each (first, samples) goes to a new chain in one call."""
    parts = []
    for first, samples in segments:
        chain = SignalChain(geometry, 1)
        chain.reset(0, first)
        parts.append(chain.push(np.zeros(1, dtype=np.intp), samples[None, :]))
    return joined(parts, geometry)


def in_one_call(samples, geometry):
    """Return the results of one wearer's complete stream, pushed in one call."""
    return alone([(0, samples)], geometry)


def cut(samples, geometry, sizes):
    """The same if the stream comes in chunks of these sizes, over and over."""
    chain, parts, at = SignalChain(geometry, 1), [], 0
    while at < len(samples):
        n = sizes[len(parts) % len(sizes)]
        parts.append(chain.push(np.zeros(1, dtype=np.intp), samples[None, at : at + n]))
        at += n
    return joined(parts, geometry)


def of_row(pushed, row):
    """Return the results of one row, renumbered as row 0."""
    seconds = [replace(second, row=0) for second in pushed.seconds if second.row == row]
    windows, rhythms = _of_row(pushed.windows, row), _of_row(pushed.rhythms, row)
    return Pushed(windows, seconds, rhythms, _of_row(pushed.atrial, row))


def _of_row(results, row):
    mine = results.rows == row
    fields = {name: getattr(results, name)[mine] for name in type(results).__slots__}
    return type(results)(**fields | {"rows": fields["rows"] * 0})


def assert_same(one, other):
    """Seconds are equal, all fields of the others bit-identical, NaN included, with their types."""
    for kind, mine, others in [
        (Windows, one.windows, other.windows),
        (RhythmInputs, one.rhythms, other.rhythms),
        (RhythmInputs, one.atrial, other.atrial),
    ]:
        for name in kind.__slots__:
            a, b = getattr(mine, name), getattr(others, name)
            assert a.dtype == b.dtype, name
            assert a.shape == b.shape, name
            assert a.tobytes() == b.tobytes(), name
    assert one.seconds == other.seconds


@pytest.fixture(scope="session")
def streams():
    """Ways to push a stream through the chain, and to compare what comes of it."""
    return SimpleNamespace(
        joined=joined,
        alone=alone,
        in_one_call=in_one_call,
        cut=cut,
        of_row=of_row,
        assert_same=assert_same,
    )


@pytest.fixture(scope="session")
def ecg():
    """A minute and more of a simulated wearer with premature beats, in mV, free of gaps."""
    return simulate("premature", seed=3).record.millivolts()


@pytest.fixture(scope="session")
def real(mitdb):
    """The first two minutes of record 203, in mV."""
    record = read(Found("mitdb/203", "203", mitdb / "203"))
    return record.millivolts()[: 120 * RATE]
