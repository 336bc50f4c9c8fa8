#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU, x86-64: MaxPool and GlobalMaxPool. (Another processor may order its comparisons otherwise.)
# Expected: what is computed from a missing sample (NaN) is NaN, as Conv, Relu, Softmax and averages have it in the
# same library and max has it in numpy: whoever tests the scores for NaN sees that a window was not judged.
# Happens: MaxPool drops a NaN as if it were the smallest number, and makes -3.4e38 of a window that holds nothing
# else. A convolution of 7 samples makes seven NaN of one, so a pool of 4 has such a window; the average after it
# is then -3.4e38 / 64, and Softmax is sure: 1.0 for one class, whatever the ECG. With GlobalMaxPool the score is
# what it is without a missing sample; or, where one of the R wave is missing, another as plausible one.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 2>/dev/null
venv/bin/python - <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
weights = {"kernels": rng.standard_normal((8, 1, 7)), "classes": rng.standard_normal((8, 2)) / 5}
stored = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]


def run(samples, *nodes):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, len(samples)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [value for value in stored if any(value.name in node.input for node in nodes)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.asarray(samples, dtype=np.float32)[None, None]})[0].ravel()


def network(samples, summary):
    return run(
        samples,
        helper.make_node("Conv", ["x", "kernels"], ["a"], pads=[3, 3]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[4], strides=[4]),
        helper.make_node(summary, ["c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("MatMul", ["e", "classes"], ["f"]),
        helper.make_node("Softmax", ["f"], ["y"]),
    )


nan = float("nan")
pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[4], strides=[4])
pooled = run([1, 2, nan, 4, 5, 6, 7, nan, nan, nan, nan, nan], pool)
print("MaxPool of (1 2 nan 4), (5 6 7 nan), (nan nan nan nan):", pooled.tolist())
others = {}
for name in ("Relu", "Softmax", "GlobalAveragePool"):
    others[name] = run([1, nan, 3, 4], helper.make_node(name, ["x"], ["y"])).tolist()
others["Conv"] = run([1, nan, *range(8)], helper.make_node("Conv", ["x", "kernels"], ["y"])).tolist()
nan_kept = {name: bool(np.isnan(values).any()) for name, values in others.items()}
print("NaN of a missing sample in what others give:", nan_kept)
t = np.arange(256) / 250
window = np.exp(-(((t - 0.5) / 0.011) ** 2) / 2) + 0.3 * np.exp(-(((t - 0.78) / 0.05) ** 2) / 2)
scores = {}
for summary in ("GlobalAveragePool", "GlobalMaxPool"):
    for at in (None, 20, 128, 200):
        samples = window.copy()
        if at is not None:
            samples[at] = nan
        scores[summary, at] = network(samples, summary)
        print(f"{summary}, missing sample: {at}; scores: {scores[summary, at].round(4).tolist()}")
certain = [scores["GlobalAveragePool", at].max() for at in (20, 128, 200)]
print("onnxruntime", onnxruntime.__version__, "numpy's max:", np.max([1, 2, nan, 4]))
as_before = pooled.tolist()[:2] == [4, 7] and pooled[2] < -3.4e38 and certain == [1, 1, 1]
as_before &= all(nan_kept.values()) and np.allclose(scores["GlobalMaxPool", None], scores["GlobalMaxPool", 20])
as_before &= scores["GlobalAveragePool", None].max() < 0.999
as_before &= all(np.isfinite(score).all() for score in scores.values())
sys.exit(not as_before)
PY
