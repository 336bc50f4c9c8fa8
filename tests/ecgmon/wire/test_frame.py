import math
import struct
import tracemalloc
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import ProtocolError
from ecgmon.wire import MAX_SAMPLES, Frame
from ecgmon.wire.frame import MAX_BYTES
from tests.ecgmon.wire.strategies import FRAMES

HEADER = 48
"""Bytes before the samples, by docs/wire.md: 4+1+1+2+8+8+8+4+4+8, and a CRC of 4 after them."""
FIELDS = [field.name for field in msgspec.structs.fields(Frame)]


def frame(**changes):
    fields = {
        "stream": 0x0123456789ABCDEF,
        "first": 720,
        "device_time": 1_700_000_000_000_000_000,
        "rate_mhz": 360_000,
        "gain": 200.0,
        "lead": "MLII",
        "samples": np.array([0, 1, -1, 200, 32767, -32767, NO_VALUE], dtype=np.int16),
    }
    return Frame(**fields | changes)


def assert_same(one, other):
    for name in FIELDS:
        a, b = getattr(one, name), getattr(other, name)
        assert np.array_equal(a, b), name
    assert other.samples.dtype == np.int16


@given(FRAMES)
def test_what_is_encoded_is_decoded(frame):
    encoded = frame.encode()
    assert len(encoded) == HEADER + 2 * len(frame.samples) + 4
    assert_same(frame, Frame.decode(encoded))
    assert Frame.decode(encoded).encode() == encoded
    assert frame.end == frame.first + len(frame.samples)


GOLDEN = bytes.fromhex(
    "45434746"  # ECGF
    "01"  # version
    "00"  # flags
    "0700"  # samples
    "efcdab8967452301"  # stream
    "d002000000000000"  # first
    "00002a36fe9c9717"  # device time
    "407e0500"  # rate
    "00004843"  # gain
    "4d4c494900000000"  # lead
    "00000100ffffc800ff7f01800080"
    "bf5adcf4"  # CRC-32
)


def test_the_format_is_the_one_of_the_first_version_to_the_last_bit():
    assert frame().encode().hex() == GOLDEN.hex()
    assert_same(frame(), Frame.decode(GOLDEN))


def craft(**changes):
    """Build a frame by hand, with a right CRC, whatever its fields are."""
    fields = {
        "magic": b"ECGF",
        "version": 1,
        "flags": 0,
        "count": 2,
        "stream": 1,
        "first": 0,
        "time": 0,
        "rate": 360_000,
        "gain": 200.0,
        "lead": b"II",
    } | changes
    body = struct.pack("<4sBBHQQqIf8s", *fields.values()) + struct.pack("<2h", 5, -5)
    return body + struct.pack("<I", zlib.crc32(body))


def test_the_hand_made_frame_is_valid():
    assert Frame.decode(craft()).samples.tolist() == [5, -5]


@pytest.mark.parametrize(
    "changes",
    [
        {"magic": b"ECGG"},
        {"magic": b"ecgf"},
        {"version": 0},
        {"version": 2},
        {"flags": 1},
        {"flags": 128},
        {"count": 0},
        {"count": 1},
        {"count": 3},
        {"count": 65_535},
        {"first": 2**60},
        {"first": 2**64 - 1},
        {"rate": 0},
        {"gain": 0.0},
        {"gain": -200.0},
        {"gain": math.inf},
        {"gain": math.nan},
        {"gain": 1e-40},
        {"gain": 0.0009},
        {"lead": b"M II"},
        {"lead": b"II\x1b[2J"},
        {"lead": b"\x00II"},
        {"lead": b"II\x7f"},
        {"lead": "MLÜ".encode()},
        {"lead": b"\xff" * 8},
    ],
    ids=str,
)
def test_a_field_out_of_range_is_refused_even_with_a_right_crc(changes):
    with pytest.raises(ProtocolError):
        Frame.decode(craft(**changes))


def frame_or_refusal(data):
    try:
        return Frame.decode(data)
    except ProtocolError:
        return None


