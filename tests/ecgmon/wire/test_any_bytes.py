"""Any bytes are a message or refused, and cost little time and memory."""

import json
import time
import tracemalloc
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from ecgmon.wire.messages import encode
from tests.ecgmon.wire.strategies import ANY, DECODERS

KINDS = get_args(messages.FromDevice | messages.ToDevice | messages.FromViewer | messages.ToViewer)
FIELDS = sorted({field.encode_name for kind in KINDS for field in msgspec.structs.fields(kind)})
TYPES = [kind.__struct_config__.tag for kind in KINDS]
SOME = "hello bye window signal 203 ../x raised alarm/ high 0000000000000000".split()
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(SOME),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=6,
)


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


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES)}, optional=dict.fromkeys(FIELDS, anything)
    )
)
@settings(max_examples=100)
def test_the_right_fields_with_any_values_are_refused_or_a_message(fields):
    message_or_refusal(json.dumps(fields).encode())


@given(message=ANY, name=st.sampled_from(FIELDS), value=anything)
@settings(max_examples=100)
def test_a_message_with_another_value_in_a_field_is_refused_or_a_message(message, name, value):
    fields = json.loads(encode(message)) | {name: value}
    message_or_refusal(json.dumps(fields).encode())


@given(message=ANY, data=st.data())
@settings(max_examples=200)
def test_a_damaged_message_is_refused_or_another_message(message, data):
    encoded = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    message_or_refusal(bytes(encoded))
    message_or_refusal(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


def filled(start, item, end):
    """The longest message of this form that is read at all."""
    count = (messages.MAX_BYTES - len(start) - len(end)) // len(item)
    return start + item * count + end


@pytest.mark.parametrize(
    "data",
    [
        filled(b"", b"[", b""),
        filled(b"", b'{"a":', b""),
        filled(b'{"type":"past","before":null,"entries":[', b"{},", b"{}]}"),
        filled(b'{"type":"subscribe","topics":[', b'"a/",', b'"a/"]}'),
        filled(b'{"type":"hello","leads":[', b'"",', b'""]}'),
        filled(b'{"type":"refused","reason":"', b"\\u0001", b'"}'),
        filled(b'{"type":"history","wearer":null,"before":', b"9", b"}"),
        filled(b'{"type":"history","wearer":null,"before":1e', b"9", b"}"),
        filled(b'{"type":"history","wearer":"', b"a", b'"}'),
        filled(b'{"type":"history",', b'"wearer":null,', b'"limit":1}'),
        filled(b'{"type":"trace","samples":"', b"AAAA", b'"}'),
        filled(b'{"type":"', b"a", b'"}'),
        bytes(100_000_000),
    ],
    ids=lambda data: data[:30].decode(),
)
def test_no_message_costs_more_than_a_moment_and_a_few_megabytes(data):
    for decode in DECODERS:
        tracemalloc.start()
        began = time.process_time()
        sentence = ""
        try:
            decode(data)
        except ProtocolError as error:
            sentence = str(error)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert time.process_time() - began < 1
        assert peak < 5_000_000
        assert len(sentence) < 500  # it is logged and sent back
