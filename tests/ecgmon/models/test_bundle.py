import msgspec
import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import CARD_KEY, SUM_KEY, Model, checksum, judges, metadata
from ecgmon.models.card import Conditioning, ScoredSpan, Validation
from ecgmon.models.resolve import built_in
from ecgmon.signal import Geometry, process_record
from replay.simulator.simulation import simulate

MODELS = [path for path in built_in().values() if judges(path) == "window"]
SMALL = Geometry(1, 0.5, 120)


@pytest.fixture(scope="module")
def onnx():
    """Return onnx.helper, which builds graphs by hand."""
    return pytest.importorskip("onnx", reason="needs onnx to build graphs: install the train extra")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("bundles") / "model.onnx"


def load(path, data):
    path.write_bytes(data)
    return Model.load(path)


def refused(path, data, match):
    with pytest.raises(BundleError, match=match) as caught:
        load(path, data)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def windows():
    """Real input for the built-in models, normal and abnormal."""
    samples = simulate("premature", seed=2).record.millivolts()[: 40 * RATE]
    return {
        g: process_record(samples, g).inputs for g in {Model.load(m).card.geometry for m in MODELS}
    }


def test_the_models_that_come_with_the_package_are_there():
    assert {path.stem for path in MODELS} >= {"generic", "203"}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_built_in_model_gives_probabilities_one_for_each_window(path, windows):
    model = Model.load(path)
    inputs = windows[model.card.geometry]
    together = model.probability(inputs)
    assert together.dtype == np.float32
    assert together.shape == (len(inputs),)
    assert ((together >= 0) & (together <= 1)).all()
    assert together.min() < model.card.threshold < together.max()
    alone = np.concatenate([model.probability(window[None]) for window in inputs])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_built_in_model_says_what_it_is(path):
    model = Model.load(path)
    card, data = model.card, path.read_bytes()
    assert card.name.startswith(path.stem)
    assert card.wearer == (None if path.stem == "generic" else path.stem)
    assert card.classes == ("normal", "abnormal")
    assert card.conditioning == Conditioning()
    assert 0 < card.abnormal_windows < card.windows
    assert card.validation.confusion.total > 0
    assert card.validation.confusion.balanced_accuracy > 0.5
    assert data.endswith(model.sha256.encode())
    for span in card.trained_on:
        assert card.has_seen(span.record, span.start)
        assert card.has_seen(span.record, span.stop - 1)
    assert not card.has_seen("mitdb/nobody", 0)


def test_a_window_was_seen_if_it_lies_in_a_span_of_its_record():
    card = Model.load(MODELS[0]).card
    spans = (ScoredSpan("a", 10, 20), ScoredSpan("a", 30, 31), ScoredSpan("b", 0, 5))
    card = msgspec.structs.replace(card, trained_on=spans)
    seen = [window for window in range(40) if card.has_seen("a", window)]
    assert seen == [*range(10, 20), 30]
    assert [window for window in range(40) if card.has_seen("b", window)] == [*range(5)]


def card(graph, **changes):
    fields = {"history_s": SMALL.history_s, "look_ahead_s": SMALL.look_ahead_s, "rate": SMALL.rate}
    changes = fields | {"graph_bytes": len(graph)} | changes
    return msgspec.json.encode(msgspec.structs.replace(Model.load(MODELS[0]).card, **changes))


def bundle(graph, **changes):
    text = card(graph, **changes)
    return graph + metadata(text, checksum(graph, text))


