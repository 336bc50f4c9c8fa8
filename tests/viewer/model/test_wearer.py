import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.wire import messages
from viewer.model.alarm_list import ALARMS
from viewer.model.trace import SIZE
from viewer.model.wearer import GAPS, STALE_S, WINDOWS, ViewState
from viewer.terminal.render import Caption, render

STREAMS = ["00000000000000aa", "00000000000000bb", "00000000000000cc"]

indices = st.one_of(st.integers(0, 20_000), st.integers(0, 2**62))
numbers = st.floats(allow_nan=False) | st.sampled_from([0.0, 1.0])


def published(**fields):
    ids = {"wearer": st.sampled_from(["203", "2031"]), "stream": st.sampled_from(STREAMS)}
    return st.fixed_dictionaries(ids | fields)


anything = st.one_of(
    published(
        lead=st.text(max_size=8),
        rate=numbers,
        model=st.text(max_size=20),
        threshold=numbers,
        look_ahead_s=numbers,
    ).map(lambda fields: messages.Opened(**fields)),
    published(
        first=indices,
        model=st.text(max_size=20),
        threshold=numbers,
        refused=st.none() | st.text(max_size=60),
    ).map(lambda fields: messages.Swap(**fields)),
    published(end=indices).map(lambda fields: messages.Closed(**fields)),
    published(first=indices, samples=st.binary(max_size=800)).map(
        lambda fields: messages.Trace(**fields)
    ),
    published(
        first=indices,
        state=st.sampled_from(["signal", "noisy", "absent"]),
        probability=st.none() | numbers,
        abnormal=st.none() | st.booleans(),
        heart_rate=st.none() | numbers,
        model=st.text(max_size=20),
    ).map(lambda fields: messages.Window(**fields)),
    published(first=indices, count=indices).map(lambda fields: messages.Gap(**fields)),
    published(
        alarm=st.integers(1, 5),
        kind=st.text(max_size=10),
        priority=st.sampled_from(["high", "medium", "low"]),
        category=st.sampled_from(["physiological", "technical"]),
        state=st.sampled_from(["raised", "acknowledged", "latched", "cleared"]),
        at=st.none() | indices,
        time=st.floats(0, 2e9),
        text=st.text(max_size=60),
    ).map(lambda fields: messages.Alarm(**fields)),
    st.builds(
        messages.Paused,
        wearer=st.just("203"),
        kind=st.text(max_size=10),
        until=st.none() | st.floats(0, 2e9),
        time=st.floats(0, 2e9),
    ),
    published(
        received=st.integers(), missing=st.integers(), repeated=st.integers(), lag_s=numbers
    ).map(lambda fields: messages.Link(**fields)),
)


@given(st.lists(anything, max_size=60), st.integers(1, 130), st.integers(1, 40))
def test_any_messages_in_any_order_can_be_folded_and_drawn(received, width, height):
    state = ViewState("203")
    for message in received:
        state.apply(message)
    canvas = render(state, Caption("mitdb/203", "a notice", "a score"), width, height)
    assert (canvas.width, canvas.height) == (width, height)


def test_memory_is_bounded(monitor, other_stream, fold):
    state = fold(
        message
        for number in range(3 * WINDOWS)
        for source in (monitor, other_stream)
        for message in (
            source.trace(number * RATE, [1] * RATE),
            source.window(number),
            source.gap(number * RATE, 5),
            source.alarm(number, at=number * RATE),
        )
    )
    assert len(state.alarms) == ALARMS
    assert len(state.gaps) == GAPS
    assert sum(state.window(second) is not None for second in range(3 * WINDOWS)) == WINDOWS
    assert np.isfinite(state.trace.read(0, 3 * WINDOWS * RATE)).sum() == SIZE


def seen(state):
    """Return the state that depends on the messages, but not on their times."""
    windows = [state.window(second) for second in range(40)]
    return windows, state.gaps, state.clock, state.model, state.current(0.0)


