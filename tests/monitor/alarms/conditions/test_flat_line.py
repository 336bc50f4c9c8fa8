"""A line that turns flat after beats: no signal, or asystole."""

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.front_end import FrontEnd
from monitor.alarms.conditions.condition_set import WearerConditions
from tests.ecgmon.signal.test_stillness import beats

ROW = np.zeros(1, dtype=np.intp)


def changes_of(samples, size=10**6, step=0.005, arrivals=None):
    """Return the changes (kind, holds, second) of a stream that comes in pieces of a size."""
    chain, conditions, found = (
        SignalChain(Geometry(0, 0, 120), 1),
        WearerConditions(AlarmLimits()),
        [],
    )
    conditions.gap(0)
    for at in range(0, len(samples), size):
        piece = samples[None, at : at + size]
        for second in chain.push(ROW, piece, np.array([step])).seconds:
            found += conditions.second(second)
        found += conditions.elapsed(int(chain.next[0]), chain.confirmed(0), chain.lost(0))
        if arrivals is not None:  # how many samples had come when each change was known
            arrivals += [min(at + size, len(samples))] * (len(found) - len(arrivals))
    return [(c.kind, c.holds, c.at) for c in found]


def removed(seconds=20, level=0.0, noise=0.0):
    rng = np.random.default_rng(1)
    off = level + 0.005 * noise * rng.standard_normal(seconds * RATE)
    return np.concatenate([beats(75, 30), off])


@pytest.mark.parametrize("level", [0.0, 5.0])
@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_both_are_raised_once_and_at_the_same_samples_however_the_stream_is_cut(level, noise):
    samples = removed(level=level, noise=noise)
    once = changes_of(samples)
    assert [(kind, holds) for kind, holds, _ in once] == [("no-signal", True), ("flat-line", True)]
    assert 32 * RATE <= once[0][2] <= 33 * RATE
    assert 33 * RATE <= once[1][2] <= 34 * RATE + RATE // 2
    for size in (36, 100, 361):
        assert sorted(changes_of(samples, size)) == sorted(once)


@pytest.mark.parametrize("size", [36, 180])
def test_no_signal_is_known_within_three_seconds_wherever_in_a_second_the_line_turns_still(size):
    heart = beats(72, 20)
    for off in range(0, RATE, 45):
        begin = len(heart) - off
        samples = np.concatenate([heart[:begin], np.full(6 * RATE, heart[begin - 1])])
        arrivals = []
        changes = changes_of(samples, size, arrivals=arrivals)
        known = arrivals[[kind for kind, *_ in changes].index("no-signal")]
        assert known - begin < 3 * RATE, off


HOUR = np.arange(3600 * RATE)
REMOVED = {
    "0": np.zeros(len(HOUR)),
    "full scale": np.full(len(HOUR), 32767),
    "lowest": np.full(len(HOUR), -32767),
    "not measured": np.full(len(HOUR), -32768),
    "an offset": np.full(len(HOUR), 1000),
    "noise of a count": np.random.default_rng(7).integers(-1, 2, len(HOUR)),
    "rails in turn": np.where(HOUR // RATE % 2, 32767, -32767),
    "hum of 1 mV": np.rint(200 * np.sin(2 * np.pi * 50 * HOUR / RATE)),
    "hum of 0.2 mV": np.rint(40 * np.sin(2 * np.pi * 60 * HOUR / RATE)),
}
"""An hour as devices encode a lead that is off, in counts."""


@pytest.mark.slow
@pytest.mark.parametrize("form", REMOVED)
def test_an_hour_of_a_removed_electrode_raises_each_alarm_once(form):
    on = np.rint(beats(75, 30) / 0.005)
    counts = np.concatenate([on, REMOVED[form]]).astype(np.int16)
    raised = [kind for kind, holds, _ in changes_of(FrontEnd(360_000).push(counts, 200.0)) if holds]
    assert len(raised) == len(set(raised)) <= 2
    assert set(raised) <= {"no-signal", "flat-line", "noisy"}
    assert {"no-signal", "noisy"} & set(raised)


def test_noise_of_two_counts_is_asystole_and_missing_samples_are_no_signal_alone():
    (kind, holds, at), *rest = changes_of(removed(noise=2.0))
    assert (kind, holds, rest) == ("asystole", True, [])
    assert 33 * RATE <= at <= 34 * RATE
    assert {kind for kind, *_ in changes_of(removed(level=np.nan))} == {"no-signal"}


def test_a_stream_that_begins_flat_raises_no_flat_line():
    assert [kind for kind, *_ in changes_of(np.zeros(20 * RATE))] == ["no-signal"]


def test_two_beats_end_it_and_one_does_not():
    one = np.concatenate([removed(), beats(4, 16), np.zeros(4 * RATE)])
    assert [change[:2] for change in changes_of(one) if change[0] == "flat-line"] == [
        ("flat-line", True)
    ]
    back = np.concatenate([removed(), beats(75, 10)])
    flat = [change for change in changes_of(back) if change[0] == "flat-line"]
    assert [holds for _, holds, _ in flat] == [True, False]
    assert flat[1][2] < 53 * RATE


def test_a_stopped_heart_on_a_reattached_line_is_asystole():
    rng = np.random.default_rng(1)
    still = np.concatenate([removed(), 0.02 * rng.standard_normal(10 * RATE)])
    changes = [(kind, holds) for kind, holds, _ in changes_of(still) if kind != "no-signal"]
    assert changes == [("flat-line", True), ("asystole", True), ("flat-line", False)]
