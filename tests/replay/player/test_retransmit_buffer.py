"""The device's retransmit buffer against a plain list of all its frames."""

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
def test_every_frame_is_buffered_until_acknowledged_or_dropped_and_sent_in_order(steps):
    buffer, end, held, resumed = RetransmitBuffer(), 0, [], 0
    carried = []  # what this connection has been sent
    for step, n in steps:
        match step:
            case "gap":
                end += n
            case "take":
                held.append((end, end + n))
                buffer.take(frame(end, n))
                end += n
            case "send":
                for _ in range(n):
                    due = [
                        f for f in held if f[1] > resumed and (not carried or f[0] > carried[-1][0])
                    ]
                    assert buffer.waiting == bool(due)
                    if due:
                        sent = buffer.send()
                        assert (sent.first, sent.end) == due[0]
                        carried.append(due[0])
            case "acknowledge":
                buffer.acknowledge(n)
                held = [f for f in held if f[1] > n]
            case "resume":
                buffer.resume(n)
                resumed, carried = n, []
            case "drop" if held:
                buffer.drop_oldest()
                held.pop(0)
        assert bool(buffer) == bool(held)
        assert buffer.span >= (held[-1][1] - held[0][0] if held else 0) - 5  # a frame in part
        assert buffer.in_flight <= max(buffer.span, 0)


@given(STEPS)
def test_every_sample_is_acknowledged_dropped_or_buffered_and_counted_once(steps):
    buffer, end, put = RetransmitBuffer(), 0, 0
    for step, n in steps:
        match step:
            case "gap":
                end += n
            case "take":
                buffer.take(frame(end, n))
                end, put = end + n, put + n
            case "send" if buffer.waiting:
                buffer.send()
            case "acknowledge":
                buffer.acknowledge(n)
            case "resume":
                buffer.resume(n)
            case "drop" if buffer:
                buffer.drop_oldest()
    while buffer:
        buffer.drop_oldest()
    assert buffer.acknowledged + buffer.dropped == put
    assert buffer.sent <= put
