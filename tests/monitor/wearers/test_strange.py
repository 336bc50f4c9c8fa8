"""What a model of windows has hardly seen is not told normal."""

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.signal import Second
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.recent_beats import NEAR, RecentBeats
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC


def windows(record):
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
    hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=360.0, leads=["II"])
    stream = registry.open(hello, None, 0.0)[0].stream
    found = []
    for at in range(0, len(record.samples), 360):
        part = record.samples[at : at + 360]
        stream.accept(Frame(7, at, 0, 360_000, record.gain, "II", part), 0.0)
        found += registry.advance(lambda _: False)
    return [one for one in found if isinstance(one, messages.Window)]


def test_seconds_of_a_heart_that_stands_still_are_not_normal():
    record = simulate("asystole", seed=3).record  # from 30 to 42 s
    silent = range(33, 40)
    verdicts = {window.first // RATE: window for window in windows(record)}
    assert [second for second in silent if verdicts[second].abnormal is False] == []
    assert {verdicts[second].reason for second in silent} & {"strange", "absent"}
    before = [verdicts[second].abnormal for second in range(5, 20)]
    assert before == [False] * 15


def test_a_usual_heart_keeps_its_verdicts():
    found = windows(simulate("premature", seed=2).record)
    assert {window.reason for window in found[3:]} == {None}


@pytest.mark.parametrize("kin", [0, 1, 2, 8])
def test_a_beat_counts_if_it_is_near_and_looks_like_two_others(kin):
    beats = RecentBeats()
    beats.second(Second(0, 2000, "signal", (1900,), kin=(kin,)))
    assert beats.is_strange(1900) is (kin < 2)
    assert beats.is_strange(1900 - NEAR)
    assert beats.is_strange(1900 + NEAR) is (kin < 2)
    assert beats.is_strange(1900 + NEAR + 1)
    assert RecentBeats().is_strange(0)


def test_where_the_kin_of_a_beat_is_not_known_it_counts():
    beats = RecentBeats()
    beats.second(Second(0, 2000, "signal", (1900,)))
    assert not beats.is_strange(1800)
    assert np.all([beats.is_strange(at) for at in (0, 4000)])
