import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.errors import ProtocolError
from ecgmon.wire import messages
from ecgmon.wire.messages import decode_published, decode_to_device, decode_to_monitor, encode

DECODERS = (decode_to_monitor, decode_to_device, decode_published)

wearers = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
streams = st.integers(0, 2**64 - 1).map(messages.stream_id)
indices = st.sampled_from([0, 2**53, 2**53 + 1, 2**62]) | st.integers(0, 2**62)
integers = st.integers(-(2**63), 2**64 - 1)
texts = st.text(max_size=500)
floats = st.floats(allow_nan=False, allow_infinity=False)
leads = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8)
people = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=64)
wearer_stream = {"wearer": wearers, "stream": streams}

TO_MONITOR = st.one_of(
    st.builds(
        messages.Hello,
        **wearer_stream,
        rate=st.floats(0, 100_000, exclude_min=True),
        lead=leads,
    ),
    st.builds(messages.Heartbeat, stream=streams),
    st.builds(messages.Bye, stream=streams, end=indices),
    st.builds(messages.Acknowledge, **wearer_stream, alert=integers, by=people),
)
TO_DEVICE = st.one_of(
    st.builds(messages.Welcome, stream=streams, next=indices, publish=texts),
    st.builds(messages.Ack, stream=streams, next=indices),
    st.builds(messages.Refused, reason=texts),
)
PUBLISHED = st.one_of(
    st.builds(
        messages.Opened,
        **wearer_stream,
        lead=leads,
        rate=floats,
        model=texts,
        threshold=floats,
        look_ahead_s=floats,
    ),
    st.builds(messages.Closed, **wearer_stream, end=indices),
    st.builds(messages.Trace, **wearer_stream, first=indices, samples=st.binary(max_size=8192)),
    st.builds(
        messages.Window,
        **wearer_stream,
        first=indices,
        state=st.sampled_from(["signal", "noisy", "absent"]),
        probability=st.none() | floats,
        abnormal=st.none() | st.booleans(),
        heart_rate=st.none() | floats,
        model=texts,
    ),
    st.builds(messages.Gap, **wearer_stream, first=indices, count=indices),
    st.builds(
        messages.Alert,
        **wearer_stream,
        alert=integers,
        kind=texts,
        priority=st.sampled_from(["high", "medium", "low"]),
        state=st.sampled_from(["raised", "acknowledged", "cleared"]),
        at=indices,
        text=texts,
        by=st.none() | people,
    ),
    st.builds(
        messages.Link,
        **wearer_stream,
        received=integers,
        missing=integers,
        repeated=integers,
        lag_s=floats,
    ),
)
BOTH = [
    (TO_MONITOR, decode_to_monitor),
    (TO_DEVICE, decode_to_device),
    (PUBLISHED, decode_published),
]


@pytest.mark.parametrize(("strategy", "decode"), BOTH, ids=["to monitor", "to device", "published"])
@given(data=st.data())
@settings(max_examples=150)
def test_what_is_encoded_is_decoded(strategy, decode, data):
    message = data.draw(strategy)
    encoded = encode(message)
    assert decode(encoded) == message
    assert b"\n" not in encoded
    assert json.loads(encoded)["type"] == type(message).__name__.lower()
    assert json.loads(encoded)["v"] == 1
    # A message for one side is none for the others.
    for other in DECODERS:
        if other is not decode:
            with pytest.raises(ProtocolError):
                other(encoded)


def test_the_words_on_the_wire_are_those_of_the_first_version():
    hello = messages.Hello(wearer="203", stream="00000000000000ff", rate=360.0, lead="MLII")
    assert encode(hello) == (
        b'{"type":"hello","wearer":"203","stream":"00000000000000ff","rate":360.0,'
        b'"lead":"MLII","v":1}'
    )
    bye = b'{"type":"bye","stream":"00000000000000ff","end":720}'
    assert decode_to_monitor(bye) == messages.Bye(stream="00000000000000ff", end=720)
    trace = messages.Trace(
        wearer="203", stream="00000000000000ff", first=0, samples=b"\x01\x00\xff"
    )
    assert b'"samples":"AQD/"' in encode(trace)


def test_a_topic_says_what_and_who():
    gap = messages.Gap(wearer="bed-7.b", stream="0" * 16, first=0, count=1)
    assert messages.topic(gap) == b"gap/bed-7.b"


@given(st.integers(0, 2**64 - 1))
@example(0)
@example(2**64 - 1)
def test_a_stream_id_is_its_number_in_hexadecimal(number):
    text = messages.stream_id(number)
    assert len(text) == 16
    assert int(text, 16) == number


def message_or_refusal(data):
    for decode in DECODERS:
        try:
            message = decode(data)
        except ProtocolError:
            continue
        assert isinstance(message, messages.Message)
        assert message.v == 1
        assert decode(encode(message)) == message


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_are_refused_or_a_message(data):
    message_or_refusal(data)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["hello", "bye", "window", "signal", "0" * 16, "203", "../x", "raised"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = sorted(
    {
        field.encode_name
        for kind in (messages.ToMonitor, messages.ToDevice, messages.Published)
        for each in kind.__args__
        for field in msgspec.structs.fields(each)
    }
)
TYPES = (
    "hello heartbeat bye acknowledge welcome ack refused opened closed trace window gap alert link"
)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES.split())},
        optional=dict.fromkeys(FIELDS, anything),
    )
)
@settings(max_examples=300)
def test_the_right_fields_with_any_values_are_refused_or_a_message(fields):
    message_or_refusal(json.dumps(fields).encode())


@given(message=TO_MONITOR | TO_DEVICE | PUBLISHED, data=st.data())
@settings(max_examples=200)
def test_a_damaged_message_is_refused_or_another_message(message, data):
    encoded = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    message_or_refusal(bytes(encoded))
    message_or_refusal(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))
