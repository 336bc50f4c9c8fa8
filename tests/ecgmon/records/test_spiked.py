"""Training inputs equal the monitor's: without pacing spikes, and otherwise bit by bit."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.records.converted import converted
from ecgmon.signal.front_end import FrontEnd
from replay.simulator.simulation import simulate


@pytest.fixture(scope="module")
def record():
    return simulate("normal", seed=1, duration_s=20).record


def test_a_record_without_spikes_is_the_same_record(record):
    assert converted(record) is record


def test_spikes_of_a_record_are_bridged_as_the_monitor_bridges_them(record):
    spiked = record.samples.copy()
    spiked[180::360] += np.int16(2 * record.gain)
    clean = converted(replace(record, samples=spiked))
    front = FrontEnd(360_000)
    converted_record = np.concatenate([front.push(spiked, record.gain), front.flush()])
    assert len(front.found) == 20
    assert np.abs(clean.millivolts() - converted_record).max() < 0.51 / clean.gain
    assert np.abs(clean.millivolts() - record.millivolts()).max() < 0.3
