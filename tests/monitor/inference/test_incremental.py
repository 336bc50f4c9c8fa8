"""Windows judged second by second are judged as by the bundle's graph, and to the same bits in any
company."""

import gc
from copy import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import built_in
from ecgmon.models.window_layers import GEOMETRY
from monitor.inference import incremental
from monitor.inference.incremental import CHECK_EVERY, INPUTS, NEW, IncrementalWindows

WEARERS, SECONDS = 6, 9


@pytest.fixture(scope="module")
def models():
    return [Model.load(built_in()[name]) for name in ("generic", "203", "simulated")]


@pytest.fixture(scope="module")
def signals():
    """Something that goes up and down, each row in its own way."""
    rng = np.random.default_rng(1)
    length = INPUTS + NEW * (SECONDS - 1)
    steps = np.cumsum(rng.normal(size=(WEARERS, length + 9)), axis=1)
    return (steps[:, 9:] - steps[:, :-9]).astype(np.float32) / 8


def window(signals, row, second):
    return signals[row, second * NEW : second * NEW + INPUTS]


def asked(judge, signals, schedule, models):
    """Ask about (row, second, model) in one call."""
    rows = np.array([row for row, _, _ in schedule], dtype=np.intp)
    inputs = np.stack([window(signals, row, second) for row, second, _ in schedule])
    return judge.probability(rows, inputs, [models[which] for _, _, which in schedule])


def by_graph(signals, schedule, models):
    return np.concatenate(
        [models[which].probability(window(signals, row, at)[None]) for row, at, which in schedule]
    )


def test_the_built_in_models_are_judged_by_their_layers(models):
    assert all(model.weights is not None for model in models)
    assert GEOMETRY.inputs == INPUTS
    assert GEOMETRY.rate == NEW


def test_each_second_is_judged_as_by_the_graph(models, signals):
    judge = IncrementalWindows()
    for second in range(SECONDS):
        schedule = [(row, second, row % 3) for row in range(WEARERS)]
        said = asked(judge, signals, schedule, models)
        np.testing.assert_allclose(said, by_graph(signals, schedule, models), rtol=0, atol=1e-6)
    assert said.std() > 0.05  # they are not all alike


calls = st.lists(
    st.lists(
        st.tuples(st.integers(0, WEARERS - 1), st.integers(0, SECONDS - 1), st.integers(0, 2)),
        min_size=1,
        max_size=40,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(calls)
def test_whatever_came_before_and_whoever_comes_along_the_bits_are_the_same(
    models, signals, schedules
):
    """Gaps, jumps back, other models, several seconds of a row at once."""
    judge = IncrementalWindows()
    for schedule in schedules:
        said = asked(judge, signals, schedule, models)
        alone = [asked(IncrementalWindows(), signals, [one], models)[0] for one in schedule]
        np.testing.assert_array_equal(said, np.array(alone))


def test_a_second_that_goes_on_costs_one_step_and_not_the_whole_window(
    models, signals, monkeypatch
):
    steps = []
    advance = IncrementalWindows._advance
    monkeypatch.setattr(
        IncrementalWindows,
        "_advance",
        lambda self, rows, *rest: steps.append(len(rows)) or advance(self, rows, *rest),
    )
    judge = IncrementalWindows()
    counted = []
    for schedule in ([(0, 0, 0)], [(0, 1, 0)], [(0, 2, 1)], [(0, 3, 1)], [(0, 5, 1)]):
        steps.clear()
        asked(judge, signals, schedule, models)
        counted.append(len(steps))
    assert counted == [5, 1, 5, 1, 5]


def test_a_model_that_is_loaded_again_judges_by_what_it_holds(models, signals):
    """It may lie where another one lay before in memory."""
    judge = IncrementalWindows()
    for turn in range(4):
        for second in range(3):
            mine = [Model.load(built_in()[("203", "generic")[turn % 2]])]
            said = asked(judge, signals, [(0, second, 0)], mine)
            expected = by_graph(signals, [(0, second, 0)], mine)
            np.testing.assert_allclose(said, expected, rtol=0, atol=1e-6)
            del mine
            gc.collect()
    assert len(judge._known) == 0


def test_a_model_at_rest_is_checked_and_rests_again(signals, tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(built_in()["203"].read_bytes())
    model = Model.load(path)
    model.rest()
    many = [(0, 3, 0)] * CHECK_EVERY
    said = asked(IncrementalWindows(), signals, many, [model])
    assert model._session is None
    np.testing.assert_allclose(said[:1], by_graph(signals, many[:1], [model]), rtol=0, atol=1e-6)
    model.rest()
    path.write_bytes(built_in()["generic"].read_bytes())
    with pytest.raises(BundleError, match=r"own\.onnx has been replaced: start again"):
        by_graph(signals, many[:1], [model])
    path.unlink()
    np.testing.assert_array_equal(asked(IncrementalWindows(), signals, many, [model]), said)
    assert model.weights is not None


def test_layers_that_differ_from_the_graph_are_not_used_any_more(models, signals):
    """One of a thousand windows is judged by both."""
    wrong = models[0].weights * 1.5
    model = copy(models[0])
    model.weights = wrong
    judge = IncrementalWindows()
    few, many = [(0, 3, 0)], [(0, 3, 0)] * CHECK_EVERY
    right = by_graph(signals, few, models)
    assert abs(asked(judge, signals, few, [model]) - right) > incremental.TOLERANCE
    assert model.weights is wrong
    assert asked(judge, signals, many, [model])[-1] == right
    assert model.weights is None
