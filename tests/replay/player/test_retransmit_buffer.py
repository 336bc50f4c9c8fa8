"""What a device keeps, against a plain list of all its frames."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replay.player.retransmit_buffer import RetransmitBuffer
from replay.player.schedule import Outgoing

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 5)),
        st.tuples(st.just("gap"), st.integers(1, 5)),
        st.tuples(st.just("send"), st.integers(1, 4)),
        st.tuples(st.just("acknowledge"), st.integers(0, 80)),
        st.tuples(st.just("resume"), st.integers(0, 80)),
        st.tuples(st.just("drop"), st.just(0)),
    ),
    max_size=80,
)


def frame(first, n):
    return Outgoing(0.0, first, np.arange(first, first + n, dtype=np.int16))


@given(STEPS)
def test_every_frame_is_kept_until_acknowledged_or_dropped_and_sent_in_order(steps):
    kept, end, held, resumed = RetransmitBuffer(), 0, [], 0
    carried = []  # what this connection has been sent
    for step, n in steps:
        match step:
            case "gap":
                end += n
            case "take":
                held.append((end, end + n))
                kept.take(frame(end, n))
                end += n
            case "send":
                for _ in range(n):
                    due = [
                        f for f in held if f[1] > resumed and (not carried or f[0] > carried[-1][0])
                    ]
                    assert kept.waiting == bool(due)
                    if due:
                        sent = kept.send()
                        assert (sent.first, sent.end) == due[0]
                        carried.append(due[0])
            case "acknowledge":
                kept.acknowledge(n)
                held = [f for f in held if f[1] > n]
            case "resume":
                kept.resume(n)
                resumed, carried = n, []
            case "drop" if held:
                kept.drop_oldest()
                held.pop(0)
        assert bool(kept) == bool(held)
        assert kept.span >= (held[-1][1] - held[0][0] if held else 0) - 5  # a frame in part
        assert kept.in_flight <= max(kept.span, 0)


@given(STEPS)
def test_every_sample_is_acknowledged_dropped_or_kept_and_counted_once(steps):
    kept, end, taken = RetransmitBuffer(), 0, 0
    for step, n in steps:
        match step:
            case "gap":
                end += n
            case "take":
                kept.take(frame(end, n))
                end, taken = end + n, taken + n
            case "send" if kept.waiting:
                kept.send()
            case "acknowledge":
                kept.acknowledge(n)
            case "resume":
                kept.resume(n)
            case "drop" if kept:
                kept.drop_oldest()
    while kept:
        kept.drop_oldest()
    assert kept.acknowledged + kept.dropped == taken
    assert kept.sent <= taken
