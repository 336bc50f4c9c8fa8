"""A second whose history is no signal is not classified, and its message has the reason."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.wire import messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.monitor.wearers.test_registry import opened, take
from tests.support.rig import GENERIC

RATE = 360
NORMAL = simulate("normal", seed=2, duration_s=40).record


def windows_of(record):
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
    take(opened(registry, "203"), record)
    return [m for m in registry.advance(lambda _: False) if isinstance(m, messages.Window)]


def reasons(record):
    """Return why each second was not classified, by its number."""
    windows = windows_of(record)
    for window in windows:
        assert (window.reason is None) == (window.abnormal is not None)
        assert (window.reason is None) == (window.probability is not None)
    return {w.first // RATE: w.reason for w in windows if w.reason is not None}


def test_the_first_three_seconds_of_a_stream_have_no_history():
    assert reasons(NORMAL) == {0: "history", 1: "history", 2: "history"}


@pytest.mark.parametrize("lost_s", [0.05, 0.6, 2.0])
def test_after_a_gap_three_seconds_have_none(lost_s):
    gap = (round(20.1 * RATE), round((20.1 + lost_s) * RATE))
    after = gap[1] // RATE + 1
    found = reasons(replace(NORMAL, missing=(gap,)))
    assert found == (
        dict.fromkeys((0, 1, 2), "history")
        | dict.fromkeys(range(19, after), "gap")
        | dict.fromkeys((after, after + 1, after + 2), "history")
    )


def test_after_a_lead_was_off_three_seconds_have_none():
    samples = NORMAL.samples.copy()
    samples[20 * RATE : 25 * RATE] = NO_VALUE
    found = reasons(replace(NORMAL, samples=samples))
    assert found == (
        dict.fromkeys((0, 1, 2), "history")
        | {19: "history"}  # the model would see half a second of nothing after it
        | dict.fromkeys(range(20, 25), "absent")
        | dict.fromkeys((25, 26, 27), "history")
    )


def test_noise_is_its_own_reason():
    found = reasons(simulate("noise", seed=2).record)
    assert set(found.values()) == {"history", "noisy", "strange"}


def test_seconds_that_are_not_classified_are_not_abnormal_ones():
    """A gap every five seconds, and three of four seconds that nobody judges: no alarm comes."""
    gaps = tuple((at * RATE, at * RATE + 200) for at in range(5, 35, 5))
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
    take(opened(registry, "203"), replace(NORMAL, missing=gaps))
    published = registry.advance(lambda _: False)
    assert np.sum([m.abnormal is None for m in published if isinstance(m, messages.Window)]) > 20
    assert not [m for m in published if isinstance(m, messages.Alarm) and m.kind == "abnormal"]
