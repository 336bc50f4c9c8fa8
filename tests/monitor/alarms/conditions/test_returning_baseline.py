"""A baseline that jumps and returns hides the beats: no heart stands still meanwhile."""

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, Second
from ecgmon.signal.chain import SignalChain
from monitor.alarms.conditions.condition_set import WearerConditions


def asystoles(seconds):
    """Return where asystoles begin in seconds of the signal chain."""
    conditions = WearerConditions(AlarmLimits())
    changes = [change for second in seconds for change in conditions.second(second)]
    return [change.at for change in changes if change.kind == "asystole" and change.holds]


@pytest.mark.parametrize(("name", "jump_s"), [("116", 1354), ("116", 1391), ("208", 1383)])
def test_real_leads_that_jump_raise_no_asystole(mitdb, name, jump_s):
    millivolts = read(Found(name, name, mitdb / name)).millivolts()
    piece = millivolts[(jump_s - 30) * RATE : (jump_s + 10) * RATE]
    seconds = SignalChain(Geometry(0, 0, 120), 1).push(np.zeros(1, dtype=np.intp), piece[None])[1]
    assert any(second.returning for second in seconds)
    assert asystoles(seconds) == []


def test_the_silence_is_counted_from_the_last_such_second_and_nothing_ends_by_it():
    silent = [Second(0, RATE * n, "signal", (), returning=n in (3, 4)) for n in range(1, 12)]
    assert asystoles(silent) == [8 * RATE]
    during = [Second(0, RATE * n, "signal", (), returning=n > 5) for n in range(1, 12)]
    assert asystoles(during) == [4 * RATE]
