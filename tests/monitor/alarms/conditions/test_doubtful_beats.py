"""Beats that may be noise, by their shape, and the high limits of the heart rate."""

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.signal import Second
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.conditions.heart_rate import DOUBTFUL, FEW_KIN, VENTRICULAR
from tests.monitor.alarms.conditions.test_heart_rate import step


def fast(doubtful, rhythm=None):
    """Return the kinds raised by 130/min if so many of each nine beats look like few before."""
    beats, _ = step(80, 130, 0, n=20, then=60)
    conditions, raised = WearerConditions(AlarmLimits()), set()
    for end in range(RATE, beats[-1], RATE):
        inside = [n for n, beat in enumerate(beats) if end - RATE <= beat < end]
        kin = tuple(FEW_KIN - 1 if n % 9 < doubtful else FEW_KIN for n in inside)
        second = Second(0, end, "signal", tuple(beats[n] for n in inside), kin=kin)
        conditions.rhythm(end, rhythm)
        raised |= {change.kind for change in conditions.second(second) if change.holds}
    return raised


def test_beats_that_may_be_noise_are_no_fast_heart_unless_it_is_ventricular():
    assert fast(DOUBTFUL) == {"high-rate"}
    assert fast(DOUBTFUL + 1) == set()
    ventricular = RhythmVerdict(0, VENTRICULAR, 0.0)
    assert fast(9, ventricular) == {"high-rate"}
