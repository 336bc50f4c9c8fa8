"""A viewer's beats: in order, each once, in bounded memory."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from viewer.model import beat_list
from viewer.model.beat_list import BEATS, BeatList
from viewer.model.wearer import ViewState

IDS = {"wearer": "ann", "stream": "0000000000000007"}


def beat(at, label="N"):
    return messages.Beat(**IDS, at=at, label=label, probability=0.9)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=60))
def test_whatever_comes_twice_or_out_of_order_a_beat_that_was_withdrawn_is_gone(messages_given):
    beats = BeatList()
    for at, withdrawn in messages_given:
        if withdrawn:
            beats.withdraw(at)
        else:
            beats.add(beat(at))
    gone = {at for at, withdrawn in messages_given if withdrawn}
    wanted = sorted({at for at, withdrawn in messages_given if not withdrawn} - gone)
    assert [one.at for one in beats] == wanted
    assert len(beats) == len(wanted)


def test_memory_is_bounded():
    beats = BeatList()
    for at in range(BEATS + 50):
        beats.withdraw(10**6 + at)
        beats.add(beat(at))
    assert len(beats) == BEATS
    assert next(iter(beats)).at == 50
    assert len(beats._withdrawn) == BEATS == beat_list.BEATS


def test_a_view_folds_beats_of_its_stream_and_forgets_them_with_it():
    state = ViewState("ann")
    for at, label in ((100, "N"), (400, "V"), (700, "N")):
        state.apply(beat(at, label))
    state.apply(messages.BeatWithdrawn(**IDS, at=400))
    assert [(one.at, one.label) for one in state.beats] == [(100, "N"), (700, "N")]
    opened = {"lead": "II", "rate": 360, "model": "m", "threshold": 0.5, "look_ahead_s": 0.5}
    state.apply(messages.Opened(wearer="ann", stream="0000000000000008", **opened))
    assert len(state.beats) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 100).map(lambda n: 97 * n * 360), st.sampled_from("NVFSQ-")),
        max_size=60,
    ),
    st.integers(0, 10_000 * 360),
)
def test_ectopic_beats_are_counted_once_and_not_when_they_are_withdrawn(messages_given, clock):
    beats = BeatList()
    for at, label in messages_given:
        if label == "-":
            beats.withdraw(at)
        else:
            beats.add(beat(at, label))
    ectopic = {
        at: {"V": "V", "F": "V", "S": "S"}[label]
        for at, label in _final(messages_given).items()
        if label in "VFS"
    }
    minute = [letter for at, letter in ectopic.items() if clock - 60 * 360 < at <= clock]
    assert beats.last_minute(clock) == Counter(minute)
    newest = clock // beat_list.BIN
    hour = [
        letter for at, letter in ectopic.items() if newest - 360 < at // beat_list.BIN <= newest
    ]
    assert beats.last_hour(clock) == Counter(hour)


def _final(messages_given):
    """The first class of each beat that nobody has withdrawn, before or after."""
    gone = {at for at, label in messages_given if label == "-"}
    return {at: label for at, label in reversed(messages_given) if label != "-" and at not in gone}


def test_counts_are_bounded_and_outlive_the_beats():
    beats = BeatList()
    for second in range(9000):
        beats.add(beat(second * 360, "V"))
    assert len(beats) == BEATS
    assert len(beats._bins) == 360
    assert beats.last_hour(8999 * 360) == {"V": 3600}
    beats.add(beat(10, "V"))  # counted and forgotten long ago
    assert beats.last_hour(8999 * 360) == {"V": 3600}