def build(onnx, *, name="signal", size=SMALL.inputs, windows="windows", kind=1, extra=False):
    """A graph that gives the sigmoid of each window's mean."""
    helper = onnx.helper
    inputs = [helper.make_tensor_value_info(name, kind, [windows, size])]
    outputs = [helper.make_tensor_value_info("probability", kind, [windows])]
    if extra:
        outputs.append(helper.make_tensor_value_info("mean", kind, [windows]))
    nodes = [
        helper.make_node("ReduceMean", [name], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Sigmoid", ["mean"], ["probability"]),
    ]
    graph = helper.make_graph(nodes, "mean", inputs, outputs)
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_a_bundle_made_by_hand_is_served(onnx, scratch):
    model = load(scratch, bundle(build(onnx)))
    inputs = np.random.default_rng(1).normal(size=(5, SMALL.inputs)).astype(np.float32)
    expected = 1 / (1 + np.exp(-inputs.mean(axis=1)))
    np.testing.assert_allclose(model.probability(inputs), expected, atol=1e-6)


def test_a_card_may_carry_an_evaluation_and_one_that_knows_of_none_still_loads(onnx, scratch):
    graph = build(onnx)
    evaluation = Validation("the rest of the record", ("mitdb/203",), 4, 3, 2, 1)
    assert load(scratch, bundle(graph, evaluation=evaluation)).card.evaluation == evaluation
    before = card(graph, evaluation=None).replace(b',"evaluation":null', b"")
    assert b"evaluation" not in before
    data = graph + metadata(before, checksum(graph, before))
    assert load(scratch, data).card.evaluation is None


def test_a_bundle_is_what_onnx_tools_write_and_read(onnx, scratch):
    graph = build(onnx)
    text = card(graph)
    extra = onnx.ModelProto()
    onnx.helper.set_model_props(extra, {CARD_KEY: text.decode(), SUM_KEY: checksum(graph, text)})
    assert metadata(text, checksum(graph, text)) == extra.SerializeToString()
    opened = onnx.load_from_string(bundle(graph))
    onnx.checker.check_model(opened)
    assert {p.key: p.value for p in opened.metadata_props}[CARD_KEY] == text.decode()


@pytest.mark.parametrize(
    ("graph", "match"),
    [
        ({"name": "ecg"}, "other input"),
        ({"size": SMALL.inputs + 1}, "other input"),
        ({"size": "any"}, "other input"),
        ({"windows": 1}, "other input"),
        ({"kind": 11}, "other input"),  # double
        ({"extra": True}, "other input"),
    ],
    ids=str,
)
def test_a_graph_that_cannot_serve_is_refused(onnx, scratch, graph, match):
    refused(scratch, bundle(build(onnx, **graph)), match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"history_s": 2}, "other input"),
        ({"look_ahead_s": 0}, "other input"),
        ({"rate": 360}, "other input"),
        ({"history_s": 31}, "cannot be read"),
        ({"rate": 0}, "cannot be read"),
        ({"look_ahead_s": 0.1234}, "cannot be read"),
        ({"threshold": 1.5}, "cannot be read"),
        ({"v": 2}, "cannot be read"),
        ({"name": 7}, "cannot be read"),
        ({"conditioning": Conditioning(band_hz=(0.5, 40.0))}, "another filter or scaling"),
        ({"conditioning": Conditioning(order=2)}, "another filter or scaling"),
        ({"conditioning": Conditioning(scale_seconds=30)}, "another filter or scaling"),
        ({"conditioning": Conditioning(scale_floor_mv=0.2)}, "another filter or scaling"),
        ({"graph_bytes": 0}, "damaged"),
        ({"graph_bytes": 10**9}, "damaged"),
    ],
    ids=str,
)
def test_a_card_that_does_not_fit_is_refused_though_its_checksum_is_right(
    onnx, scratch, changes, match
):
    refused(scratch, bundle(build(onnx), **changes), match)


def test_a_graph_that_is_none_is_refused_though_its_checksum_is_right(scratch, capfd):
    refused(scratch, bundle(b"no graph at all"), "cannot be run")
    refused(scratch, bundle(b""), "cannot be run")


def test_an_edited_card_is_refused(onnx, scratch):
    good = bundle(build(onnx))
    assert good.count(b'"threshold":0.') == 1
    refused(scratch, good.replace(b'"threshold":0.', b'"threshold":1.'), r"cannot be read|damaged")
    refused(scratch, good.replace(b'"seed":', b'"seed":1'), r"damaged|cannot be read")
    at = good.index(b'"threshold":0.') + len(b'"threshold":0.')
    digit = b"1" if good[at : at + 1] != b"1" else b"2"
    refused(scratch, good[:at] + digit + good[at + 1 :], "damaged")


def test_an_onnx_model_without_a_complete_card_is_refused(onnx, scratch):
    graph = build(onnx)
    refused(scratch, graph, "no model card")
    text = card(graph)
    for properties in (
        {"author": "somebody"},
        {SUM_KEY: checksum(graph, text)},
        {CARD_KEY: text.decode()},
        {CARD_KEY: "", SUM_KEY: checksum(graph, b"")},
        {SUM_KEY: checksum(graph, text), CARD_KEY: text.decode()},
    ):
        extra = onnx.ModelProto()
        onnx.helper.set_model_props(extra, properties)
        refused(scratch, graph + extra.SerializeToString(), r"card|damaged")


def test_nothing_may_be_added_that_an_onnx_reader_would_merge(onnx, scratch):
    good, other = bundle(build(onnx)), build(onnx, name="other")
    text = card(build(onnx))
    for changed in (
        good + other,
        other + good,
        good + b"\x72\x00",
        good + b"\0",
        good + good,
        good + metadata(text, checksum(build(onnx), text)),
        build(onnx) + b"\x72\x00" + metadata(text, checksum(build(onnx), text)),
    ):
        refused(scratch, changed, r"damaged|cannot be read")
