import pytest

from ecgmon.core.alarm_limits import AlarmLimits, Hysteresis
from ecgmon.core.errors import UsageError
from ecgmon.core.rhythm_limits import RhythmLimits
from monitor.alarms.conditions import CONDITIONS
from monitor.alarms.kinds import KINDS


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (lambda: Hysteresis(4, 3, 1), "4 of 3 seconds"),
        (lambda: Hysteresis(0, 3, 1), "1 <= k"),
        (lambda: Hysteresis(1, 3, 0), "cleared after 0"),
        (lambda: Hysteresis(1, 10**9, 1), "n <= 3600"),
        (lambda: AlarmLimits(low_rate=30), "low_rate must be more than 35/min"),
        (lambda: AlarmLimits(extreme_high_rate=120), "extreme_high_rate must be more than 120/min"),
        (
            lambda: AlarmLimits(extreme_low_rate=130, low_rate=None),
            "high_rate must be more than 136/min",
        ),
        (lambda: AlarmLimits(low_rate=80, high_rate=86), "high_rate must be more than 86/min"),
        (
            lambda: AlarmLimits(low_rate=None, high_rate=None, extreme_high_rate=40),
            "more than 41/min",
        ),
        (lambda: AlarmLimits(extreme_low_rate=14), "15 to 300/min"),
        (lambda: AlarmLimits(extreme_high_rate=float("nan")), "15 to 300/min"),
        (lambda: AlarmLimits(silent_s=0), "silent_s cannot be 0 s"),
        (lambda: AlarmLimits(lag_s=float("inf")), "lag_s cannot be inf s"),
        (lambda: RhythmLimits(ventricular_tachycardia_beats=2), "choose 3 to 99"),
        (lambda: RhythmLimits(supraventricular_run_rate=float("nan")), "choose 15 to 300"),
        (lambda: RhythmLimits(ectopics_hour_beats=3601), "choose 1 to 3600"),
        (lambda: RhythmLimits(couplet="loud"), "couplet cannot be loud"),
    ],
)
def test_rules_that_contradict_each_other_are_refused_in_one_sentence(wrong, advice):
    with pytest.raises(UsageError) as refusal:
        wrong()
    assert advice in str(refusal.value)
    assert str(refusal.value).count(". ") == 0
    assert str(refusal.value).endswith(".")


def test_each_limit_may_be_off():
    for off in ("low_rate", "high_rate", "extreme_low_rate", "extreme_high_rate"):
        assert getattr(AlarmLimits(**{off: None}), off) is None


def test_each_kind_is_of_one_condition_or_of_the_monitor():
    of_conditions = [kind for made in CONDITIONS for kind in made.kinds]
    assert len(of_conditions) == len(set(of_conditions))
    for made in CONDITIONS:
        texts = {kind: made(AlarmLimits()).text(kind) for kind in made.kinds}
        assert all(text.startswith(KINDS[kind].text) for kind, text in texts.items())


def test_what_latches_may_kill():
    for kind, properties in KINDS.items():
        assert properties.latching == (properties.priority == "high"), kind
        assert not properties.latching or properties.category == "physiological"
