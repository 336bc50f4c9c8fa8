"""Weights read from bundles without the ONNX package are those that it reads."""

from contextlib import suppress

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from ecgmon.models.initializers import initializers
from ecgmon.models.resolve import built_in
from ecgmon.models.window_layers import WEIGHTS, weights


@pytest.mark.parametrize("name", ["generic", "203", "beats"])
def test_they_are_those_that_onnx_reads(name):
    data = built_in()[name].read_bytes()
    graph = onnx.load_from_string(data).graph
    floats = [one for one in graph.initializer if one.data_type == onnx.TensorProto.FLOAT]
    expected = {one.name: numpy_helper.to_array(one) for one in floats}
    found = initializers(data)
    assert set(found) == set(expected)
    assert len(found) > 4
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


def test_what_is_packed_or_of_another_type_is_read_or_left_out():
    values = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    tensors = [
        numpy_helper.from_array(values, "kept"),
        numpy_helper.from_array(values.astype(np.int64), "numbers"),
        helper.make_tensor("in floats", onnx.TensorProto.FLOAT, [2], [1.0, 2.0]),
    ]
    model = helper.make_model(helper.make_graph([], "g", [], [], tensors))
    (found,) = initializers(model.SerializeToString()).items()
    assert found[0] == "kept"
    np.testing.assert_array_equal(found[1], values)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_a_value_error_or_nothing(data):
    with suppress(ValueError):
        assert isinstance(initializers(data), dict)


@given(st.data())
def test_a_bundle_with_some_bytes_changed_is_read_or_refused(data):
    whole = bytearray(built_in()["generic"].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    found = weights(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    assert found is None or found.shape == (WEIGHTS,)


def test_another_networks_weights_are_none():
    assert weights(built_in()["beats"].read_bytes()) is None
