"""A viewer's beats: in order, each once, in bounded memory."""

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
def test_whatever_comes_twice_or_out_of_order_a_beat_that_was_withdrawn_is_gone(told):
    beats = BeatList()
    for at, withdrawn in told:
        if withdrawn:
            beats.withdraw(at)
        else:
            beats.add(beat(at))
    gone = {at for at, withdrawn in told if withdrawn}
    wanted = sorted({at for at, withdrawn in told if not withdrawn} - gone)
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