@given(st.binary(max_size=200) | st.binary(min_size=52, max_size=9000))
@example(b"")
@example(b"ECGF")
@example(b"ECGF" + bytes(48))
@example(bytes(52))
@settings(max_examples=200)
def test_any_bytes_are_a_frame_or_refused(data):
    decoded = frame_or_refusal(data)
    assert decoded is None or decoded.encode() == data


@given(st.binary(min_size=48, max_size=48), st.binary(max_size=4))
@settings(max_examples=300)
def test_any_fields_with_a_right_crc_are_a_frame_or_refused(fields, tail):
    body = b"ECGF\x01\x00" + struct.pack("<H", 2) + fields[8:] + (tail * 4)[:4].ljust(4, b"\0")
    decoded = frame_or_refusal(body + struct.pack("<I", zlib.crc32(body)))
    if decoded is not None:
        assert decoded.gain > 0
        assert math.isfinite(decoded.gain)
        assert decoded.end <= 2**60
        assert decoded.encode() == body + struct.pack("<I", zlib.crc32(body))


@given(FRAMES, st.data())
@settings(max_examples=100)
def test_a_damaged_frame_is_refused(frame, data):
    encoded = frame.encode()
    at = data.draw(st.sampled_from([0, 4, 6, 47, 48, -4, -1]) | st.integers(0, len(encoded) - 1))
    flipped = bytearray(encoded)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.sampled_from([0, 1, 47, 48, 52]) | st.integers(0, len(encoded) - 1))
    longer = encoded + data.draw(st.binary(min_size=1, max_size=9000))
    for damaged in (bytes(flipped), encoded[: min(cut, len(encoded) - 1)], longer):
        with pytest.raises(ProtocolError):
            Frame.decode(damaged)


@given(FRAMES, st.data())
@settings(max_examples=200)
def test_a_frame_with_another_header_and_a_right_crc_is_a_frame_or_refused(frame, data):
    body = bytearray(frame.encode()[:-4])
    at = data.draw(st.integers(0, HEADER - 1))
    changed = data.draw(st.binary(min_size=1, max_size=8))
    body[at : at + len(changed)] = changed
    altered = bytes(body) + struct.pack("<I", zlib.crc32(bytes(body)))
    decoded = frame_or_refusal(altered)
    assert decoded is None or decoded.encode() == altered


@pytest.mark.parametrize("count", [1, 2, MAX_SAMPLES, 65_535])
def test_what_a_frame_says_of_its_length_takes_no_memory(count):
    long = craft(count=count)[:-4] + bytes(MAX_BYTES)
    tracemalloc.start()
    try:
        for length in range(0, len(long) + 1, 97):
            frame_or_refusal(long[:length])
        frame_or_refusal(bytes(50_000_000))
        assert tracemalloc.get_traced_memory()[1] < 50_100_000  # what is read, and no more
    finally:
        tracemalloc.stop()


def test_every_single_flipped_bit_of_a_frame_is_found():
    encoded = frame().encode()
    for bit in range(8 * len(encoded)):
        flipped = bytearray(encoded)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProtocolError):
            Frame.decode(bytes(flipped))


def test_a_megabyte_is_refused_by_its_length():
    with pytest.raises(ProtocolError, match="1000000 bytes"):
        Frame.decode(b"ECGF" + bytes(999_996))


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": -1},
        {"stream": 2**64},
        {"first": -1},
        {"first": 2**60},
        {"device_time": 2**63},
        {"rate_mhz": 0},
        {"rate_mhz": 2**32},
        {"rate_mhz": 360.5},
        {"gain": 0.0},
        {"gain": -1.0},
        {"gain": 1e39},
        {"gain": math.nan},
        {"gain": 1e-50},
        {"lead": "123456789"},
        {"lead": "ECG I"},
        {"lead": "Ö"},
        {"lead": "II\0"},
        {"samples": np.zeros(0, dtype=np.int16)},
        {"samples": np.zeros(MAX_SAMPLES + 1, dtype=np.int16)},
        {"samples": np.zeros(70_000, dtype=np.int16)},
    ],
    ids=lambda changes: str({k: np.shape(v) or v for k, v in changes.items()}),
)
def test_a_frame_that_could_not_be_decoded_is_not_encoded(changes):
    with pytest.raises(ProtocolError):
        frame(**changes).encode()
