"""Simulated wearers that can be played over and over."""

import numpy as np
import pytest

from ecgmon.core.errors import UsageError
from replay.simulator.endless import endless
from replay.simulator.scenarios import SCENARIOS

RATE = 360


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_to_be_seen_where_it_starts_over(scenario):
    record = endless(scenario, seed=4)
    assert 580 <= len(record.samples) / RATE <= 800
    assert record.annotations is None
    step = int(record.samples[0]) - int(record.samples[-1])
    assert abs(step) / record.gain < 0.15  # mV
    assert all(stop < len(record.samples) for _, stop in record.missing)


def test_the_heart_does_not_stumble_at_the_seam():
    record = endless("normal")
    twice = np.tile(record.samples, 2) / record.gain
    seam = len(record.samples)
    beats = peaks(twice[seam - 5 * RATE : seam + 5 * RATE])
    assert len(beats) >= 10
    assert np.diff(beats).max() < 1.15 * RATE
    assert np.diff(beats).min() > 0.6 * RATE


def peaks(x):
    high = np.flatnonzero(x > 0.6 * x.max())
    return np.array(
        [
            part[np.argmax(x[part])]
            for part in np.split(high, np.flatnonzero(np.diff(high) > 36) + 1)
        ]
    )


def test_wearers_differ_by_seed_and_name():
    one, other = endless("normal", seed=1), endless("normal", seed=2, wearer="ann")
    assert (one.wearer, other.wearer) == ("simulated-normal", "ann")
    n = min(len(one.samples), len(other.samples))
    assert not np.array_equal(one.samples[:n], other.samples[:n])


def test_a_scenario_that_is_none_is_refused():
    with pytest.raises(UsageError, match="There is no scenario 'nonsense'"):
        endless("nonsense")
