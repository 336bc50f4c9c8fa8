"""Messages made by hand, most of them by somebody who means no good."""

import json
import string

import pytest

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from ecgmon.wire.messages import decode_from_device, decode_from_viewer, decode_to_device
from tests.ecgmon.wire.strategies import DECODERS


def refused(data):
    """Assert that every decoder refuses the data, in one short sentence."""
    for decode in DECODERS:
        with pytest.raises(ProtocolError) as caught:
            decode(data)
        assert len(str(caught.value)) < 1000


def heartbeat(**changes):
    return json.dumps({"type": "heartbeat", "stream": "0" * 16} | changes).encode()


def hello(**changes):
    fields = {"type": "hello", "wearer": "203", "stream": "0" * 16, "rate": 360, "leads": ["II"]}
    return json.dumps(fields | changes).encode()


def test_the_hand_made_messages_are_valid():
    assert decode_from_device(heartbeat()) == messages.Heartbeat(stream="0" * 16)
    assert decode_from_device(heartbeat(v=1)) == messages.Heartbeat(stream="0" * 16)
    assert decode_from_device(hello()).wearer == "203"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"hello"',
        heartbeat() + b"x",
        heartbeat() + b"\0",
        b"\xef\xbb\xbf" + heartbeat(),
        heartbeat().decode().encode("utf-16"),
        heartbeat(v=0),
        heartbeat(v=2),
        heartbeat(v="1"),
        heartbeat(v=1.0),
        heartbeat(v=True),
        heartbeat(type="Heartbeat"),
        heartbeat(type="message"),
        heartbeat(type=1),
        heartbeat(stream="0" * 15),
        heartbeat(stream="0" * 17),
        heartbeat(stream="0" * 16 + "\n"),
        heartbeat(stream="A" * 16),
        heartbeat(stream=0),
        hello(rate=0),
        hello(rate=-1),
        hello(rate=99.9),
        hello(rate=1000.1),
        hello(rate="360"),
        hello(leads=["123456789"]),
        hello(leads=["II", "II\x1b[2J"]),
        hello(leads=["M II"]),
        hello(leads=[]),
        hello(leads=["II"] * 17),
        hello(leads="II"),
        hello(leads=None),
        b'{"type":"hello","wearer":"203","stream":"0000000000000000","leads":["II"]}',
        hello().replace(b"360", b"NaN"),
        hello().replace(b"360", b"Infinity"),
        hello().replace(b"360", b"-Infinity"),
        hello().replace(b"360", b"1e999"),
        hello().replace(b"360", b"9" * 5000),
        hello().replace(b"203", b"\xff\xfe"),
        hello().replace(b"203", b"\xc0\xaf"),
        hello().replace(b"203", b"\\ud800"),
        heartbeat().replace(b"heartbeat", b"\xff"),
    ],
)
def test_what_is_not_exactly_a_message_is_refused(data):
    refused(data)


@pytest.mark.parametrize(
    "wearer",
    [
        *[
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "a\0b",
            "a b",
            "a\n",
            "-a",
            "_a",
            "~",
        ],
        *[".hidden", "é", "\u0661", "a" * 65, "a:b", "a*", "a\x1b[2J", "\u202ea"],
    ],
)
def test_a_wearers_id_is_safe_as_a_file_name_and_as_a_topic(wearer):
    refused(hello(wearer=wearer))


@pytest.mark.parametrize("wearer", ["203", "bed-7", "a", "A.b_c-9", "a..b", "x" * 64])
def test_usual_ids_are_welcome(wearer):
    assert decode_from_device(hello(wearer=wearer)).wearer == wearer


@pytest.mark.parametrize("end", [-1, 2**60 + 1, 2**64, 10**400, 1.5])
def test_an_index_stays_far_inside_64_bits(end):
    refused(json.dumps({"type": "bye", "stream": "0" * 16, "end": end}).encode())


def acknowledged_by(by):
    seen = {"type": "acknowledge", "wearer": "203", "alarm": 1, "by": by}
    return json.dumps(seen).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "subscribe", "topics": ["window"]},
        {"type": "subscribe", "topics": ["/203"]},
        {"type": "subscribe", "topics": ["window/203/"]},
        {"type": "subscribe", "topics": ["window/../x"]},
        {"type": "subscribe", "topics": ["window/"] * 65},
        {"type": "subscribe", "topics": ["w" * 17 + "/"]},
        {"type": "acknowledge", "wearer": "203", "alarm": 0, "by": ""},
        {"type": "acknowledge", "wearer": "203", "alarm": 2**53 + 1, "by": ""},
        {"type": "pause", "wearer": "203", "kind": "noisy", "seconds": 3601, "by": ""},
        {"type": "pause", "wearer": "203", "kind": "noisy", "seconds": -1, "by": ""},
        {"type": "pause", "wearer": "203", "kind": "noisy", "seconds": 0.5, "by": ""},
        {"type": "pause", "wearer": "203", "kind": "Noisy\n", "seconds": 0, "by": ""},
        {"type": "history", "wearer": None, "limit": 0},
        {"type": "history", "wearer": None, "limit": 51},
        {"type": "history", "wearer": None, "before": -1},
        {"type": "history"},
    ],
    ids=str,
)
def test_what_a_viewer_may_not_ask_for_is_refused(fields):
    refused(json.dumps(fields).encode())


@pytest.mark.parametrize("by", ["x" * 65, "a\nb", "\x1b]0;title\x07", "\x7f", "\x9b2J"])
def test_who_acknowledges_cannot_write_to_a_terminal(by):
    refused(acknowledged_by(by))


@pytest.mark.parametrize("by", ["", "anna", "Schwester Zoë", "看護師"])
def test_who_acknowledges_may_have_any_name(by):
    assert decode_from_viewer(acknowledged_by(by)).by == by


def test_a_reason_ends_after_500_characters():
    assert decode_to_device(b'{"type":"refused","reason":"' + b"x" * 500 + b'"}')
    refused(b'{"type":"refused","reason":"' + b"x" * 501 + b'"}')


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"type":"heartbeat","a":[', "[" * 100 + "{"])
def test_deep_nesting_is_refused(opening):
    depth = 60_000 // len(opening)
    refused((opening * depth).encode())
    refused(b'{"type":"heartbeat","stream":"0000000000000000","x":' + b"[" * 30_000)
    refused(
        b'{"type":"heartbeat","stream":"0000000000000000","x":'
        + b"[" * 30_000
        + b"]" * 30_000
        + b"}"
    )


def test_a_message_that_is_too_long_is_refused_before_it_is_read():
    padded = heartbeat(x="")
    assert decode_from_device(padded + b" " * (messages.MAX_BYTES - len(padded)))
    refused(padded + b" " * (messages.MAX_BYTES - len(padded) + 1))


def test_fields_of_a_later_version_1_are_passed_over():
    assert decode_from_device(heartbeat(battery=0.4, **{"a" * 1000: string.printable}))
