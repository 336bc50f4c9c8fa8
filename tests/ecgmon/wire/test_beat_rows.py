"""Beats in the journal: what is packed is unpacked, and nothing else is read."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from ecgmon.wire.beat_rows import MAX_BEATS, Beats, decode_row, unpack, with_beats

IDS = {"wearer": "ann", "stream": "0000000000000007"}
BEATS = st.builds(
    messages.Beat,
    wearer=st.just("ann"),
    stream=st.just(IDS["stream"]),
    at=st.integers(0, 2**40),
    label=st.sampled_from("NSVFQ"),
    probability=st.integers(0, 1000).map(lambda share: share / 1000),
    rr=st.none() | st.integers(0, 1440),
)


@given(st.lists(BEATS, min_size=1, max_size=MAX_BEATS))
def test_what_is_packed_is_unpacked(beats):
    row = messages.encode(Beats.of(beats))
    assert list(unpack(decode_row(row))) == beats


@given(st.lists(BEATS, min_size=1, max_size=MAX_BEATS))
def test_a_window_keeps_what_it_says_where_beats_are_put_into_its_row(beats):
    window = messages.Window(
        **IDS,
        first=360,
        state="signal",
        probability=0.25,
        abnormal=False,
        heart_rate=None,
        model='a "model","beats":{',
    )
    row = messages.encode(window)
    assert decode_row(row) == window
    longer = with_beats(row.decode(), beats).encode()
    assert messages.decode_to_viewer(longer) == window
    assert list(unpack(decode_row(longer))) == beats


def test_a_second_of_beats_is_smaller_than_a_window():
    beats = [
        messages.Beat(**IDS, at=10**8 + i, label="N", probability=0.98, rr=300) for i in (0, 1)
    ]
    assert len(messages.encode(Beats.of(beats))) < 160


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "NX"},
        {"label": "N"},
        {"at": [1]},
        {"p": [1, 1001]},
        {"p": [1, -1]},
        {"rr": [None, -1]},
        {"at": list(range(65)), "label": "N" * 65, "p": [1] * 65, "rr": [1] * 65},
        {"wearer": "../ann"},
    ],
)
def test_a_row_that_is_none_is_refused(changes):
    row = {"type": "beats", **IDS, "at": [5, 9], "label": "NV", "p": [1, 2], "rr": [None, 4]}
    assert [beat.label for beat in unpack(decode_row(json.dumps(row).encode()))] == ["N", "V"]
    with pytest.raises(ProtocolError):
        decode_row(json.dumps(row | changes).encode())


def test_beats_are_rows_and_no_message():
    row = msgspec.json.encode(Beats.of([messages.Beat(**IDS, at=1, label="N", probability=1)]))
    with pytest.raises(ProtocolError):
        messages.decode_to_viewer(row)
