"""Files that are no bundles, and bundles that were damaged: none is loaded, none does harm."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import MAX_BYTES, Model
from ecgmon.models.loading import load
from ecgmon.models.resolve import built_in

MODELS = list(built_in().values())


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("bundles") / "model.onnx"


def refused(path, data, match):
    path.write_bytes(data)
    with pytest.raises(BundleError, match=match) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_not_a_file_is_refused(tmp_path):
    for path in (tmp_path / "missing.onnx", tmp_path, tmp_path / "x" / "y", tmp_path / ("x" * 300)):
        with pytest.raises(BundleError, match="cannot be read"):
            Model.load(path)


def test_a_file_larger_than_any_bundle_is_refused_unread(tmp_path):
    path = tmp_path / "large.onnx"
    path.write_bytes(MODELS[0].read_bytes())
    with path.open("r+b") as file:
        file.truncate(2**40)  # sparse: a terabyte that nobody must read
    with pytest.raises(BundleError, match="larger than any bundle"):
        Model.load(path)
    with path.open("r+b") as file:
        file.truncate(MAX_BYTES)
    with pytest.raises(BundleError, match=r"damaged|cannot be read"):
        Model.load(path)


@given(st.binary(max_size=2000))
@example(b"")
@example(b"\n\x0becgmon.card\x12")
@example(b"\n\x0becgmon.card\x12" + b"\xff" * 100)
@example(b"\n\x0becgmon.card\x12\x02{}" + b"x" * 100)
@example(b"\n\x0becgmon.card\x12\x01" + b'{"a":' * 100_000)
def test_any_bytes_are_refused(scratch, data):
    refused(scratch, data, r"card")


tail_or_anywhere = st.integers(-2400, -1) | st.integers(0, 2**31)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@given(at=tail_or_anywhere, bit=st.integers(0, 7))
@settings(max_examples=250)
def test_a_single_flipped_bit_anywhere_is_refused(scratch, path, at, bit):
    data = bytearray(path.read_bytes())
    data[at if at < 0 else at % len(data)] ^= 1 << bit
    refused(scratch, bytes(data), r"damaged|card")


@given(keep=tail_or_anywhere)
@settings(max_examples=100)
def test_a_bundle_that_was_cut_short_is_refused(scratch, keep):
    data = MODELS[0].read_bytes()
    refused(scratch, data[: keep if keep < 0 else keep % len(data)], r"damaged|card")