@given(random=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(monitor, fold, random):
    stream = [
        *monitor.seconds(0, 10),
        monitor.gap(10 * RATE, 2 * RATE),
        *monitor.seconds(12, 28),
    ]
    shuffled = stream + random.sample(stream, 20)
    random.shuffle(shuffled)
    in_order, out_of_order = fold(stream), fold(shuffled)
    assert seen(out_of_order) == seen(in_order)
    newest = in_order.trace.read(0, 40 * RATE)
    np.testing.assert_array_equal(out_of_order.trace.read(0, 40 * RATE), newest)
    assert np.isfinite(newest).sum() == 28 * RATE


def test_an_alarm_has_the_state_of_its_last_message(monitor, fold):
    life = [
        monitor.alarm(1, at=10),
        monitor.alarm(1, "acknowledged", at=30),
        monitor.alarm(1, "cleared", at=25),
    ]
    for messages_seen in range(1, 4):
        for repeated in (life[:messages_seen], [*life[:messages_seen], life[messages_seen - 1]]):
            (alarm,) = fold(repeated).alarms
            assert (alarm.message, alarm.since) == (life[messages_seen - 1], 10)


def test_an_alarm_outlives_its_stream(monitor, other_stream, fold):
    state = fold([*monitor.seconds(0, 2), monitor.alarm(1, at=10), *other_stream.seconds(0, 2)])
    assert [alarm.active for alarm in state.alarms] == [True]
    state.apply(other_stream.alarm(1, "cleared", at=None))
    assert [alarm.active for alarm in state.alarms] == [False]


def test_cleared_alarms_are_forgotten_before_active_ones(monitor, fold):
    active = monitor.alarm(1, at=1)
    cleared = [monitor.alarm(number, "cleared", at=number) for number in range(2, 2 * ALARMS)]
    alarms = fold([active, *cleared]).alarms
    assert alarms[-1].message == active
    assert [alarm.since for alarm in alarms] == [*range(2 * ALARMS - 1, ALARMS, -1), 1]


def test_another_wearer_is_ignored(monitor, fold):
    stranger = type(monitor)(wearer="2031")
    state = fold([*monitor.seconds(0, 2), *stranger.seconds(0, 9), stranger.alarm(1)])
    assert (state.clock, state.alarms) == (2 * RATE, [])


def test_a_new_stream_starts_afresh_and_the_old_one_stays_past(monitor, other_stream, fold):
    state = fold([*monitor.seconds(0, 20), monitor.gap(0, 5), monitor.link()])
    for message in [*other_stream.seconds(0, 3), *monitor.seconds(20, 2)]:
        state.apply(message)
    assert (state.clock, state.gap_count, state.link) == (3 * RATE, 0, None)
    state.apply(monitor.opened())
    assert (state.clock, state.opened) == (0, monitor.opened())


def test_the_end_of_the_stream(monitor, fold):
    state = fold([*monitor.seconds(0, 2), monitor.closed(2 * RATE)])
    assert state.closed
    assert state.current(0.0) is None
    state.apply(monitor.opened())
    assert not state.closed


def test_an_old_verdict_is_not_shown_as_the_present_state(monitor, fold):
    state = fold(monitor.seconds(0, 2), now=100.0)
    assert state.current(100.0 + STALE_S) == monitor.window(1)
    assert state.current(100.1 + STALE_S) is None
    state.apply(monitor.link(lag_s=STALE_S + 1), 100.0)
    assert state.current(100.0) is None


def test_an_old_window_does_not_replace_one_that_took_its_place(monitor, fold):
    state = fold([monitor.window(WINDOWS + 5), monitor.window(5)])
    assert state.window(WINDOWS + 5) == monitor.window(WINDOWS + 5)
    assert state.window(5) is None


def test_the_model_is_the_one_that_spoke_last(monitor, fold):
    assert fold([]).model is None
    assert fold([monitor.opened(model="generic")]).model == "generic"
    later = monitor.window(3, model="personal-203")
    assert fold([monitor.opened(model="generic"), later]).model == "personal-203"


def test_noise_does_not_change_the_scale(monitor, fold):
    state = fold(monitor.seconds(0, 5, millivolts=0.9))
    assert state.scale.high == 1.0
    for message in [monitor.trace(5 * RATE, [4000] * RATE), monitor.window(5, "noisy")]:
        state.apply(message)
    assert state.scale.high == 1.0
    for message in monitor.seconds(6, 1, millivolts=2.8):
        state.apply(message)
    assert state.scale.high == 3.0


def test_before_any_verdict_the_signal_sets_the_scale(monitor, fold):
    assert fold([monitor.trace(0, [0, 1800, -900])]).scale.high == 2.0
