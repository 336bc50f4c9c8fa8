"""Samples that complete nothing wait for others: no verdict is later or another one for it."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.wire import Frame, messages
from monitor.wearers.conversion import QUARTER, Conversion
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC

SIGNAL = simulate("premature", seed=3, duration_s=40).record.samples


def monitored(rate, cuts, *, ripe, drawn=False):
    """Return what is published of a stream, with the number of the tick, and how often that is."""
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
    hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=float(rate), leads=["II"])
    active = registry.open(hello, None, 0.0)[0]
    found, at, pushes = [], 0, 0
    for tick, n in enumerate(cuts):
        part = SIGNAL[at : at + n]
        active.stream.accept(Frame(7, at, 0, rate * 1000, 200.0, "II", part), 0.0)
        at += n
        before = int(active.chain.next[active.stream.row])
        found += [(tick, m) for m in registry.advance(lambda _: drawn, ripe=ripe)]
        pushes += int(active.chain.next[active.stream.row]) > before
    found += [(len(cuts), m) for m in registry.advance(lambda _: False)]
    return [(tick, timeless(m)) for tick, m in found], pushes


def timeless(message):
    """Return a message as if it were made at midnight."""
    return msgspec.structs.replace(message, time=0.0) if hasattr(message, "time") else message


@pytest.mark.parametrize("rate", [250, RATE])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_every_verdict_comes_in_the_tick_in_which_its_samples_are_complete(rate, seed):
    rng = np.random.default_rng(seed)
    cuts = rng.integers(5, 120, 100).tolist()
    at_once, often = monitored(rate, cuts, ripe=False)
    waiting, rarely = monitored(rate, cuts, ripe=True)
    assert [m for _, m in waiting] == [m for _, m in at_once]
    windows = [one for one in at_once if isinstance(one[1], messages.Window)]
    assert len(windows) > 10
    assert [one for one in waiting if isinstance(one[1], messages.Window)] == windows
    assert rarely < often


def test_frames_of_a_tenth_of_a_second_are_processed_four_times_a_second():
    _, pushes = monitored(RATE, [36] * 100, ripe=True)
    assert pushes == 40


def test_what_a_viewer_draws_is_processed_at_once():
    found, pushes = monitored(RATE, [36] * 20, ripe=True, drawn=True)
    assert pushes == 20
    assert sum(isinstance(m, messages.Trace) for _, m in found) == 20


@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from([100, 250, 360, 500, 1000]))
@settings(max_examples=30)
def test_no_conversion_reaches_further_than_was_foretold(seed, rate):
    rng = np.random.default_rng(seed)
    made, at, offset = Conversion(rate * 1000, 0), 0, int(rng.integers(0, WINDOW))
    for n in rng.integers(1, rate // 2, 40).tolist():
        made.pending.clear()
        before = made.end
        made.push(SIGNAL[at : at + n], 200.0)
        at += n
        foretold = made.is_ripe(offset, 0)
        quarter, second = (made.end - offset) // QUARTER, made.end // WINDOW
        same = quarter == (before - offset) // QUARTER and second == before // WINDOW
        assert foretold or same
    assert made.end > 20 * QUARTER


def test_what_is_ripe_reaches_a_quarter_as_soon_as_its_samples_are_there():
    made = Conversion(RATE * 1000, 0)
    ripe = []
    for at in range(0, WINDOW, 30):
        made.pending.clear()
        made.push(SIGNAL[at : at + 30], 200.0)
        ripe.append(made.is_ripe(0, 0))
    assert ripe == [False, False, True] * 4


@pytest.mark.parametrize(("due", "ripe"), [(0, 90), (50, 60), (60, 60), (61, 90), (400, 90)])
def test_what_reaches_an_alarm_is_ripe_then(due, ripe):
    made = Conversion(RATE * 1000, 0)
    for at in range(0, 90, 30):
        made.push(SIGNAL[at : at + 30], 200.0)
        assert made.is_ripe(0, due) == (at + 30 >= ripe)


def test_a_heart_that_stops_is_alarmed_no_later_than_if_nothing_waited():
    """Frames of 36 samples: asystole is raised in the same tick."""
    stopped = simulate("asystole", seed=3).record
    ticks = []
    for ripe in (False, True):
        registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
        hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=360.0, leads=["II"])
        stream = registry.open(hello, None, 0.0)[0].stream
        for at in range(0, len(stopped.samples), 36):
            part = stopped.samples[at : at + 36]
            stream.accept(Frame(7, at, 0, 360_000, stopped.gain, "II", part), 0.0)
            ticks += [
                (at, m.kind)
                for m in registry.advance(lambda _: False, ripe=ripe)
                if isinstance(m, messages.Alarm) and m.kind == "asystole" and m.state == "raised"
            ]
    assert len(ticks) == 2
    assert ticks[0] == ticks[1]
