"""Whatever came before and whatever else holds, what kills is announced."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.signal import Second
from monitor.alarms.conditions.condition_set import WearerConditions

SINUS, FAST, WILD = (0.01, 0.01), (0.97, 0.01), (0.02, 0.96)
ENOUGH_S = 8
seconds = st.tuples(
    st.sampled_from(["signal", "signal", "signal", "noisy", "absent", "gap"]),
    st.lists(st.integers(0, RATE - 1), max_size=4, unique=True).map(sorted),
    st.sampled_from("NNSVVF"),
    st.sampled_from([SINUS, SINUS, FAST, WILD, None]),
    st.sampled_from([None, 0.01, 0.99]),
    st.sampled_from([True, False, None]),
)
histories = st.lists(st.tuples(seconds, st.sampled_from([1, 1, 5, 20])), max_size=12).map(
    lambda parts: [one for one, times in parts for _ in range(times)]
)


class Stream:
    """Conditions that are told of seconds, and what holds by them."""

    def __init__(self, holding=()):
        self.conditions = WearerConditions(AlarmLimits(), holding)
        self.holds = set(holding)
        self._end = 0

    def take(self, state, beats=(), label="N", rhythm=SINUS, fibrillation=None, abnormal=False):
        first, self._end = self._end, self._end + RATE
        if state == "gap":
            self.conditions.gap(self._end)
            return
        at = tuple(first + beat for beat in beats) if state == "signal" else ()
        for beat in at:
            self.conditions.beat(beat, label, 0.9, 200)
        verdict = RhythmVerdict(self._end, *rhythm) if rhythm and state == "signal" else None
        changes = [
            *self.conditions.second(Second(0, self._end, state, at)),
            *self.conditions.rhythm(self._end, verdict),
            *self.conditions.atrial(self._end, fibrillation),
            *self.conditions.judged(self._end, abnormal),
            *self.conditions.elapsed(self._end + RATE // 2, ()),
        ]
        for one in changes:
            (self.holds.add if one.holds else self.holds.discard)(one.kind)


@pytest.mark.parametrize(
    ("beats", "rhythm", "kind"),
    [
        ((), SINUS, "asystole"),
        ((20, 140, 260), WILD, "ventricular-fibrillation"),
        ((90, 270), FAST, "ventricular-tachycardia"),
    ],
)
@given(history=histories, holding=st.sets(st.sampled_from(["couplet", "noisy", "high-rate"])))
@settings(max_examples=60)
def test_what_kills_is_announced_after_any_history(beats, rhythm, kind, history, holding):
    stream = Stream(holding)
    for one in history:
        stream.take(*one)
    for _ in range(ENOUGH_S):
        stream.take("signal", beats, rhythm=rhythm)
    assert kind in stream.holds or (kind != "asystole" and _either(stream))


def _either(stream):
    """Tell whether fibrillation or tachycardia is announced: one is not renamed at once."""
    return stream.holds & {"ventricular-fibrillation", "ventricular-tachycardia"}
