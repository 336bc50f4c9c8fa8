"""Hypothesis strategies for all valid messages and frames, made from their types."""

from typing import get_args

import msgspec.inspect as about
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from ecgmon.wire import MAX_SAMPLES, Frame, messages


def of(kind):
    """A strategy for what a field of this (inspected) type may hold."""
    match kind:
        case about.StrType(pattern=str(pattern)):
            return st.from_regex(pattern)
        case about.StrType(max_length=most):
            return st.text(max_size=most or 600)
        case about.IntType(ge=least, le=most):
            low, high = least or 0, most or 2**64 - 1
            # JSON numbers are not exact beyond 53 bits everywhere.
            edges = {low, min(high, 2**53), min(high, 2**53 + 1), high}
            return st.sampled_from(sorted(edges)) | st.integers(low, high)
        case about.FloatType(ge=least, le=most):
            return st.floats(least, most, allow_nan=False, allow_infinity=False)
        case about.BytesType():
            return st.binary(max_size=2 * MAX_SAMPLES)
        case about.BoolType():
            return st.booleans()
        case about.NoneType():
            return st.none()
        case about.LiteralType(values=values):
            return st.sampled_from(values)
        case about.ListType(item_type=item, min_length=least, max_length=most):
            return st.lists(of(item), min_size=least or 0, max_size=min(most or 5, 5))
        case about.UnionType(types=types):
            return st.one_of([of(each) for each in types])
        case about.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: of(field.type) for field in fields})
    raise AssertionError(f"no strategy for {kind}")


def any_of(union):
    return st.one_of([of(about.type_info(kind)) for kind in get_args(union)])


FROM_DEVICE = any_of(messages.FromDevice)
TO_DEVICE = any_of(messages.ToDevice)
FROM_VIEWER = any_of(messages.FromViewer)
TO_VIEWER = any_of(messages.ToViewer)
EACH_SIDE = [
    (FROM_DEVICE, messages.decode_from_device),
    (TO_DEVICE, messages.decode_to_device),
    (FROM_VIEWER, messages.decode_from_viewer),
    (TO_VIEWER, messages.decode_to_viewer),
]
ANY = FROM_DEVICE | TO_DEVICE | FROM_VIEWER | TO_VIEWER
DECODERS = [decode for _, decode in EACH_SIDE]

# counts is sampled where the format ends, and else small: the values are what varies.
counts = st.sampled_from([1, 2, 179, 180, 360, MAX_SAMPLES - 1, MAX_SAMPLES]) | st.integers(1, 500)
samples = counts.flatmap(lambda n: npst.arrays("<i2", n, elements=st.integers(-32768, 32767)))
FRAMES = st.builds(
    Frame,
    stream=st.integers(0, 2**64 - 1),
    first=st.integers(0, 2**60 - MAX_SAMPLES),
    device_time=st.integers(-(2**63), 2**63 - 1),
    rate_mhz=st.integers(1, 2**32 - 1),
    gain=st.floats(2**-9, 2**127, width=32),
    lead=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8),
    samples=samples,
)
