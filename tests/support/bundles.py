"""Small bundles of any geometry, made by hand."""

import msgspec
import numpy as np
import pytest

from ecgmon.models.bundle import checksum, metadata
from ecgmon.models.card import Card, Validation


def write_bundle(path, *, claimed=None, name="by-hand", wearer=None, level=0.3, **geometry):
    """Write a model that calls a window abnormal by the share of its input above a level.

    The card may claim another geometry than the graph's.
    """
    onnx = pytest.importorskip("onnx")
    card = Card(
        name=name,
        network="none",
        parameters=0,
        wearer=wearer,
        threshold=0.1,
        trained_on=(),
        windows=0,
        abnormal_windows=0,
        validation=Validation("none", (), 0, 0, 0, 0),
        seed=0,
        versions={},
        created="",
        **geometry,
    )
    helper, kinds = onnx.helper, onnx.TensorProto
    high = onnx.numpy_helper.from_array(np.float32(level), "high")
    axis = onnx.numpy_helper.from_array(np.array([1]), "axis")
    nodes = [
        helper.make_node("Greater", ["signal", "high"], ["above"]),
        helper.make_node("Cast", ["above"], ["ones"], to=kinds.FLOAT),
        helper.make_node("ReduceMean", ["ones", "axis"], ["probability"], keepdims=0),
    ]
    signal = helper.make_tensor_value_info("signal", kinds.FLOAT, ["n", card.geometry.inputs])
    output = helper.make_tensor_value_info("probability", kinds.FLOAT, ["n"])
    graph = helper.make_graph(nodes, "by-hand", [signal], [output], [high, axis])
    opset = [helper.make_opsetid("", 18)]
    data = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    changes = (claimed or {}) | {"graph_bytes": len(data)}
    text = msgspec.json.encode(msgspec.structs.replace(card, **changes))
    path.write_bytes(data + metadata(text, checksum(data, text)))
    return path
