import json
from typing import get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import beat_rows, messages
from ecgmon.wire.messages import decode_from_device, decode_to_device, decode_to_viewer, encode
from ecgmon.wire.numbering import Numbering, numbered, numbering_of
from tests.ecgmon.wire.strategies import ANY, DECODERS, EACH_SIDE

SIDES = ["from device", "to device", "from viewer", "to viewer"]


@pytest.mark.parametrize(("strategy", "decode"), EACH_SIDE, ids=SIDES)
@given(data=st.data())
@settings(max_examples=80)
def test_what_is_encoded_is_decoded(strategy, decode, data):
    message = data.draw(strategy)
    encoded = encode(message)
    assert decode(encoded) == message
    assert b"\n" not in encoded
    assert json.loads(encoded)["type"] == message.__struct_config__.tag
    assert json.loads(encoded)["v"] == 1
    # A message for one side is none for the others; only a refusal goes to both.
    for other in DECODERS:
        if other is not decode and not isinstance(message, messages.Refused):
            with pytest.raises(ProtocolError):
                other(encoded)


def test_the_words_on_the_wire_are_those_of_the_first_version():
    hello = messages.Hello(wearer="203", stream="00000000000000ff", rate=360.0, leads=["MLII"])
    assert encode(hello) == (
        b'{"type":"hello","wearer":"203","stream":"00000000000000ff","rate":360.0,'
        b'"leads":["MLII"],"v":1}'
    )
    # A small device looks for these in the text.
    welcome = messages.Welcome(stream="00000000000000ff", next=720, lead="V1", publish="tcp://a:1")
    assert encode(welcome) == (
        b'{"type":"welcome","stream":"00000000000000ff","next":720,"lead":"V1",'
        b'"publish":"tcp://a:1","v":1}'
    )
    assert encode(messages.Refused(reason='"next":1')) == (
        b'{"type":"refused","reason":"\\"next\\":1","retry_s":null,"v":1}'
    )
    bye = b'{"type":"bye","stream":"00000000000000ff","end":720}'
    assert decode_from_device(bye) == messages.Bye(stream="00000000000000ff", end=720)
    trace = messages.Trace(
        wearer="203", stream="00000000000000ff", first=0, samples=b"\x01\x00\xff"
    )
    assert b'"samples":"AQD/"' in encode(trace)


def test_a_topic_says_what_and_who():
    gap = messages.Gap(wearer="bed-7.b", stream="0" * 16, first=0, count=1)
    assert messages.topic(gap) == "gap/bed-7.b"
    pause = messages.Paused(wearer=None, kind="disk", until=None, time=0)
    assert messages.topic(pause) == "paused/"


@given(ANY.filter(lambda message: isinstance(message, messages.Published)))
def test_a_viewer_can_ask_for_the_topic_of_whatever_is_published(message):
    wanted = messages.Subscribe(topics=[messages.topic(message)])
    assert messages.decode_from_viewer(encode(wanted)) == wanted


@given(st.integers(0, 2**64 - 1))
@example(0)
@example(2**64 - 1)
def test_a_stream_id_is_its_number_in_hexadecimal(number):
    text = messages.stream_id(number)
    assert len(text) == 16
    assert int(text, 16) == number


def test_the_longest_messages_still_fit():
    wearer, stream, big = "a" * 64, "f" * 16, 2**62
    trace = messages.Trace(wearer=wearer, stream=stream, first=big, samples=bytes(2 * 4096))
    alarm = messages.Alarm(
        wearer=wearer,
        stream=stream,
        alarm=2**53,
        kind="k" * 32,
        priority="medium",
        category="physiological",
        state="acknowledged",
        at=big,
        time=1_700_000_000.123456,
        text="x" * 500,
        by="b" * 64,
    )
    past = messages.Past(entries=[alarm] * messages.MAX_PAST, before=big)
    for longest in (trace, past):
        assert len(encode(longest)) < messages.MAX_BYTES
        assert decode_to_viewer(encode(longest)) == longest
    subscribe = messages.Subscribe(topics=["t" * 16 + "/" + wearer] * 64)
    assert len(encode(subscribe)) < 8192


def test_every_message_knows_its_side():
    sides = [messages.FromDevice, messages.ToDevice, messages.FromViewer, messages.ToViewer]
    known = {kind for side in sides for kind in get_args(side)}
    rows = {beat_rows.Beats}  # of the journal, and never sent
    assert known == set(messages.Message.__subclasses__()) - rows
    assert all(issubclass(kind, msgspec.Struct) for kind in known)
    assert decode_to_device(encode(messages.Refused(reason=""))).retry_s is None


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_numbered_message_is_the_message_with_a_numbering(snapshot):
    message = messages.Gap(wearer="203", stream="0" * 16, first=5, count=7)
    data = numbered(messages.encode(message), "0123456789abcdef", 2**53, snapshot=snapshot)
    assert messages.decode_to_viewer(data) == message
    assert numbering_of(data) == Numbering("0123456789abcdef", 2**53, snapshot)
    assert numbering_of(messages.encode(message)) == Numbering()
    assert data.startswith(b'{"type":"gap",')
