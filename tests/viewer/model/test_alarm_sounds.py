from hypothesis import given
from hypothesis import strategies as st

from monitor.alarms.kinds import KINDS
from monitor.alarms.transitions import Change
from viewer.model.alarm_sounds import PATTERNS, SILENCE, Sound, sound

ORDER = ("high", "medium", "low")


def alarm(kind, state="raised", number=1):
    return Change(number, kind, KINDS[kind].priority, state, None, None, 0.0, "")


keys = st.tuples(st.sampled_from([None, "203", "ann"]), st.integers(1, 3))
beds = st.dictionaries(
    keys,
    st.builds(
        alarm,
        st.sampled_from(["asystole", "abnormal", "no-signal", "noisy"]),
        st.sampled_from(["raised", "acknowledged", "latched"]),
    ),
)
paused = st.sets(st.tuples(st.sampled_from([None, "203", "ann"]), st.sampled_from(list(KINDS))))


@given(st.lists(st.tuples(beds, paused), max_size=6))
def test_the_worst_alarm_that_may_sound_sounds_and_is_new_once(moments):
    before = SILENCE
    for active, pauses in moments:
        result = sound(active, pauses, before)
        loud = {
            key: a.priority
            for key, a in active.items()
            if a.state != "acknowledged" and (key[0], a.kind) not in pauses
        }
        assert result.priority == next((p for p in ORDER if p in loud.values()), None)
        assert result.already_heard <= loud.keys()
        worst = {key for key, priority in loud.items() if priority == result.priority}
        assert worst <= result.already_heard
        assert result.new == bool(worst - before.already_heard)
        again = sound(active, pauses, result)
        assert again == Sound(result.priority, False, result.already_heard)
        before = result


def test_an_alarm_masked_by_a_worse_one_sounds_after_it_and_once_only():
    asystole, noisy = {("203", 1): alarm("asystole")}, {("ann", 1): alarm("noisy")}
    first = sound(asystole | noisy, set())
    assert (first.priority, first.new) == ("high", True)
    alone = sound(noisy, set(), first)
    assert (alone.priority, alone.new) == ("low", True)
    drowned = sound(asystole | noisy, set(), alone)
    assert (drowned.priority, drowned.new) == ("high", True)
    assert not sound(noisy, set(), drowned).new


def test_a_pause_silences_one_kind_of_one_wearer_and_the_sound_returns_at_its_end():
    both = {("203", 1): alarm("abnormal"), ("ann", 1): alarm("abnormal")}
    result = sound(both, {("203", "abnormal")})
    assert result.already_heard == {("ann", 1)}
    assert sound(both, {("203", "abnormal"), ("ann", "abnormal")}, result) == SILENCE
    assert sound(both, set(), result).new


def test_a_latched_alarm_sounds_and_an_acknowledged_one_never_does():
    assert sound({("203", 1): alarm("asystole", "latched")}, set()).priority == "high"
    assert sound({("203", 1): alarm("asystole", "acknowledged")}, set()) == SILENCE


def test_bursts_come_as_often_as_the_standard_wants():
    assert [PATTERNS[priority].rings for priority in ORDER] == [10, 3, 1]
    assert 2.5 <= PATTERNS["high"].repeat_s <= 15
    assert 2.5 <= PATTERNS["medium"].repeat_s <= 30
    assert PATTERNS["low"].repeat_s is None
    assert tuple(PATTERNS) == ORDER  # the first that is there is the worst
